package freeport_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/skynetgo/skynet/internal/freeport"
)

// No port comes twice, none that is open, none that a connection may get.
func TestAddr(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		addr, err := freeport.Addr()
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := strconv.Atoi(port); err != nil || n < 20_000 || n >= 32_000 || seen[addr] {
			t.Fatalf("got %s, after %d others", addr, len(seen))
		}
		seen[addr] = true
	}
}

func TestReplace(t *testing.T) {
	moved := make(map[string]string)
	one, err := freeport.Replace(`a = "127.0.0.1:1"  b = "127.0.0.1:2"  c = "127.0.0.1:1"`, moved)
	if err != nil {
		t.Fatal(err)
	}
	if want := `a = "` + moved["127.0.0.1:1"] + `"  b = "` + moved["127.0.0.1:2"] + `"  c = "` + moved["127.0.0.1:1"] + `"`; one != want || len(moved) != 2 {
		t.Errorf("got %s, moved %v", one, moved)
	}
	two, err := freeport.Replace("127.0.0.1:2", moved)
	if err != nil || two != moved["127.0.0.1:2"] {
		t.Errorf("got %s, %v", two, err)
	}
}
