package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// What a name has is counted in letters, not in bytes.
func TestAuthenticate(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "a": false, "al": true, "abcdefghijklmnop": true, "abcdefghijklmnopq": false,
		"李": false, "李白": true, "春眠不觉晓处处": true, "春眠不觉晓处处闻啼鸟夜来风雨声花": true, "春眠不觉晓处处闻啼鸟夜来风雨声花落": false,
		"a b": false, "ab\xff": false,
	} {
		if user, err := authenticate(nil, []byte(name)); (err == nil) != want || want && user != name {
			t.Errorf("%q: %q, %v", name, user, err)
		}
	}
}

// A node that lacks what its config file should say does not start.
func TestConfigMistakes(t *testing.T) {
	for want, keys := range map[string]map[string]string{
		"does not say which node this is":               {},
		"console: address 127.0.0.1: missing port":      {"node": "center", "console": "127.0.0.1"},
		`database "": open : no such file or directory`: {"node": "center"},
	} {
		var options []nodetest.Option
		for key, value := range keys {
			options = append(options, nodetest.Env(key, value))
		}
		n := nodetest.Start(t, append(options, nodetest.Services(service.Def("main", open), service.Def("center", startCenter)))...)
		n.Run(func(c *service.Context) error {
			if _, err := c.NewService("main", "center"); err == nil || !strings.Contains(err.Error(), want) {
				return fmt.Errorf("got %v, want %s", err, want)
			}
			return nil
		})
	}
}

// A database that another node has open is named.
func TestDatabaseInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "game.db")
	s, err := openBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	if _, err := openBolt(path); err == nil || err.Error() != fmt.Sprintf("database %q: another process has it open", path) {
		t.Errorf("got %v", err)
	}
}
