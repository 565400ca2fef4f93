//go:build unix

package main

import (
	"net"
	"regexp"
	"syscall"
	"testing"

	"github.com/skynetgo/skynet/examples/internal/program"
)

// These tests use the ports in clustername.lua, for both programs, so no other
// package may.

func startServer(t *testing.T) *program.Program {
	t.Helper()
	return program.Start(t, "../cluster1", "../..", nil, "examples/cluster1/config")
}

func startClient(t *testing.T) *program.Program {
	t.Helper()
	return program.Start(t, ".", "../..", nil, "examples/cluster2/config")
}

func TestServerAndClient(t *testing.T) {
	server := startServer(t)
	server.Until("LAUNCH snlua cluster1")
	server.Until("[:00000002] KILL self") // it listens
	client := startClient(t)
	client.Until("false cluster.Call db")
	client.Until("hello")
	client.Signal(syscall.SIGTERM)
	server.Until("ping db2:longstring")
	server.Signal(syscall.SIGTERM)
	for _, p := range []*program.Program{client, server} {
		if stderr := p.Exits(0); stderr != "" {
			t.Errorf("standard error: %s", stderr)
		}
	}
	server.Lines("nil", "foobar", "foobar2", "ping server start:",
		`\[:[0-9a-f]{8}\] :[0-9a-f]{8} ping proxy`,
		`\[:[0-9a-f]{8}\] :[0-9a-f]{8} ping db2:longstringRRRRRR\.\.\.\(102414\)`)
	client.Lines("foobar", "foobar2", "false .*node is down.*", "hello")
}

func TestClientWithoutServer(t *testing.T) {
	stderr := startClient(t).Exits(1)
	if !regexp.MustCompile(`^examples/cluster2/config:\d+: start: .*db.*connection refused\n$`).MatchString(stderr) {
		t.Errorf("standard error is not one clear line:\n%s", stderr)
	}
}

func TestServerWhosePortIsInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:2529")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stderr := startServer(t).Exits(1)
	if !regexp.MustCompile(`^examples/cluster1/config:\d+: start: .*127\.0\.0\.1:2529.*address already in use\n$`).MatchString(stderr) {
		t.Errorf("standard error is not one clear line:\n%s", stderr)
	}
}
