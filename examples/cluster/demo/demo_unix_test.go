//go:build unix

package main

import (
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/skynetgo/skynet/examples/internal/program"
)

// These tests use the ports in nodes.lua, so no other package may.

func start(t *testing.T, env ...string) *program.Program {
	t.Helper()
	return program.Start(t, ".", "../../..", env)
}

func TestDemo(t *testing.T) {
	p := start(t)
	if stderr := p.Exits(0); stderr != "" {
		t.Errorf("standard error: %s", stderr)
	}
	p.Lines(
		`login1 \| \[:[0-9a-f]{8}\] call center @center ENTER alice login1 -> 1 online`,
		`login2 \| \[:[0-9a-f]{8}\] call center @center ENTER bob login2 -> 2 online`,
		`center \| \[:[0-9a-f]{8}\] call login1 @login KICK alice -> true`,
		`center \| \[:[0-9a-f]{8}\] call login2 @login KICK bob -> true`,
		`center +2 +2 +2 +2`,
		`login1 +1 +1 +1 +1`,
		`login2 +1 +1 +1 +1`,
		`total +4 +4 +4 +4`,
		`4 TCP connections, 4 clustersenders, 4 clusteragents`,
	)
	_, end, _ := strings.Cut(p.Printed(), "\nstopping\n")
	if !regexp.MustCompile(`(?s)^(.*\n)?login2 stopped\n(.*\n)?login1 stopped\n(.*\n)?center stopped\n$`).MatchString(end) {
		t.Errorf("not stopped in the reverse order:\n%s", end)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:10011")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := start(t)
	stderr := p.Exits(1)
	if !regexp.MustCompile(`^examples/cluster/common\.conf:\d+: start: .*127\.0\.0\.1:10011.*address already in use
demo: login1 stopped; the line above says why
$`).MatchString(stderr) {
		t.Errorf("standard error is not two clear lines:\n%s", stderr)
	}
	p.Lines("center stopped")
}

func TestKeep(t *testing.T) {
	p := start(t, "KEEP=1")
	p.Until("KEEP is set")
	for _, addr := range []string{"127.0.0.1:10000", "127.0.0.1:10011", "127.0.0.1:10012"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("a node does not run: %v", err)
		}
		_ = c.Close()
	}
	p.Signal(syscall.SIGINT)
	p.Exits(0)
	p.Lines("login2 stopped", "login1 stopped", "center stopped")
}
