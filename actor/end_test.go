package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// outcome of a call made by a service of its own.
func callFrom(t *testing.T, n *Node, to Handle) <-chan error {
	t.Helper()
	c := make(chan error, 1)
	launch(t, n, "caller", code{start: func(co *Coroutine) {
		_, err := co.Call(to, request("q"), 0)
		c <- err
	}})
	return c
}

func TestPanicAnswersAndTheServiceGoesOn(t *testing.T) {
	n, _ := newNode(t)
	crashes := make(chan string, 4)
	h := launch(t, n, "panics", code{
		start: func(co *Coroutine) {
			co.Fork(func(*Coroutine) { panic("in a fork") })
			co.Fork(func(co *Coroutine) { co.Fork(func(*Coroutine) { panic(nil) }) })
		},
		receive: func(co *Coroutine, m Message) {
			if m.Data == "q" {
				panic("in a handler")
			}
			_, _ = co.Reply(m.Data)
		},
		crashed: func(m Message, reason any) { crashes <- fmt.Sprintf("%d %v", m.Session, reason) },
	})
	if got := receive(t, crashes); got != "0 in a fork" {
		t.Errorf("crashed: %s", got)
	}
	receive(t, crashes)
	if err := receive(t, callFrom(t, n, h)); !errors.Is(err, ErrCallFailed) {
		t.Errorf("the caller got %v", err)
	}
	if got := receive(t, crashes); got != "2 in a handler" {
		t.Errorf("crashed: %s", got)
	}
	inside(t, n, func(co *Coroutine) {
		if m, err := co.Call(h, request("still"), 0); err != nil || m.Data != "still" {
			t.Errorf("after the panics: %v, %v", m.Data, err)
		}
	})
}

// TestPanicInStart: a start that panics leaves the service alive, for the layer
// above to judge.
func TestPanicInStart(t *testing.T) {
	n, _ := newNode(t)
	crashed := make(chan any, 1)
	launch(t, n, "panics", code{
		start:   func(*Coroutine) { panic("at once") },
		crashed: func(_ Message, reason any) { crashed <- reason },
	})
	if got := receive(t, crashed); got != "at once" {
		t.Errorf("crashed: %v", got)
	}
}

// TestGoexitOfUserCode: what t.FailNow does in a handler ends that coroutine
// only, whose caller is told.
func TestGoexitOfUserCode(t *testing.T) {
	for name, cfg := range map[string]func(*Config){"go": func(*Config) {}, "ants": pooled} {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t, cfg)
			peer := launch(t, n, "echo", echo)
			deferred := make(chan error, 1)
			h := launch(t, n, "exits", code{
				start: func(co *Coroutine) {
					co.Fork(func(*Coroutine) { runtime.Goexit() })
				},
				receive: func(co *Coroutine, m Message) {
					if m.Data != "q" {
						_, _ = co.Reply(m.Data)
						return
					}
					defer func() { // may still block
						_, err := co.Call(peer, request(nil), 0)
						deferred <- err
					}()
					runtime.Goexit()
				},
			})
			for range 3 {
				if err := receive(t, callFrom(t, n, h)); !errors.Is(err, ErrCallFailed) {
					t.Errorf("the caller got %v", err)
				}
				if err := receive(t, deferred); err != nil {
					t.Errorf("a call in the defer: %v", err)
				}
			}
			inside(t, n, func(co *Coroutine) {
				if m, err := co.Call(h, request("still"), 0); err != nil || m.Data != "still" {
					t.Errorf("after Goexit: %v, %v", m.Data, err)
				}
			})
		})
	}
}

func TestExit(t *testing.T) { // B060, B061
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		ran := func(*Coroutine) { t.Error("a fork or timer ran after the exit") }
		var held *Response
		h := launch(t, n, "exits", code{receive: func(co *Coroutine, m Message) {
			switch m.Data {
			case "sleep":
				_ = co.Sleep(time.Hour, nil)
				t.Error("went on after the exit")
			case "hold":
				held, _ = response(co)
			case "answer, exit":
				_, _ = co.Reply("answer")
				fallthrough
			case "exit":
				co.Fork(ran)
				co.Timeout(time.Second, ran)
				co.Timeout(0, ran)
				co.Exit()
				t.Error("Exit came back")
			}
		}})
		call := func(what string) <-chan error {
			c := make(chan error, 1)
			launch(t, n, "caller", code{start: func(co *Coroutine) {
				_, err := co.Call(h, request(what), 0)
				c <- err
			}})
			synctest.Wait()
			return c
		}
		sleeping, holding := call("sleep"), call("hold")
		exiting := call("exit")
		for name, c := range map[string]<-chan error{"sleeping": sleeping, "response held": holding, "the exit itself": exiting} {
			if err := receive(t, c); !errors.Is(err, ErrExited) {
				t.Errorf("%s: the caller got %v", name, err)
			}
		}
		if held.Pending() {
			t.Error("a response of a dead service is pending")
		}
		if err := n.Send(h, request(nil)); !errors.Is(err, ErrNoService) {
			t.Errorf("send to the dead: %v", err)
		}
		if len(n.timers.heap) != 0 {
			t.Errorf("%d timers of a dead service", len(n.timers.heap))
		}

		h = launch(t, n, "exits", code{receive: func(co *Coroutine, _ Message) {
			_, _ = co.Reply("answer")
			co.Exit()
		}})
		if err := receive(t, call("answer, exit")); err != nil {
			t.Errorf("answered first, then exited: %v", err)
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // a synctest bubble: timers of the dead would fire
	})
}

