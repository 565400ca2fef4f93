package actor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSendThenReply: a callee that first sends its caller a message and then
// answers. The caller handles the message before its call returns, whatever
// state it is in, since order from one sender holds. make stress runs ten times
// the rounds.
func TestSendThenReply(t *testing.T) {
	rounds := 20_000
	if os.Getenv("STRESS_DURATION") != "" {
		rounds = 200_000
	}
	for _, procs := range []int{1, 2} {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprintf("procs=%d,busy=%v", procs, busy), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				n, _ := newNode(t, pooled)
				callee := launch(t, n, "callee", code{receive: func(co *Coroutine, m Message) {
					_ = co.Send(m.Source, m)
					_, _ = co.Reply(nil)
				}})
				last, disorder, noise := -1, 0, 0
				done := make(chan struct{})
				caller := launch(t, n, "caller", code{
					start: func(co *Coroutine) {
						defer close(done)
						for i := range rounds {
							if _, err := co.Call(callee, request(i), 0); err != nil {
								t.Error(err)
								return
							}
							if last != i {
								disorder++
							}
						}
					},
					receive: func(co *Coroutine, m Message) {
						if m.Session != 0 { // of the noise
							_, _ = co.Reply(nil)
							return
						}
						if i, ok := m.Data.(int); ok {
							last = i
						} else {
							noise++
						}
					},
				})
				if busy {
					for range 2 {
						launch(t, n, "noise", code{start: func(co *Coroutine) {
							for {
								for range 8 {
									_ = co.Send(caller, request("noise"))
								}
								if _, err := co.Call(caller, request(nil), 0); err != nil {
									return
								}
							}
						}})
					}
				}
				receive(t, done)
				end(t, n, caller)
				if disorder != 0 {
					t.Errorf("%d of %d pairs out of order", disorder, rounds)
				}
				if (noise > 0) != busy {
					t.Errorf("noise: %d", noise)
				}
			})
		}
	}
}

// TestOneAtATime: coroutines of one service, woken in every way there is, run
// one at a time; the race detector watches the counter.
func TestOneAtATime(t *testing.T) {
	n, _ := newNode(t, pooled)
	peer := launch(t, n, "echo", echo)
	const coroutines, rounds = 50, 40
	inside(t, n, func(co *Coroutine) {
		counter, left := 0, coroutines
		step := func() {
			v := counter
			runtime.Gosched()
			counter = v + 1
		}
		for i := range coroutines {
			co.Fork(func(co *Coroutine) {
				for r := range rounds {
					step()
					switch (i + r) % 5 {
					case 0:
						if _, err := co.Call(peer, request(nil), time.Hour); err != nil {
							t.Error(err)
						}
					case 1:
						_ = co.Sleep(time.Duration(r)*time.Microsecond, nil)
					case 2:
						_ = co.Await(func() {})
					case 3:
						co.Fork(func(co *Coroutine) { co.Wakeup(i) })
						_ = co.Wait(i)
					case 4:
						_ = co.Sleep(0, nil)
					}
				}
				left--
			})
		}
		until(co, func() bool { return left == 0 })
		if counter != coroutines*rounds {
			t.Errorf("%d steps, want %d", counter, coroutines*rounds)
		}
	})
}

// TestEveryRequestHasOneOutcome: many callers, while callees answer, hold,
// panic, exit, are killed and launched again at random.
func TestEveryRequestHasOneOutcome(t *testing.T) {
	callers, rounds := 40, 250
	if testing.Short() {
		callers, rounds = 10, 100
	}
	for name, cfg := range map[string]func(*Config){"go": func(*Config) {}, "ants": pooled} {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t, cfg)
			const callees = 8
			var addresses [callees]atomic.Uint32
			var start func(slot int)
			callee := func(slot int) code {
				return code{
					receive: func(co *Coroutine, m Message) {
						switch rand.IntN(12) {
						case 0:
							panic("at random")
						case 1:
							runtime.Goexit()
						case 2:
							start(slot)
							co.Exit()
						case 3:
							start(slot)
							_ = n.Kill(0, co.Service().Handle())
							_ = co.Sleep(0, nil)
						case 4:
							r, err := response(co)
							if err != nil {
								t.Error(err)
								return
							}
							co.Timeout(time.Duration(rand.IntN(200))*time.Microsecond, func(*Coroutine) { _, _ = r.Reply(m.Data) })
						case 5:
							return // forgets
						case 6:
							_ = co.Sleep(time.Duration(rand.IntN(200))*time.Microsecond, nil)
							fallthrough
						case 7:
							_ = co.Send(m.Source, request(nil))
							fallthrough
						default:
							_, _ = co.Reply(m.Data)
						}
					},
				}
			}
			start = func(slot int) {
				if h, err := n.Launch(Spec{Name: "callee", Behaviour: callee(slot)}); err == nil {
					addresses[slot].Store(uint32(h))
				}
			}
			for slot := range callees {
				start(slot)
			}
			var answers, failures, strange atomic.Int64
			var wg sync.WaitGroup
			for c := range callers {
				wg.Add(1)
				left := 4
				launch(t, n, "caller", code{start: func(co *Coroutine) {
					for range 4 {
						co.Fork(func(co *Coroutine) {
							for i := range rounds / 4 {
								v := fmt.Sprint(c, i)
								m, err := co.Call(Handle(addresses[rand.IntN(callees)].Load()), request(v), 0)
								switch {
								case err == nil && m.Data == v:
									answers.Add(1)
								case errors.Is(err, ErrExited), errors.Is(err, ErrCallFailed), errors.Is(err, ErrNoService):
									failures.Add(1)
								default:
									strange.Add(1)
									t.Errorf("answer %v, error %v", m.Data, err)
								}
							}
							if left--; left == 0 {
								wg.Done()
							}
						})
					}
				}})
			}
			done := make(chan struct{})
			go func() {
				wg.Wait()
				close(done)
			}()
			receive(t, done)
			if got, want := answers.Load()+failures.Load(), int64(callers*(rounds/4)*4); got != want {
				t.Errorf("%d outcomes of %d requests", got, want)
			}
			if answers.Load() == 0 || failures.Load() == 0 {
				t.Errorf("%d answers, %d failures: nothing was put to the test", answers.Load(), failures.Load())
			}
		})
	}
}

