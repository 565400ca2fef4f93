package actor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// until has the coroutine look away until ok; the others run meanwhile.
func until(co *Coroutine, ok func() bool) {
	for !ok() {
		_ = co.Sleep(0, nil)
	}
}

func TestWokenRunInTheOrderOfTheWakeups(t *testing.T) { // B074
	n, _ := newNode(t)
	inside(t, n, func(co *Coroutine) {
		var r trace
		for i := 1; i <= 4; i++ {
			co.Fork(func(co *Coroutine) {
				if err := co.Wait(i); err != nil {
					t.Error(err)
				}
				r.add("%d", i)
			})
		}
		until(co, func() bool { return len(co.Service().rare.sleeping) == 4 })
		co.Fork(func(*Coroutine) { r.add("fork") })
		for _, i := range []int{3, 1, 4, 2} {
			if !co.Wakeup(i) {
				t.Errorf("nobody waits on %d", i)
			}
		}
		r.add("main goes on")
		until(co, func() bool { return len(r.words) == 6 })
		if got := r.String(); got != "main goes on 3 1 4 2 fork" {
			t.Errorf("order: %s", got)
		}
	})
}

func TestForksRunInOrder(t *testing.T) { // B075
	n, _ := newNode(t)
	inside(t, n, func(co *Coroutine) {
		var r trace
		co.Timeout(0, func(*Coroutine) { r.add("timeout") })
		co.Fork(func(co *Coroutine) {
			r.add("a")
			co.Fork(func(*Coroutine) { r.add("c") })
			_ = co.Sleep(0, nil)
			r.add("a2")
		})
		co.Fork(func(co *Coroutine) {
			r.add("b")
			co.Fork(func(*Coroutine) { r.add("e") })
		})
		co.Fork(func(*Coroutine) { r.add("d") })
		r.add("main")
		until(co, func() bool { return len(r.words) == 8 })
		if got := r.String(); got != "main a b d c e timeout a2" {
			t.Errorf("order: %s", got)
		}
	})
}

// TestHandOverOrder: woken coroutines, calls failed by a dead peer, forks, the
// next message.
func TestHandOverOrder(t *testing.T) {
	n, _ := newNode(t)
	peer := launch(t, n, "silent", code{receive: func(co *Coroutine, _ Message) { _ = co.Wait(nil) }})
	var r trace
	done := make(chan struct{})
	launch(t, n, "subject", code{
		start: func(co *Coroutine) {
			co.Fork(func(co *Coroutine) {
				if _, err := co.Call(peer, request(nil), 0); !errors.Is(err, ErrExited) {
					t.Error(err)
				}
				r.add("failed")
			})
			co.Fork(func(co *Coroutine) {
				_ = co.Wait("token")
				r.add("woken")
			})
			until(co, func() bool { return co.Service().parked.count == 2 })
			// The end of a peer puts its calls into the queue of the failed.
			_ = co.Send(co.Service().Handle(), request("message"))
			co.Fork(func(*Coroutine) { r.add("fork") })
			co.Service().peerEnded(peer)
			co.Wakeup("token")
			r.add("main")
		},
		receive: func(*Coroutine, Message) {
			r.add("message")
			close(done)
		},
	})
	receive(t, done)
	if got := r.String(); got != "main woken failed fork message" {
		t.Errorf("order: %s", got)
	}
}

