//go:build interop

package main

import (
	"path/filepath"
	"testing"

	"github.com/skynetgo/skynet/examples/game/internal/nodes"
	"github.com/skynetgo/skynet/internal/process"
)

// The node center is a real Skynet: the other nodes can not tell.
func TestInteropCenter(t *testing.T) {
	g := newGame(t)
	config := process.Config(t, "testdata", "center", map[string]string{"cluster": filepath.Join(g.dir, nodes.Config, "nodes.lua")})
	center := process.Skynet(t, config)
	center.Wait("center is open")
	for _, name := range nodes.Names[1:] {
		if err := g.Start(name); err != nil {
			t.Fatal(err)
		}
	}
	robots, stats, _ := g.robots(t, 4, "ruby")
	progress(t, robots)
	g.Kill("room1") // what the Lua node has is what they go on with
	progress(t, robots)
	if sum := stats.Summary(); sum.Lost > 0 || len(sum.Errors) > 0 {
		t.Errorf("%+v", sum)
	}
}
