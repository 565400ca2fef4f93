package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/examples/game/internal/nodes"
	"github.com/skynetgo/skynet/examples/game/internal/robot"
)

const patience = 30 * time.Second

// built is the nodes' program, the same for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "game")
	if err != nil {
		return "", err
	}
	atEnd = func() { _ = os.RemoveAll(dir) }
	program := filepath.Join(dir, "game")
	return program, nodes.Build("../..", program)
})

var atEnd = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	atEnd()
	os.Exit(code)
}

// game is all nodes, at free ports.
type game struct {
	*nodes.Nodes
	dir    string
	logins []string
	pages  []string
}

func startGame(t *testing.T) *game {
	t.Helper()
	g := newGame(t)
	if err := g.StartAll(); err != nil {
		t.Fatal(err)
	}
	return g
}

// newGame starts no node.
func newGame(t *testing.T) *game {
	t.Helper()
	dir := t.TempDir()
	moved, err := nodes.Copy("../..", dir)
	if err != nil {
		t.Fatal(err)
	}
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	g := &game{Nodes: nodes.New(program, dir), dir: dir}
	t.Cleanup(func() {
		if err := g.StopAll(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, name := range nodes.Names {
				text, _ := os.ReadFile(g.Log(name))
				t.Logf("%s:\n%.5000s", name, text)
			}
		}
	})
	for _, n := range []string{"1", "2"} {
		g.logins = append(g.logins, moved["127.0.0.1:912"+n])
		g.pages = append(g.pages, "http://"+moved["127.0.0.1:911"+n])
	}
	return g
}

// robots lets n robots play in one kind of room until the test ends or stop is
// called.
func (g *game) robots(t *testing.T, n int, kind string) (robots []*robot.Robot, stats *robot.Stats, stop func()) {
	stats = &robot.Stats{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, n)
	for i := range n {
		r := &robot.Robot{Name: fmt.Sprint("robot", i), Kind: kind, Pace: 100 * time.Millisecond, Stats: stats}
		robots = append(robots, r)
		go func() {
			r.Play(ctx, g.logins...)
			done <- struct{}{}
		}()
	}
	stopped := false
	stop = func() {
		cancel()
		for i := 0; i < n && !stopped; i++ {
			<-done
		}
		stopped = true
	}
	t.Cleanup(stop)
	return robots, stats, stop
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick, end := time.NewTicker(20*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}
