package actor

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest/leak"
)

// patience is how long a test waits for what must happen at last.
const patience = 60 * time.Second

func TestMain(m *testing.M) { leak.Check(m) }

// code is a Behaviour made of functions; nil ones do nothing.
type code struct {
	start   func(*Coroutine)
	receive func(*Coroutine, Message)
	crashed func(m Message, reason any)
}

func (c code) Start(co *Coroutine) {
	if c.start != nil {
		c.start(co)
	}
}

func (c code) Receive(co *Coroutine, m *Message) {
	if c.receive != nil {
		c.receive(co, *m)
	}
}

func (c code) Crashed(_ *Coroutine, m Message, reason any, _ []byte) {
	if c.crashed != nil {
		c.crashed(m, reason)
	}
}

// log keeps what a node logs.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) Log(source Handle, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("[%s] %s", source, text))
}

func (l *log) contains(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(strings.Join(l.lines, "\n"), text)
}

// newNode makes a node that ends with the test.
func newNode(t testing.TB, change ...func(*Config)) (*Node, *log) {
	t.Helper()
	l := &log{}
	cfg := DefaultConfig()
	cfg.Logger, cfg.Pool, cfg.StopTimeout = l, GoPool{}, 0
	for _, f := range change {
		f(&cfg)
	}
	n, err := NewNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, n) })
	return n, l
}

// pooled has the node use the pool of production.
func pooled(cfg *Config) { cfg.Pool = nil }

func shutdown(t testing.TB, n *Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

func launch(t testing.TB, n *Node, name string, b Behaviour) Handle {
	t.Helper()
	h, err := n.Launch(Spec{Name: name, Behaviour: b})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// end kills h and waits until nothing of it is left.
func end(t testing.TB, n *Node, h Handle) {
	t.Helper()
	s := n.Find(h)
	if s == nil {
		t.Fatalf("%s does not live", h)
	}
	if err := n.Kill(0, h); err != nil {
		t.Fatal(err)
	}
	receive(t, s.Done())
}

// inside runs f on a coroutine of a new service and waits for its return, in
// whatever way; f must not call t.Fatal.
func inside(t testing.TB, n *Node, f func(*Coroutine)) Handle {
	t.Helper()
	done := make(chan struct{})
	h := launch(t, n, "inside", code{start: func(co *Coroutine) {
		defer close(done)
		f(co)
	}})
	receive(t, done)
	return h
}

func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	alarm := time.NewTimer(patience)
	defer alarm.Stop()
	select {
	case v := <-c:
		return v
	case <-alarm.C:
		buf := make([]byte, 1<<20)
		t.Fatalf("nothing came\n%s", buf[:runtime.Stack(buf, true)])
		panic("unreachable")
	}
}

// eventually waits until ok is true.
func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// echo answers each request with its payload.
var echo = code{receive: func(co *Coroutine, m Message) { _, _ = co.Reply(m.Data) }}

// request is a lua message with one value.
func request(v any) Message { return Message{Type: PTypeLua, Data: v} }

// trace collects words from the code of one service.
type trace struct{ words []string }

func (r *trace) add(format string, args ...any) {
	r.words = append(r.words, fmt.Sprintf(format, args...))
}

func (r *trace) String() string { return strings.Join(r.words, " ") }

// response takes over the duty to answer the request in hand.
func response(co *Coroutine) (*Response, error) {
	r := new(Response)
	return r, co.Response(r)
}

type thenFunc func(*Coroutine, Message, error)

func (f thenFunc) Answered(co *Coroutine, m Message, err error) { f(co, m, err) }
