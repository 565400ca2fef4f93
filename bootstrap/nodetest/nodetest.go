// Package nodetest runs nodes in tests: a node in one line, its log as lines
// that a test can wait for, and the end of everything when the test ends.
package nodetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/service"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// Node is a running node of a test.
type Node struct {
	*actor.Node
	Log *Log
	t   testing.TB
}

// Option changes how a node starts.
type Option func(*setup)

type setup struct {
	cfg  *bootstrap.Config
	defs []*service.Definition
}

// Services makes definitions known to the node.
func Services(defs ...*service.Definition) Option {
	return func(s *setup) { s.defs = append(s.defs, defs...) }
}

// Config changes the configuration.
func Config(f func(*bootstrap.Config)) Option { return func(s *setup) { f(s.cfg) } }

// Env sets a key of the node's environment.
func Env(key, value string) Option { return func(s *setup) { s.cfg.Env[key] = value } }

// Start starts a node with the built-in services, which ends with the test. Its
// start service does nothing; the test acts through Run.
func Start(t testing.TB, options ...Option) *Node {
	t.Helper()
	n, err := TryStart(t, options...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TryStart is Start for a start that may fail.
func TryStart(t testing.TB, options ...Option) (*Node, error) {
	t.Helper()
	cfg, err := bootstrap.Parse("nodetest", `start = "nodetest"; logservice = "testlog"`)
	if err != nil {
		t.Fatal(err)
	}
	log := newLog()
	cfg.Node.Pool = actor.GoPool{}
	cfg.Node.Logger = log
	s := &setup{cfg: cfg}
	for _, o := range options {
		o(s)
	}
	idle := service.Def("nodetest", func(*service.Context, ...any) error { return nil })
	node, err := bootstrap.Start(t.Context(), cfg, append(s.defs, idle, log.definition())...)
	if err != nil {
		return nil, err
	}
	n := &Node{Node: node, Log: log, t: t}
	t.Cleanup(n.Stop)
	return n, nil
}

// Stop ends the node, as the end of the test does.
func (n *Node) Stop() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Shutdown(ctx); err != nil {
		n.t.Error(err)
	}
	if n.t.Failed() {
		n.t.Logf("log of node %s:\n%s", n.ID(), strings.Join(n.Log.Lines(), "\n"))
	}
}

// Run runs f on a coroutine of the node and fails the test when f fails.
func (n *Node) Run(f func(c *service.Context) error) {
	n.t.Helper()
	if err := service.Run(n.t.Context(), n.Node, f); err != nil {
		n.t.Fatal(err)
	}
}

// Log is the log of a node, line by line as Skynet prints it.
type Log struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{}
}

func newLog() *Log { return &Log{changed: make(chan struct{})} }

// Log adds a line.
func (l *Log) Log(source actor.Handle, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("[%s] %s", source, text))
	close(l.changed)
	l.changed = make(chan struct{})
}

// Lines returns a copy of all lines.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// Wait waits for a line that contains text, and returns it.
func (l *Log) Wait(t testing.TB, text string) string {
	t.Helper()
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		changed := l.changed
		for _, line := range l.lines {
			if strings.Contains(line, text) {
				l.mu.Unlock()
				return line
			}
		}
		l.mu.Unlock()
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("no log line with %q in:\n%s", text, strings.Join(l.Lines(), "\n"))
		}
	}
}

// definition is a logger service that keeps the lines.
func (l *Log) definition() *service.Definition {
	return service.Def("testlog", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeText, func(_ *service.Context, m service.Message) {
			l.Log(m.Source, fmt.Sprint(m.Data))
		})
		return c.Register(".logger")
	}, service.Quiet)
}