func TestWakeup(t *testing.T) {
	n, _ := newNode(t)
	inside(t, n, func(co *Coroutine) {
		if co.Wakeup("early") {
			t.Error("a wakeup before the sleep finds somebody (B071)")
		}
		var sleeper *Coroutine
		var errs []error
		co.Fork(func(co *Coroutine) {
			sleeper = co
			errs = append(errs, co.Sleep(time.Hour, nil))
			errs = append(errs, co.Sleep(time.Hour, nil))
			errs = append(errs, co.Sleep(0, nil))
		})
		until(co, func() bool { return sleeper != nil })
		// B072: the second wakeup breaks the next sleep on the token.
		if first, second := co.Wakeup(sleeper), co.Wakeup(sleeper); !first || !second {
			t.Error("a wakeup of a sleeping coroutine is false")
		}
		until(co, func() bool { return len(errs) == 3 })
		if errs[0] != ErrBreak || errs[1] != ErrBreak || errs[2] != nil {
			t.Errorf("the sleeps ended with %v", errs)
		}
		if co.Wakeup(sleeper) {
			t.Error("a coroutine that has ended sleeps still")
		}

		var waited error
		woken := false
		co.Fork(func(co *Coroutine) {
			waited = co.Wait("token")
			woken = true
		})
		until(co, func() bool { return len(co.Service().rare.sleeping) == 1 })
		if err := co.Wait("token"); !errors.Is(err, ErrMisuse) { // B073
			t.Errorf("a second wait on a token: %v", err)
		}
		if err := co.Sleep(0, "token"); !errors.Is(err, ErrMisuse) {
			t.Errorf("a sleep on a token in use: %v", err)
		}
		co.Wakeup("token")
		until(co, func() bool { return woken })
		if waited != nil {
			t.Errorf("Wait gave %v", waited)
		}
	})
}

func TestInterrupt(t *testing.T) {
	n, _ := newNode(t)
	peer := launch(t, n, "silent", code{receive: func(co *Coroutine, _ Message) { _ = co.Wait(nil) }})
	broken := errors.New("broken")
	release := make(chan struct{})
	for name, block := range map[string]func(*Coroutine) error{
		"call": func(co *Coroutine) error {
			_, err := co.Call(peer, request(nil), time.Hour)
			return err
		},
		"sleep": func(co *Coroutine) error { return co.Sleep(time.Hour, nil) },
		"wait":  func(co *Coroutine) error { return co.Wait("token") },
		"await": func(co *Coroutine) error { return co.Await(func() { <-release }) },
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, n, func(co *Coroutine) {
				var other *Coroutine
				var errs []error
				co.Fork(func(co *Coroutine) {
					other = co
					errs = append(errs, block(co), block(co), co.Sleep(0, nil))
				})
				until(co, func() bool { return other != nil })
				woken := co.Wakeup("token") || co.Wakeup(other) // must not undo the interrupt
				if woken != (name == "wait" || name == "sleep") {
					t.Errorf("Wakeup: %v", woken)
				}
				co.Interrupt(other, broken)
				co.Interrupt(other, broken) // waits no more: for its next call
				until(co, func() bool { return len(errs) == 3 })
				if !errors.Is(errs[0], broken) || errs[1] != broken || errs[2] != nil {
					t.Errorf("ended with %v", errs)
				}
				if s := co.Service(); s.waiting.len()+len(s.rare.sleeping)+s.parked.count != 0 {
					t.Errorf("left in the tables: %d %d %d", s.waiting.len(), len(s.rare.sleeping), s.parked.count)
				}
			})
		})
	}
	close(release)
}

func TestTimersFireInOrder(t *testing.T) { // B077
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		inside(t, n, func(co *Coroutine) {
			var r trace
			const unit = 10 * time.Millisecond
			for _, d := range []struct {
				name  string
				units time.Duration
			}{{"3", 3}, {"1", 1}, {"2", 2}, {"0", 0}, {"-5", -5}, {"1b", 1}} {
				made := n.Uptime()
				co.Timeout(d.units*unit, func(*Coroutine) {
					r.add("%s", d.name)
					if late := n.Uptime() - made - max(d.units, 0)*unit; late != 0 {
						t.Errorf("%s came %v late", d.name, late)
					}
				})
			}
			if err := co.Sleep(5*unit, nil); err != nil {
				t.Error(err)
			}
			if got := r.String(); got != "0 -5 1 1b 2 3" {
				t.Errorf("order: %s", got)
			}
		})
	})
}

