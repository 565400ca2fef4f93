package actor

import (
	"errors"
	"runtime"
	"testing"
	"time"
)

func TestReplyRules(t *testing.T) {
	n, _ := newNode(t)
	checked := newChan()
	h := launch(t, n, "replies", code{
		start: func(co *Coroutine) {
			if _, err := co.Reply(nil); !errors.Is(err, ErrMisuse) { // B047
				t.Errorf("a reply outside of a handler: %v", err)
			}
			if _, err := response(co); !errors.Is(err, ErrMisuse) {
				t.Errorf("a response outside of a handler: %v", err)
			}
		},
		receive: func(co *Coroutine, m Message) {
			ok, err := co.Reply(m.Data)
			if err != nil || ok != (m.Session != 0) { // B048
				t.Errorf("reply to session %d: %v, %v", m.Session, ok, err)
			}
			if m.Session == 0 {
				if r, err := response(co); err != nil {
					t.Error(err)
				} else if ok, err := r.Reply(nil); ok || err != nil || r.Pending() {
					t.Errorf("response to a send: %v, %v", ok, err)
				}
				close(checked)
				return
			}
			if _, err := co.Reply("second"); !errors.Is(err, ErrMisuse) { // B046
				t.Errorf("a second reply: %v", err)
			}
			co.Fail(ErrBreak) // too late for anybody
		},
	})
	inside(t, n, func(co *Coroutine) {
		m, err := co.Call(h, request("v"), 0)
		if err != nil || m.Data != "v" || m.Source != h {
			t.Errorf("answer %+v, %v", m, err)
		}
		_ = co.Send(h, request("v"))
	})
	receive(t, checked)

	// Nobody answers: the caller is told, unless the session was no request.
	silent := launch(t, n, "silent", code{receive: func(co *Coroutine, m Message) {
		if m.Data == "ignore" {
			co.IgnoreRet()
		}
	}})
	inside(t, n, func(co *Coroutine) {
		if _, err := co.Call(silent, request(nil), 0); !errors.Is(err, ErrCallFailed) {
			t.Errorf("no answer: %v", err)
		}
		if _, err := co.Call(silent, request("ignore"), time.Millisecond); !errors.Is(err, ErrTimeout) {
			t.Errorf("ignoreret: %v", err)
		}
		if _, err := co.Call(silent, Message{Type: PTypeClient}, time.Millisecond); !errors.Is(err, ErrTimeout) {
			t.Errorf("a client message is no request: %v", err)
		}
		if _, err := co.Call(0xfff0, request(nil), 0); !errors.Is(err, ErrNoService) { // B042
			t.Errorf("nobody there: %v", err)
		}
	})
}

// TestRefusedAnswer: an answer that Isolate refuses is an error for both sides.
func TestRefusedAnswer(t *testing.T) {
	refused := errors.New("refused")
	n, _ := newNode(t, func(cfg *Config) {
		cfg.Isolate = func(m Message) (Message, error) {
			if m.Data == "bad" {
				return m, refused
			}
			return m, nil
		}
	})
	h := launch(t, n, "refused", code{receive: func(co *Coroutine, m Message) {
		if m.Data == "later" {
			r, _ := response(co)
			if _, err := r.Reply("bad"); !errors.Is(err, refused) {
				t.Errorf("Response.Reply: %v", err)
			}
			return
		}
		if _, err := co.Reply("bad"); !errors.Is(err, refused) {
			t.Errorf("Reply: %v", err)
		}
	}})
	inside(t, n, func(co *Coroutine) {
		for _, how := range []string{"now", "later"} {
			if _, err := co.Call(h, request(how), 0); !errors.Is(err, refused) || !errors.Is(err, ErrCallFailed) {
				t.Errorf("%s: the caller got %v", how, err)
			}
		}
		if _, err := co.Call(h, request("bad"), 0); !errors.Is(err, refused) {
			t.Errorf("a refused request: %v", err)
		}
		if co.Service().waiting.len() != 0 {
			t.Error("a refused request left its session")
		}
	})
}

func TestAwait(t *testing.T) {
	n, _ := newNode(t)
	release := newChan()
	h := launch(t, n, "other", echo)
	inside(t, n, func(co *Coroutine) {
		v := 0
		co.Fork(func(co *Coroutine) { // runs meanwhile
			if _, err := co.Call(h, request(nil), 0); err != nil {
				t.Error(err)
			}
			close(release)
		})
		if err := co.Await(func() {
			<-release
			v = 7
		}); err != nil || v != 7 {
			t.Errorf("Await: %v, %d", err, v)
		}
		if err := co.Await(runtime.Goexit); err != nil {
			t.Errorf("a function that ended its goroutine: %v", err)
		}
	})
}
