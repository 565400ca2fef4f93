//go:build unix

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/skynetgo/skynet/examples/internal/program"
)

// As its user runs it, but at another port: the simpledb of its own, and a stop
// in order.
func TestWeb(t *testing.T) {
	config, err := os.ReadFile("config")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "config")
	text := strings.Replace(string(config), "127.0.0.1:8080", "127.0.0.1:0", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := program.Start(t, ".", "../..", nil, path)
	p.Until("web: http://")
	_, url, _ := strings.Cut(p.Printed(), "web: ")
	url, _, _ = strings.Cut(url, " ")
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	do := func(method, body, want string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url+"/hello", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := send(client, r); got != want || err != nil {
			t.Errorf("%s %q: got %q, %v, want %q", method, body, got, err, want)
		}
	}
	do("GET", "", "404 404 page not found\n")
	do("PUT", "world", "200 ")
	do("GET", "", "200 world")
	do("PUT", "all", "200 world") // what it was before, as simpledb returns it
	p.Signal(syscall.SIGTERM)
	if stderr := p.Exits(0); stderr != "" {
		t.Errorf("standard error: %s", stderr)
	}
}
