package actor

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
)

// inlined launches an inline service.
func inlined(t *testing.T, n *Node, b Behaviour) Handle {
	t.Helper()
	h, err := n.Launch(Spec{Name: "inline", Behaviour: b, Inline: true})
	if err != nil {
		t.Fatal(err)
	}
	s := n.Find(h)
	eventually(t, func() bool { return !s.isBusy() }, "the service is idle")
	return h
}

// counting is a pool that counts what it is given.
type counting struct {
	GoPool
	n *atomic.Int32
}

func (p counting) Submit(f func()) error {
	p.n.Add(1)
	return p.GoPool.Submit(f)
}

// TestInline: a call to an idle inline service, and the answer that it waits for,
// take no goroutine but those of the caller and of who answers.
func TestInline(t *testing.T) {
	var submitted atomic.Int32
	n, _ := newNode(t, func(cfg *Config) { cfg.Pool = counting{n: &submitted} })
	server := launch(t, n, "server", echo)
	between := inlined(t, n, code{receive: func(co *Coroutine, m Message) {
		r, err := response(co)
		if err == nil {
			err = co.CallThen(server, request(m.Data), 0, thenFunc(func(_ *Coroutine, m Message, err error) {
				_, _ = r.Reply(m.Data)
			}))
		}
		if err != nil {
			t.Error(err)
		}
	}})
	inside(t, n, func(co *Coroutine) {
		eventually(t, func() bool { return !n.Find(server).isBusy() }, "the server is idle")
		before := submitted.Load()
		if m, err := co.Call(between, request(7), 0); err != nil || m.Data != 7 {
			t.Errorf("%v, %v", m.Data, err)
		}
		if got := submitted.Load() - before; got != 1 {
			t.Errorf("%d goroutines, want the server's only", got)
		}
	})
}

// TestInlineMayNotBlock: what blocks is an error in a handler, and runs in a fork
// without keeping whoever has sent.
func TestInlineMayNotBlock(t *testing.T) {
	n, _ := newNode(t)
	server := launch(t, n, "server", echo)
	release := new(int)
	h := inlined(t, n, code{receive: func(co *Coroutine, m Message) {
		switch m.Data {
		case "sleep":
			_, _ = co.Reply(co.Sleep(0, nil))
		case "call":
			_, err := co.Call(server, request(1), 0)
			_, _ = co.Reply(err)
		case "wait":
			r, _ := response(co)
			co.Fork(func(co *Coroutine) {
				_ = co.Wait(release)
				_, _ = r.Reply("waited")
			})
		case "go on":
			_, _ = co.Reply(co.Wakeup(release))
		}
	}})
	inside(t, n, func(co *Coroutine) {
		for _, what := range []string{"sleep", "call"} {
			m, err := co.Call(h, request(what), 0)
			if got, _ := m.Data.(error); err != nil || !errors.Is(got, ErrMisuse) {
				t.Errorf("%s: %v, %v", what, m.Data, err)
			}
		}
		var waited any
		_, err := co.Ask(h, request("wait"), 0, func(m Message, err error) { waited = m.Data; co.Wakeup(&waited) })
		if err != nil {
			t.Error(err)
		}
		eventually(t, func() bool { return !n.Find(h).isBusy() }, "the fork waits")
		if m, err := co.Call(h, request("go on"), 0); err != nil || m.Data != true {
			t.Errorf("%v, %v", m.Data, err)
		}
		if err := co.Wait(&waited); err != nil || waited != "waited" {
			t.Errorf("%v, %v", waited, err)
		}
	})
}

// TestInlineEnds: neither a panic nor an exit of the service harms whose goroutine
// it is.
func TestInlineEnds(t *testing.T) {
	n, _ := newNode(t)
	h := inlined(t, n, code{receive: func(co *Coroutine, m Message) {
		if m.Data == "exit" {
			co.Exit()
			return
		}
		panic("inline")
	}})
	done := n.Find(h).Done()
	inside(t, n, func(co *Coroutine) {
		for range 2 {
			if _, err := co.Call(h, request("panic"), 0); !errors.Is(err, ErrCallFailed) {
				t.Error(err)
			}
		}
		if _, err := co.Call(h, request("exit"), 0); err == nil {
			t.Error("an answer of a service that has ended")
		}
	})
	receive(t, done)
}