func TestTimersAreNeverEarly(t *testing.T) {
	n, _ := newNode(t)
	inside(t, n, func(co *Coroutine) {
		running := 0
		for i := range 200 {
			d := time.Duration(i%17)*300*time.Microsecond + time.Duration(i)
			running++
			co.Fork(func(co *Coroutine) {
				began := n.Uptime()
				if err := co.Sleep(d, nil); err != nil {
					t.Error(err)
				}
				if took := n.Uptime() - began; took < d {
					t.Errorf("a sleep of %v took %v", d, took)
				}
				running--
			})
		}
		until(co, func() bool { return running == 0 })
	})
}

func TestCancelTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		inside(t, n, func(co *Coroutine) {
			fired := 0
			count := func(*Coroutine) { fired++ }
			for _, d := range []time.Duration{time.Second, 0} {
				timer := co.Timeout(d, count)
				if !timer.Cancel() || timer.Cancel() {
					t.Errorf("%v: Cancel is true once", d)
				}
			}
			late := co.Timeout(time.Second, count)
			far := co.Timeout(1<<63-1, count)
			_ = co.Sleep(time.Second, nil)
			if late.Cancel() {
				t.Error("a timer that has fired was cancelled")
			}
			if fired != 1 {
				t.Errorf("%d timers fired, want 1", fired)
			}
			if !far.Cancel() || len(n.timers.heap) != 0 {
				t.Error("a far timer has fired or is left")
			}
		})
		if d := n.Drops(); d != (Drops{}) {
			t.Errorf("drops %+v", d)
		}
	})
}

func TestCallTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		slow := launch(t, n, "slow", code{receive: func(co *Coroutine, m Message) {
			_ = co.Sleep(m.Data.(time.Duration), nil)
			_, _ = co.Reply("done")
		}})
		inside(t, n, func(co *Coroutine) {
			var r trace
			call := func(name string, takes, timeout time.Duration) {
				co.Fork(func(co *Coroutine) {
					began := n.Uptime()
					m, err := co.Call(slow, request(takes), timeout)
					took := n.Uptime() - began
					switch {
					case err == nil:
						r.add("%s=%v", name, m.Data)
					case errors.Is(err, ErrTimeout) && took == timeout:
						r.add("%s:%v", name, took)
					default:
						t.Errorf("%s: %v after %v", name, err, took)
					}
				})
			}
			call("a", 9*time.Second, 4*time.Second)
			call("b", 9*time.Second, 3*time.Second)
			call("c", 2*time.Second, 3*time.Second)
			call("d", 9*time.Second, 4*time.Second)
			call("e", 9*time.Second, 0)
			call("f", 9*time.Second, -1)
			call("g", 1*time.Second, 1<<63-1)
			_ = co.Sleep(20*time.Second, nil)
			if got := r.String(); got != "g=done c=done b:3s a:4s d:4s e=done f=done" {
				t.Errorf("order: %s", got)
			}
			if s := co.Service(); s.waiting.len() != 0 || len(n.timers.heap) != 0 {
				t.Errorf("left: %d waiters, %d timers", s.waiting.len(), len(n.timers.heap))
			}
		})
		if late := n.Drops().Late; late != 3 {
			t.Errorf("%d late answers counted, want 3", late)
		}
	})
}

func TestMessagesOfOneSenderStayInOrder(t *testing.T) { // B054
	n, _ := newNode(t, pooled)
	const count = 20_000
	next, done := 0, make(chan struct{})
	to := launch(t, n, "to", code{receive: func(co *Coroutine, m Message) {
		if m.Data != next {
			t.Errorf("message %v where %d was due", m.Data, next)
		}
		if next++; next == count {
			close(done)
		}
		if next%100 == 0 {
			_ = co.Sleep(0, nil) // others take the loop over
		}
	}})
	inside(t, n, func(co *Coroutine) {
		for i := range count {
			_ = co.Send(to, request(i))
		}
	})
	receive(t, done)
}
