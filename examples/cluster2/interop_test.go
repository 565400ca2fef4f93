//go:build interop

// Real Skynet on one side and these programs on the other; make interop runs
// this. The ports are those of clustername.lua.
package main

import (
	"testing"

	"github.com/skynetgo/skynet/internal/process"
)

func TestInteropGoServesSkynet(t *testing.T) {
	server := startServer(t)
	server.Until("Listen on 127.0.0.1:2529")
	client := process.Skynet(t, "examples/config.c2")
	server.Until(" ping proxy") // after the large SET and GET through the proxy
	client.Wait(`^foobar$`)
	client.Wait(`^foobar2$`)
	server.Until(" ping db2:longstring")
	server.Lines(`\[:[0-9a-f]{8}\] :[0-9a-f]{8} ping db2:longstringR+\.\.\.\(102414\)`)
	client.Wait(`^false\t.*call failed$`)
	client.Wait(`^hello$`)   // the answer of the snax service
	client.Wait(`KILL self`) // bootstrap leaves: the program has come to its end
}

func TestInteropSkynetServesGo(t *testing.T) {
	server := process.Skynet(t, "examples/config.c1")
	server.Wait(`KILL self`) // bootstrap leaves when everything is open
	client := startClient(t)
	server.Wait(` :[0-9a-f]{8} ping proxy$`)
	server.Wait(` :[0-9a-f]{8} ping db2:longstringR+\.\.\.\(102414\)$`)
	client.Until("false cluster.Call db")
	client.Until("hello")
	client.Lines("foobar", "foobar2", "false .*node is down.*")
}
