// Package nodetest runs nodes in tests: a node in one line, its log as lines
// that a test can wait for, and the end of everything when the test ends. A
// Probe stands in for a service, a Recorder keeps the order of events, WaitIdle
// waits until nothing happens any more, and CheckLeaks finds goroutines that
// stay behind.
//
// All of it works in a bubble of testing/synctest, where sleeps, timers and
// deadlines take no time, as long as there are no sockets: start the node inside
// the bubble. bootstrap.Run does not, since it takes the signals of the process.
package nodetest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest/leak"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// IsolateEnv is the environment variable that, set to anything, has every node
// of this package run with service.Isolate: a whole suite finds out where its
// services share memory.
const IsolateEnv = "NODETEST_ISOLATE"

// CheckLeaks runs the tests of a package and exits the process, with 1 also
// when they have left a goroutine behind. It is all that TestMain does:
//
//	func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }
func CheckLeaks(m *testing.M) { leak.Check(m) }

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

// Isolate sets whether the node runs with service.Isolate, whatever IsolateEnv
// says: false for a test of what services that share memory see.
func Isolate(on bool) Option {
	return Config(func(cfg *bootstrap.Config) {
		cfg.Node.Isolate = nil
		if on {
			cfg.Node.Isolate = service.Isolate
		}
	})
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
	log := new(Log)
	cfg.Node.Pool = actor.GoPool{}
	if _, ok := cfg.Env["heapfloor"]; !ok {
		cfg.HeapFloor = 0 // tests look at the heap
	}
	cfg.Node.StopTimeout = 0     // the end of a test waits for no handler
	cfg.Node.MonitorInterval = 0 // its clock would keep a bubble from seeing that nothing can go on
	cfg.Node.Logger = log
	if os.Getenv(IsolateEnv) != "" {
		cfg.Node.Isolate = service.Isolate
	}
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

// spins is how often WaitIdle looks before it lets time pass.
const spins = 1000

// WaitIdle waits until no service of the node runs or has messages waiting.
// Timers that have not gone off and functions given to Await do not count.
func (n *Node) WaitIdle() {
	n.t.Helper()
	for range spins {
		if n.Idle() {
			return
		}
		runtime.Gosched()
	}
	// A service computes for long, or blocks its goroutine.
	tick, timeout := time.NewTicker(time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !n.Idle() {
		select {
		case <-tick.C:
		case <-timeout:
			n.t.Fatal("the node does not come to rest")
		}
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
	if err := socket.Wait(ctx, n.Node); err != nil {
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