// TestInlineGoesOn: a service that others keep busy leaves the goroutine that was
// lent to it.
func TestInlineGoesOn(t *testing.T) {
	n, _ := newNode(t)
	var handled, ended atomic.Int32
	h := inlined(t, n, code{receive: func(co *Coroutine, m Message) {
		handled.Add(1)
		if ended.Load() == 0 {
			_ = co.Send(co.Service().Handle(), Message{Type: PTypeText})
		}
	}})
	if err := n.Lend(h, Message{Type: PTypeText}); err != nil {
		t.Fatal(err)
	}
	ended.Store(1) // it would never be but for lentLimit
	eventually(t, func() bool { return !n.Find(h).isBusy() }, "the service is idle")
	if handled.Load() < lentLimit {
		t.Errorf("%d messages", handled.Load())
	}
}

// TestCallThen: the function runs with the answer, at the deadline or at the end of
// the callee.
func TestCallThen(t *testing.T) {
	n, _ := newNode(t)
	for _, inline := range []bool{false, true} {
		silent := launch(t, n, "silent", code{receive: func(co *Coroutine, _ Message) { _ = co.Wait(nil) }})
		server := launch(t, n, "server", echo)
		results := make(chan error, 3)
		caller, err := n.Launch(Spec{Name: "caller", Inline: inline, Behaviour: code{receive: func(co *Coroutine, _ Message) {
			then := thenFunc(func(co *Coroutine, m Message, err error) {
				if err == nil && m.Data != "x" {
					err = errors.New("another answer")
				}
				results <- err
			})
			for _, err := range []error{
				co.CallThen(server, request("x"), 0, then),
				co.CallThen(silent, request("x"), 1, then),
			} {
				if err != nil {
					results <- err
				}
			}
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Send(caller, Message{Type: PTypeText}); err != nil {
			t.Fatal(err)
		}
		got := []error{receive(t, results), receive(t, results)}
		if errors.Is(got[0], ErrTimeout) {
			got[0], got[1] = got[1], got[0]
		}
		if got[0] != nil || !errors.Is(got[1], ErrTimeout) {
			t.Errorf("inline %v: %v", inline, got)
		}
		inside(t, n, func(co *Coroutine) {
			if err := co.CallThen(silent, request("x"), 0, thenFunc(func(_ *Coroutine, _ Message, err error) { results <- err })); err != nil {
				t.Error(err)
			}
		})
		end(t, n, silent)
		if err := receive(t, results); !errors.Is(err, ErrExited) {
			t.Errorf("inline %v: %v", inline, err)
		}
	}
}

// TestPostAll: messages of one receiver arrive in order, from their sender; what
// can not be delivered is counted.
func TestPostAll(t *testing.T) {
	n, _ := newNode(t)
	const most = 3
	var got []any
	held := make(chan struct{})
	h, err := n.Launch(Spec{Name: "bounded", Mailbox: most, Behaviour: code{receive: func(_ *Coroutine, m Message) {
		<-held
		got = append(got, m.Data)
		if m.Source == 0 || m.Session != 0 {
			t.Errorf("%+v", m)
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	collector := launch(t, n, "collector", code{receive: func(_ *Coroutine, m Message) { got = append(got, m.Data) }})
	messages := func() (ms []Message) {
		for i := range 2 * most {
			ms = append(ms, Message{Type: PTypeText, Session: 7, Data: i})
		}
		return ms
	}
	inside(t, n, func(co *Coroutine) {
		co.PostAll(h, messages())
		co.PostAll(0xffff, messages())
		close(held)
	})
	eventually(t, func() bool { return !n.Find(h).isBusy() }, "the service is idle")
	drops := n.Drops()
	if lost := 2*most - len(got); drops.Overload != uint64(lost) || lost < most-1 || drops.NoService != 2*most {
		t.Errorf("%v came, drops: %+v", got, drops)
	}
	got = nil
	inside(t, n, func(co *Coroutine) { co.PostAll(collector, messages()) })
	eventually(t, func() bool { return !n.Find(collector).isBusy() }, "the collector is idle")
	if fmt.Sprint(got) != "[0 1 2 3 4 5]" {
		t.Errorf("got %v", got)
	}
}