// TestKillAgainstDelivery: the end of a service races with messages, answers
// and timers for it; nothing that was asked is left without an answer.
func TestKillAgainstDelivery(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	n, _ := newNode(t, pooled)
	peer := launch(t, n, "echo", echo)
	for range rounds {
		h := launch(t, n, "victim", code{
			start: func(co *Coroutine) {
				for {
					if _, err := co.Call(peer, request(nil), time.Hour); err != nil {
						t.Error(err)
					}
				}
			},
			receive: func(co *Coroutine, m Message) {
				_ = co.Sleep(0, nil)
				_, _ = co.Reply(m.Data)
			},
		})
		s := n.Find(h)
		outcome := make(chan error, 1)
		launch(t, n, "caller", code{start: func(co *Coroutine) {
			_, err := co.Call(h, request(nil), 0)
			outcome <- err
			co.Exit()
		}})
		for range rand.IntN(3) {
			runtime.Gosched()
		}
		if err := n.Kill(0, h); err != nil {
			t.Fatal(err)
		}
		receive(t, s.Done())
		if err := receive(t, outcome); err != nil && !errors.Is(err, ErrExited) && !errors.Is(err, ErrNoService) {
			t.Fatal(err)
		}
	}
}

// TestBusyServiceStarvesNobody: on one processor a service that always has
// something to do lets the others run.
func TestBusyServiceStarvesNobody(t *testing.T) {
	for name, busy := range map[string]func(co *Coroutine, turn func(), peer Handle){
		"forks": func(co *Coroutine, turn func(), _ Handle) {
			var again func(co *Coroutine)
			again = func(co *Coroutine) {
				turn()
				co.Fork(again)
			}
			again(co)
		},
		"yields": func(co *Coroutine, turn func(), _ Handle) {
			for co.Sleep(0, nil) == nil {
				turn()
			}
		},
		"calls": func(co *Coroutine, turn func(), peer Handle) {
			for {
				turn()
				if _, err := co.Call(peer, request(nil), 0); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			n, _ := newNode(t)
			var turns atomic.Int64
			peer := launch(t, n, "echo", echo)
			h := launch(t, n, "busy", code{start: func(co *Coroutine) { busy(co, func() { turns.Add(1) }, peer) }})
			eventually(t, func() bool { return turns.Load() > 0 }, "it is busy")
			const others = 20
			before := turns.Load()
			for range others {
				runtime.Gosched()
			}
			// The Go scheduler alone would take the processor away every 10 ms only.
			if got := turns.Load() - before; got > others*turnLimit*8 {
				t.Errorf("%d turns where another goroutine ran %d times", got, others)
			}
			end(t, n, h)
		})
	}
}

// TestIdleServicesCostNoGoroutine: as many as a server has players.
func TestIdleServicesCostNoGoroutine(t *testing.T) {
	services := 100_000
	if testing.Short() {
		services = 5_000
	}
	n, _ := newNode(t, pooled)
	inside(t, n, func(*Coroutine) {}) // the pool has its own goroutines now
	eventually(t, func() bool { return idle(n) }, "the node is idle")
	empty := runtime.NumGoroutine() + n.crew.most
	handles := make([]Handle, services)
	for i := range handles {
		handles[i] = launch(t, n, "idle", &counter{})
	}
	inside(t, n, func(co *Coroutine) {
		for _, h := range handles {
			m, err := co.Call(h, request(nil), 0)
			if err != nil || m.Data != 1 {
				t.Errorf("%s: %v, %v", h, m.Data, err)
				return
			}
		}
	})
	if got := len(n.Services()); got != services+2 {
		t.Errorf("%d services live", got)
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= empty }, "the goroutines of an empty node")
}

// counter is a service with a little state.
type counter struct{ n int }

func (c *counter) Start(*Coroutine) {}

func (c *counter) Receive(co *Coroutine, _ *Message) {
	c.n++
	_, _ = co.Reply(c.n)
}

func (c *counter) Crashed(*Coroutine, Message, any, []byte) {}

// idle reports whether no service of n has anything to do.
func idle(n *Node) bool {
	for _, s := range n.Services() {
		s.mu.Lock()
		busy := s.busy
		s.mu.Unlock()
		if busy {
			return false
		}
	}
	return true
}
