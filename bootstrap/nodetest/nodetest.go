// Package nodetest runs nodes in tests: a node in one line, its log as lines
// that a test can wait for, and the end of everything when the test ends.
package nodetest

import (
	"context"
	"fmt"
	"strings"
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
	text    strings.Builder
	changes []func(*bootstrap.Config)
	defs    []*service.Definition
}

// Services makes definitions known to the node.
func Services(defs ...*service.Definition) Option {
	return func(s *setup) { s.defs = append(s.defs, defs...) }
}

// Env sets a key of the node's config file.
func Env(key, value string) Option {
	return func(s *setup) { fmt.Fprintf(&s.text, "%s = %s\n", key, quote(value)) }
}

// Config changes what the config file has come to.
func Config(f func(*bootstrap.Config)) Option {
	return func(s *setup) { s.changes = append(s.changes, f) }
}

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
	var s setup
	s.text.WriteString(`start = "nodetest"; logservice = "testlog"` + "\n")
	for _, o := range options {
		o(&s)
	}
	cfg, err := bootstrap.Parse("nodetest", s.text.String())
	if err != nil {
		return nil, err
	}
	log := newLog()
	cfg.Node.Pool = actor.GoPool{}
	cfg.Node.StopTimeout = 0 // the end of a test waits for no handler
	cfg.Node.Logger = log
	for _, change := range s.changes {
		change(cfg)
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

// Run runs f on a coroutine of the node and fails the test when f fails.
func (n *Node) Run(f func(c *service.Context) error) {
	n.t.Helper()
	if err := service.Run(n.t.Context(), n.Node, f); err != nil {
		n.t.Fatal(err)
	}
}

// Stop ends the node before the test does.
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

// quote is text as a string of Lua, in which nothing is special, not even the
// $NAME of config files.
func quote(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, `\%03d`, text[i])
	}
	return `"` + b.String() + `"`
}
