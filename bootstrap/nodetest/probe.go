package nodetest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// Probe is a service that stands in for another: it takes every command, keeps
// it for the test to look at, and answers as it was told, with nothing by
// default. Its methods are safe from any goroutine.
type Probe struct {
	name     string
	handle   atomic.Uint32
	answers  sync.Map // command -> Answer
	requests feed[Request]
}

// Answer is what a probe answers a command with. It runs on a coroutine of the
// probe and may block.
type Answer func(c *service.Context, args lualike.Args) (lualike.Args, error)

// Request is what a probe was sent.
type Request struct {
	Source  service.Handle
	Session service.Session // 0 for a send, which wants no answer
	Command string
	Args    lualike.Args // without the command
}

// String is the request for people to read.
func (r Request) String() string { return requestText(r.Command, r.Args) }

// NewProbe makes a probe that does not run yet. Give its Definition to a node,
// so that code which launches the service called name gets the probe.
func NewProbe(name string) *Probe { return &Probe{name: name} }

// Probe starts a probe on the node as a service called name.
func (n *Node) Probe(name string) *Probe {
	n.t.Helper()
	p := NewProbe(name)
	service.Install(n.Node, p.Definition())
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if _, err := service.Start(ctx, n.Node, name); err != nil {
		n.t.Fatal(err)
	}
	return p
}

// Definition returns what launches the probe.
func (p *Probe) Definition() *service.Definition {
	return service.Def(p.name, func(c *service.Context, _ ...any) error {
		c.HandleUnknown(p.request)
		p.handle.Store(uint32(c.Self()))
		return nil
	})
}

// Handle returns the address of the probe, 0 before it was launched.
func (p *Probe) Handle() service.Handle { return service.Handle(p.handle.Load()) }

// Answer sets what command is answered with, from now on.
func (p *Probe) Answer(command string, f Answer) { p.answers.Store(command, f) }

// Return has command answered with vals, from now on.
func (p *Probe) Return(command string, vals ...any) {
	p.Answer(command, func(*service.Context, lualike.Args) (lualike.Args, error) { return vals, nil })
}

// Requests returns a copy of all that the probe was sent.
func (p *Probe) Requests() []Request { return p.requests.all() }

// Expect waits for the next request that no earlier Expect has seen, fails the
// test unless it is this command with these arguments, and returns it. Values
// are compared in their Lua shape: 1 is the same as int64(1), a struct as its
// table.
func (p *Probe) Expect(t testing.TB, command string, args ...any) Request {
	t.Helper()
	got, ok := p.requests.take(t, 1, 1)
	switch {
	case !ok:
		t.Fatalf("probe %s: nothing came, want %s", p.name, requestText(command, args))
	case got[0].Command != command || !equal(shapes(got[0].Args), shapes(args)):
		t.Fatalf("probe %s: got %s, want %s", p.name, got[0], requestText(command, args))
	}
	return got[0]
}

// ExpectNothing fails the test when there is a request that no Expect has seen.
// Where one could still come, wait with Node.WaitIdle first.
func (p *Probe) ExpectNothing(t testing.TB) {
	t.Helper()
	if got, _ := p.requests.take(t, 0, -1); len(got) > 0 {
		t.Fatalf("probe %s: got %v, want nothing", p.name, got)
	}
}

func (p *Probe) request(c *service.Context, command string, args lualike.Args) (lualike.Args, error) {
	m := c.Message()
	p.requests.add(Request{m.Source, m.Session, command, args})
	if f, ok := p.answers.Load(command); ok {
		return f.(Answer)(c, args)
	}
	return nil, nil
}

// requestText is a request as a person reads it.
func requestText(command string, args []any) string {
	return fmt.Sprint(command, " ", shapes(args))
}

// shapes returns args in their Lua shape, as one table; what has no such shape
// stays as it is.
func shapes(args []any) *lualike.Table {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
		if n, err := lualike.Normalize(a); err == nil {
			out[i] = n
		}
	}
	return lualike.Array(out...)
}

// equal compares values in their Lua shape.
func equal(a, b any) bool {
	x, ok := a.(*lualike.Table)
	y, both := b.(*lualike.Table)
	if !ok || !both {
		return reflect.DeepEqual(a, b)
	}
	n := 0
	for k, v := range x.All() {
		if n++; !equal(v, y.Get(k)) {
			return false
		}
	}
	for range y.All() {
		n--
	}
	return n == 0
}
