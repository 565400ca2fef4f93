//go:build unix

package main

import (
	"net"
	"regexp"
	"strconv"
	"testing"

	"github.com/skynetgo/skynet/examples/internal/program"
)

// These tests use the ports in main.go, so no other package may.

func TestRolling(t *testing.T) {
	p := program.Start(t, ".", "../..", nil)
	if stderr := p.Exits(0); stderr != "" {
		t.Errorf("standard error: %s", stderr)
	}
	p.Lines(`127\.0\.0\.1:10021 +3 +\d+`, `127\.0\.0\.1:10022 +2 +\d+`)
	end := regexp.MustCompile(`(?m)^(\d+) calls, 0 failed, (\d+) went to the other node, `).FindStringSubmatch(p.Printed())
	if end == nil {
		t.Fatal("no last line that says that no call failed")
	}
	// Each restart waits for 100 answers from both, and for 100 calls meanwhile.
	calls, _ := strconv.Atoi(end[1])
	moved, _ := strconv.Atoi(end[2])
	if calls < 5*200 || moved == 0 {
		t.Errorf("%d calls, of which %d moved: there was no load", calls, moved)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:10022")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stderr := program.Start(t, ".", "../..", nil).Exits(1)
	if !regexp.MustCompile(`^rolling: .*127\.0\.0\.1:10022.*address already in use\n$`).MatchString(stderr) {
		t.Errorf("standard error is not one clear line:\n%s", stderr)
	}
}