// TestMailboxOfTheDead: what it holds is counted, requests get an error (B062).
func TestMailboxOfTheDead(t *testing.T) {
	n, _ := newNode(t)
	entered, gate := make(chan struct{}), make(chan struct{})
	h := launch(t, n, "dies", code{receive: func(co *Coroutine, m Message) {
		close(entered)
		<-gate
		co.Exit()
	}})
	first := callFrom(t, n, h)
	receive(t, entered)
	s := n.Find(h)
	var queued []<-chan error
	for range 5 {
		queued = append(queued, callFrom(t, n, h))
	}
	for range 3 {
		if err := n.Send(h, request("send")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.in) == 8 }, "8 messages wait")
	close(gate)
	for _, c := range append(queued, first) {
		if err := receive(t, c); !errors.Is(err, ErrExited) {
			t.Errorf("a caller got %v", err)
		}
	}
	receive(t, s.Done())
	if got := n.Drops().Exited; got != 8 {
		t.Errorf("%d messages counted, want 8", got)
	}
}

// TestDefersOfTheDead run one at a time; in them Send works, what blocks gives
// ErrExited at once, and contexts have ended.
func TestDefersOfTheDead(t *testing.T) {
	for _, kill := range []bool{true, false} {
		t.Run(fmt.Sprintf("kill=%v", kill), func(t *testing.T) {
			n, _ := newNode(t)
			const coroutines = 20
			sent := make(chan Message, coroutines)
			to := launch(t, n, "to", code{receive: func(_ *Coroutine, m Message) { sent <- m }})
			inDefer, ended := 0, 0 // the race detector watches: the baton guards them
			ready := newChan()
			h := launch(t, n, "dies", code{
				start: func(co *Coroutine) {
					for i := range coroutines {
						co.Fork(func(co *Coroutine) {
							ctx := co.Context(context.Background())
							defer func() {
								inDefer++
								if inDefer != 1 {
									t.Error("two defers at once")
								}
								if ctx.Err() == nil {
									t.Error("the context of an ended coroutine goes on")
								}
								_, errCall := co.Call(to, request(nil), 0)
								errSleep, errWait := co.Sleep(0, nil), co.Wait("token")
								errAwait := co.Await(func() { t.Error("Await ran its function") })
								for _, err := range []error{errCall, errSleep, errWait, errAwait} {
									if !errors.Is(err, ErrExited) {
										t.Errorf("a blocking call gave %v", err)
									}
								}
								co.Fork(func(*Coroutine) { t.Error("a fork ran") })
								if co.Timeout(0, func(*Coroutine) { t.Error("a timer ran") }).Cancel() {
									t.Error("there was a timer")
								}
								runtime.Gosched()
								inDefer--
								ended++
								if err := co.Send(to, request(i)); err != nil {
									t.Error(err)
								}
								_ = recover()
								panic("in a defer") // ends nothing but this defer
							}()
							_ = co.Wait(i)
						})
					}
					co.Fork(func(*Coroutine) { close(ready) })
				},
				receive: func(co *Coroutine, _ Message) { co.Exit() },
			})
			receive(t, ready)
			s := n.Find(h)
			if kill {
				_ = n.Kill(0, h)
			} else {
				_ = n.Send(h, request(nil))
			}
			receive(t, s.Done())
			if ended != coroutines {
				t.Errorf("%d defers ran, want %d", ended, coroutines)
			}
			for range coroutines {
				if m := receive(t, sent); m.Source != h {
					t.Errorf("a message from %s", m.Source)
				}
			}
		})
	}
}

// TestExitTellsPeers: who owes an answer to a service that exits, and who waits
// for it, learns of that; a kill tells nobody (B050).
func TestExitTellsPeers(t *testing.T) {
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("kill=%v", kill), func(t *testing.T) {
			n, _ := newNode(t)
			var r *Response
			held := newChan()
			pending, answered := make(chan bool, 1), make(chan bool, 1)
			h := launch(t, n, "owes", code{receive: func(co *Coroutine, m Message) {
				if m.Data == "q" {
					r, _ = response(co)
					close(held)
					return
				}
				pending <- r.Pending()
				ok, err := r.Reply("late")
				if err != nil {
					t.Error(err)
				}
				answered <- ok
				if r.Pending() {
					t.Error("pending after the answer")
				}
				if _, err := r.Reply("again"); !errors.Is(err, ErrMisuse) {
					t.Errorf("answered twice: %v", err)
				}
			}})
			caller := launch(t, n, "caller", code{
				start:   func(co *Coroutine) { _, _ = co.Call(h, request("q"), 0) },
				receive: func(co *Coroutine, _ Message) { co.Exit() },
			})
			receive(t, held)
			s := n.Find(caller)
			if kill {
				_ = n.Kill(0, caller)
			} else {
				_ = n.Send(caller, request(nil))
			}
			receive(t, s.Done())
			_ = n.Send(h, request("now"))
			if got := receive(t, pending); got != kill {
				t.Errorf("pending: %v", got)
			}
			if receive(t, answered) {
				t.Error("a dead caller got an answer")
			}
		})
	}
}
