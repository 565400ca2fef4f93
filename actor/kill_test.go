package actor

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// TestKill in every state that a service can be in. The line of B063 stands in
// the log each time, the callers get ErrExited, nothing goes on.
func TestKill(t *testing.T) {
	silent := func(n *Node) Handle {
		return launch(t, n, "silent", code{receive: func(co *Coroutine, _ Message) { _ = co.Wait(nil) }})
	}
	type state struct {
		n       *Node
		reached chan struct{} // closed by the code when it is there
		gate    chan struct{} // holds code that runs; closed after the kill
	}
	wentOn := func(*Coroutine) { t.Error("a killed coroutine went on") }
	for name, victim := range map[string]func(*state) code{
		"idle": func(s *state) code {
			return code{start: func(*Coroutine) { close(s.reached) }}
		},
		"running": func(s *state) code {
			return code{start: func(co *Coroutine) {
				close(s.reached)
				<-s.gate
				_ = co.Sleep(0, nil)
				wentOn(co)
			}}
		},
		"running to its end": func(s *state) code {
			return code{start: func(*Coroutine) {
				close(s.reached)
				<-s.gate
			}}
		},
		"calling": func(s *state) code {
			peer := silent(s.n)
			return code{start: func(co *Coroutine) {
				co.Fork(func(*Coroutine) { close(s.reached) })
				_, _ = co.Call(peer, request(nil), time.Hour)
				wentOn(co)
			}}
		},
		"sleeping in a handler and a fork": func(s *state) code {
			return code{start: func(co *Coroutine) {
				for range 3 {
					co.Fork(func(co *Coroutine) {
						_ = co.Sleep(time.Hour, nil)
						wentOn(co)
					})
				}
				co.Fork(func(*Coroutine) { close(s.reached) })
				_ = co.Wait("token")
				wentOn(co)
			}}
		},
		"awaiting": func(s *state) code {
			return code{start: func(co *Coroutine) {
				_ = co.Await(func() {
					close(s.reached)
					<-s.gate
				})
				wentOn(co)
			}}
		},
		"unwinding by Goexit": func(s *state) code {
			return code{start: func(co *Coroutine) {
				defer func() {
					close(s.reached)
					_ = co.Wait(nil) // a second Goexit, inside of the first
					wentOn(co)
				}()
				runtime.Goexit()
			}}
		},
		"unwinding by panic": func(s *state) code {
			return code{
				start: func(co *Coroutine) {
					defer func() {
						close(s.reached)
						_ = co.Wait(nil)
						wentOn(co)
					}()
					panic("lost with the service")
				},
			}
		},
		"with errors ignored": func(s *state) code {
			return code{start: func(co *Coroutine) {
				close(s.reached)
				for {
					_, _ = co.Call(0xfff0, request(nil), 0)
					runtime.Gosched()
				}
			}}
		},
		"with recover in a defer": func(s *state) code {
			return code{start: func(co *Coroutine) {
				func() {
					defer func() { _ = recover() }()
					close(s.reached)
					<-s.gate
					_ = co.Sleep(0, nil)
				}()
				wentOn(co)
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, l := newNode(t)
			s := &state{n: n, reached: newChan(), gate: newChan()}
			b := victim(s)
			if b.receive == nil {
				b.receive = func(co *Coroutine, _ Message) { _ = co.Wait(nil) }
			}
			h := launch(t, n, "victim", b)
			svc := n.Find(h)
			receive(t, s.reached)
			caller := callFrom(t, n, h)
			if err := n.Kill(0xa, h); err != nil {
				t.Fatal(err)
			}
			close(s.gate)
			receive(t, svc.Done())
			if err := receive(t, caller); !errors.Is(err, ErrExited) && !errors.Is(err, ErrNoService) {
				t.Errorf("the caller got %v", err)
			}
			if !l.contains(fmt.Sprintf("[:0000000a] KILL :%x", uint32(h))) {
				t.Errorf("no line of the kill: %q", l.lines)
			}
			if err := n.Kill(0xa, h); !errors.Is(err, ErrNoService) {
				t.Errorf("killed twice: %v", err)
			}
			if n.Find(h) != nil {
				t.Error("it is still found")
			}
			receive(t, svc.Done())
		})
	}
}

func newChan() chan struct{} { return make(chan struct{}) }

func TestKillOfNobodyIsLogged(t *testing.T) { // B063
	n, l := newNode(t)
	if err := n.Kill(0xa, 0x1f); !errors.Is(err, ErrNoService) {
		t.Errorf("%v", err)
	}
	if !l.contains("[:0000000a] KILL :1f") {
		t.Errorf("the log: %q", l.lines)
	}
}

// TestKillOfTheBusy: while its handler runs on, nobody can tell a killed service
// from one that has ended, but for what its holder had taken over before.
func TestKillOfTheBusy(t *testing.T) {
	n, _ := newNode(t)
	busy, gate := newChan(), newChan()
	h := launch(t, n, "busy", code{start: func(co *Coroutine) {
		close(busy)
		<-gate
	}, receive: echo.receive})
	other := launch(t, n, "other", code{})
	svc := n.Find(h)
	receive(t, busy)
	if err := n.SetName(".name", h); err != nil {
		t.Error(err)
	}
	waiting := callFrom(t, n, h)
	eventually(t, func() bool { return svc.Stat().Mailbox == 1 }, "its call is in the mailbox")
	if err := n.Kill(0, h); err != nil {
		t.Error(err)
	}
	if err := receive(t, waiting); !errors.Is(err, ErrExited) {
		t.Errorf("the one in the mailbox: %v", err)
	}
	if err := n.Send(h, request(nil)); !errors.Is(err, ErrNoService) {
		t.Errorf("a send: %v", err)
	}
	if err := n.SetName(".name", other); err != nil {
		t.Errorf("its name: %v", err)
	}
	if got := n.Drops(); got.Exited != 1 || got.NoService != 1 {
		t.Errorf("counted %+v", got)
	}
	select {
	case <-svc.Done():
		t.Error("it is done while its handler runs")
	default:
	}
	close(gate)
	receive(t, svc.Done())
	if owner, _ := n.Query(".name"); owner != other {
		t.Errorf("the end took the name away: %s", owner)
	}
}
