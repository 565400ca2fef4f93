package actor

import (
	"errors"
	"testing"
)

// panicking is a Recorder whose every message panics.
type panicking struct{}

func (panicking) Record(Message) { panic("in the recorder") }
func (panicking) Close()         {}

// TestRecorderPanics: neither the request nor the answer that it was shown is
// lost, nor the baton of the service that takes the answer.
func TestRecorderPanics(t *testing.T) {
	n, l := newNode(t)
	h := launch(t, n, "echo", echo)
	user := inside(t, n, func(co *Coroutine) {
		_ = n.Record(h, panicking{})
		_ = n.Record(co.Service().Handle(), panicking{})
		for range 10 {
			if m, err := co.Call(h, request("v"), patience); err != nil || m.Data != "v" {
				t.Errorf("answer %v, %v", m.Data, err)
			}
		}
	})
	for _, who := range []Handle{h, user} {
		if text := "[" + who.String() + "] Record: panic: in the recorder\n"; !l.contains(text) {
			t.Errorf("the log has no %q", text)
		}
	}
}

// TestIsolatePanics: it is an error as one that Isolate returns, to whoever
// waits for the message.
func TestIsolatePanics(t *testing.T) {
	n, l := newNode(t, func(cfg *Config) {
		cfg.Isolate = func(m Message) (Message, error) {
			if m.Data == "bad" {
				panic("in Isolate")
			}
			return m, nil
		}
	})
	h := launch(t, n, "bad", code{receive: func(co *Coroutine, m Message) {
		if m.Data == "later" {
			r, _ := response(co)
			_, _ = r.Reply("bad")
			return
		}
		_, _ = co.Reply("bad")
	}})
	inside(t, n, func(co *Coroutine) {
		for _, how := range []string{"now", "later"} {
			if _, err := co.Call(h, request(how), patience); !errors.Is(err, ErrCallFailed) {
				t.Errorf("%s: the caller got %v", how, err)
			}
		}
		if _, err := co.Call(h, request("bad"), 0); err == nil || co.Service().waiting.len() != 0 {
			t.Errorf("a request that can not be sent: %v, %d sessions left", err, co.Service().waiting.len())
		}
	})
	if !l.contains("[" + h.String() + "] Isolate: panic: in Isolate\n") {
		t.Error("not logged")
	}
}

// TestOnOverloadPanics: the service goes on.
func TestOnOverloadPanics(t *testing.T) {
	n, l := newNode(t, func(cfg *Config) { cfg.OnOverload = func(Handle, int) { panic("in OnOverload") } })
	begun, release := newChan(), newChan()
	h := launch(t, n, "busy", code{
		start:   func(*Coroutine) { close(begun); <-release },
		receive: echo.receive,
	})
	receive(t, begun)
	for range overloadLength + 2 {
		_ = n.Send(h, request(nil))
	}
	close(release)
	inside(t, n, func(co *Coroutine) {
		if _, err := co.Call(h, request(nil), patience); err != nil {
			t.Error(err)
		}
	})
	if !l.contains("OnOverload: panic: in OnOverload\n") {
		t.Error("not logged")
	}
}
