package actor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func serial(t testing.TB, n *Node, name string, b Behaviour) Handle {
	t.Helper()
	h, err := n.Launch(Spec{Name: name, Behaviour: b, Serial: true})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// relay calls the first of the handles it is given with the others, and answers
// with what came back.
var relay = code{receive: func(co *Coroutine, m Message) {
	path, _ := m.Data.([]Handle)
	if len(path) == 0 {
		_, _ = co.Reply("arrived")
		return
	}
	answer, err := co.Call(path[0], request(path[1:]), patience)
	if err != nil {
		co.Fail(err)
		return
	}
	_, _ = co.Reply(answer.Data)
}}

// graphIsEmpty reports whether nobody waits and no handler is known.
func graphIsEmpty(n *Node) bool {
	n.graph.mu.Lock()
	defer n.graph.mu.Unlock()
	return len(n.graph.active) == 0 && len(n.graph.waits) == 0 && len(n.graph.pending) == 0
}

func TestSerialHandlesOneRequestAfterTheOther(t *testing.T) {
	n, _ := newNode(t)
	r := &trace{}
	done := make(chan struct{})
	h := serial(t, n, "serial", code{receive: func(co *Coroutine, m Message) {
		if m.Type == PTypeDebug {
			r.add("debug")
			return
		}
		r.add("begin%v", m.Data)
		defer r.add("end%v", m.Data)
		if m.Data == 1 {
			co.Fork(func(co *Coroutine) { r.add("fork") })
			co.Timeout(1, func(co *Coroutine) { r.add("timer") })
			_ = co.Sleep(time.Millisecond, nil)
			_, _ = co.Reply(nil)
			r.add("answered")
			_ = co.Wait("token")
		}
		if m.Data == 3 {
			close(done)
		}
	}})
	inside(t, n, func(co *Coroutine) {
		if _, err := co.Ask(h, request(1), 0, func(Message, error) {}); err != nil {
			t.Error(err)
		}
		_ = co.Send(h, request(2))
		_ = co.Send(h, request(3))
		_ = co.Send(h, Message{Type: PTypeDebug})
	})
	eventually(t, func() bool { return n.parkedIn(h) && n.Find(h).sleepsOn("token") }, "the handler waits")
	wake(t, n, h, "token")
	receive(t, done)
	eventually(t, func() bool { return idle(n) }, "idle")
	if got, want := r.String(), "begin1 fork debug timer answered end1 begin2 end2 begin3 end3"; got != want {
		if other := "begin1 fork timer debug answered end1 begin2 end2 begin3 end3"; got != other {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// sleepsOn reports whether a coroutine of the idle service waits on token.
func (s *Service) sleepsOn(token any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.busy && s.rare.sleeping[token] != nil
}

// wake takes the baton of an idle service for a wakeup.
func wake(t testing.TB, n *Node, h Handle, token any) {
	t.Helper()
	s := n.Find(h)
	s.mu.Lock()
	if s.busy {
		t.Fatal("the service is busy")
	}
	s.busy = true
	s.mu.Unlock()
	s.rare.woken.push(token)
	s.passOn(false)
}

func TestDeadlockIsFound(t *testing.T) {
	n, _ := newNode(t)
	var a, b, c, m Handle
	for _, h := range []*Handle{&a, &b, &c} {
		*h = serial(t, n, "serial", relay)
	}
	m = launch(t, n, "relay", relay)
	path := func(handles ...Handle) string {
		var list []string
		for _, h := range handles {
			list = append(list, h.String())
		}
		return strings.Join(list, " -> ")
	}
	for name, tt := range map[string]struct {
		first Handle
		rest  []Handle
		want  string // the circle; "" when there is none
	}{
		"itself":                    {a, []Handle{a}, path(a, a)},
		"two":                       {a, []Handle{b, a}, path(b, a, b)},
		"three":                     {a, []Handle{b, c, a}, path(c, a, b, c)},
		"through a common one":      {a, []Handle{m, a}, path(m, a, m)},
		"from outside":              {m, []Handle{a, b, a}, path(b, a, b)},
		"twice through common ones": {a, []Handle{m, b, m, a}, path(m, a, m, b, m)},
		"a row":                     {a, []Handle{b, c}, ""},
		"a row that ends":           {a, []Handle{b, m, c}, ""},
		"common ones in a circle":   {m, []Handle{m, m, a}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inside(t, n, func(co *Coroutine) {
				answer, err := co.Call(tt.first, request(tt.rest), 0)
				if tt.want == "" {
					if err != nil || answer.Data != "arrived" {
						t.Errorf("%v, %v", answer.Data, err)
					}
					return
				}
				if want := ErrDeadlock.Error() + ": " + tt.want; !errors.Is(err, ErrDeadlock) || err.Error() != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			})
			eventually(t, func() bool { return graphIsEmpty(n) }, "nobody waits")
		})
	}
}

// TestDeadlockCrosswise: two that call each other at once. One of them is told,
// the other goes on.
func TestDeadlockCrosswise(t *testing.T) {
	for _, procs := range []int{1, 2} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			n, _ := newNode(t, pooled)
			type cross struct {
				to   Handle
				meet *sync.WaitGroup
			}
			b := code{receive: func(co *Coroutine, m Message) {
				if x, ok := m.Data.(cross); ok {
					x.meet.Done()
					x.meet.Wait()
					if _, err := co.Call(x.to, request(nil), patience); err != nil {
						co.Fail(err)
						return
					}
				}
				_, _ = co.Reply(nil)
			}}
			pair := [2]Handle{serial(t, n, "a", b), serial(t, n, "b", b)}
			for range 100 {
				var meet sync.WaitGroup
				meet.Add(2)
				results := make(chan error, 2)
				for i := range pair {
					launch(t, n, "caller", code{start: func(co *Coroutine) {
						_, err := co.Call(pair[i], request(cross{pair[1-i], &meet}), 0)
						results <- err
					}})
				}
				first, second := receive(t, results), receive(t, results)
				if first != nil {
					first, second = second, first
				}
				if first != nil || !errors.Is(second, ErrDeadlock) {
					t.Fatalf("got %v and %v", first, second)
				}
			}
		})
	}
}

// TestNoFalseDeadlock under load: calls that only go upwards never make a
// circle; any others succeed or are told.
func TestNoFalseDeadlock(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, upwards := range []bool{true, false} {
		t.Run(fmt.Sprintf("upwards=%v", upwards), func(t *testing.T) {
			n, _ := newNode(t, pooled)
			var all []Handle
			for range 8 {
				all = append(all, serial(t, n, "serial", relay))
			}
			done := make(chan error)
			const callers, calls = 6, 200
			for i := range callers {
				launch(t, n, "caller", code{start: func(co *Coroutine) {
					r := rand.New(rand.NewPCG(uint64(i), 1))
					for range calls {
						from := r.IntN(len(all))
						var path []Handle
						for i, h := range all {
							if (i > from || !upwards && i != from) && r.IntN(2) == 0 {
								path = append(path, h)
							}
						}
						if !upwards {
							r.Shuffle(len(path), func(i, j int) { path[i], path[j] = path[j], path[i] })
						}
						_, err := co.Call(all[from], request(path), 0)
						if err != nil && (upwards || !errors.Is(err, ErrDeadlock)) {
							done <- err
							return
						}
					}
					done <- nil
				}})
			}
			for range callers {
				if err := receive(t, done); err != nil {
					t.Error(err)
				}
			}
			eventually(t, func() bool { return graphIsEmpty(n) }, "nobody waits")
		})
	}
}

// TestAnsweredIsNoDeadlock: a handler that has answered may call its caller,
// which has not even seen the answer yet.
func TestAnsweredIsNoDeadlock(t *testing.T) {
	n, _ := newNode(t)
	result := make(chan error, 1)
	callee := serial(t, n, "callee", code{receive: func(co *Coroutine, m Message) {
		_, _ = co.Reply(nil)
		_, err := co.Call(m.Source, request("back"), patience)
		result <- err
	}})
	caller := serial(t, n, "caller", code{receive: func(co *Coroutine, m Message) {
		if m.Data == "back" {
			_, _ = co.Reply(nil)
			return
		}
		s := co.Service()
		co.Fork(func(*Coroutine) { // keeps the baton until the answer and the call have come
			eventually(t, func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return len(s.in) == 2 || len(result) > 0
			}, "an answer and a call")
		})
		_, err := co.Call(callee, request(nil), patience)
		if err != nil {
			t.Error(err)
		}
	}})
	send(t, n, caller, "go", 1)
	if err := receive(t, result); err != nil {
		t.Error(err)
	}
}

// TestHandedOnRequest: once a request has been given out of hand with Response
// nobody knows who will answer it. That is no deadlock, and ends at the deadline.
func TestHandedOnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		var owed *Response
		var a Handle
		result := make(chan error, 1)
		s := serial(t, n, "s", code{receive: func(co *Coroutine, m Message) {
			if m.Data == "hold" {
				owed, _ = response(co)
				return
			}
			_, err := co.Call(a, request("x"), time.Second)
			result <- err
			_, _ = owed.Reply(nil)
		}})
		a = serial(t, n, "a", code{receive: func(co *Coroutine, m Message) {
			if _, err := co.Call(s, request("hold"), time.Minute); err != nil {
				t.Error(err)
			}
		}})
		send(t, n, a, "begin", 1)
		synctest.Wait()
		send(t, n, s, "call a", 1)
		if err := receive(t, result); !errors.Is(err, ErrTimeout) || !strings.HasSuffix(err.Error(), "the callee has not taken the request yet") {
			t.Errorf("got %v", err)
		}
	})
}

// TestSerialServiceEnds while one request is in hand and others wait.
func TestSerialServiceEnds(t *testing.T) {
	for name, exit := range map[string]bool{"exit": true, "kill": false} {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t)
			h := serial(t, n, "serial", code{receive: func(co *Coroutine, m Message) {
				_ = co.Wait("token")
				co.Exit()
			}})
			inside(t, n, func(co *Coroutine) {
				var errs []error
				for range 4 {
					if _, err := co.Ask(h, request(nil), 0, func(_ Message, err error) { errs = append(errs, err) }); err != nil {
						t.Error(err)
					}
				}
				eventually(t, func() bool { return n.Find(h).sleepsOn("token") }, "the first one waits")
				if exit {
					wake(t, n, h, "token")
				} else if err := n.Kill(0, h); err != nil {
					t.Error(err)
				}
				for len(errs) < 4 && co.Sleep(0, nil) == nil {
					continue
				}
				for _, err := range errs {
					if !errors.Is(err, ErrExited) {
						t.Errorf("got %v", err)
					}
				}
			})
			eventually(t, func() bool { return n.serials.Load() == 0 && graphIsEmpty(n) }, "no serial service is left")
		})
	}
}

// TestGraphForgetsHandlersThatOutliveTheSerial: what was noted while there was a
// serial service goes when there is none any more.
func TestGraphForgetsHandlersThatOutliveTheSerial(t *testing.T) {
	n, _ := newNode(t)
	waits := launch(t, n, "waits", code{receive: func(co *Coroutine, _ Message) {
		_ = co.Wait("token")
		_, _ = co.Reply(nil)
	}})
	last := serial(t, n, "last", relay)
	done := make(chan error, 1)
	launch(t, n, "caller", code{start: func(co *Coroutine) {
		_, err := co.Call(waits, request(nil), 0)
		done <- err
	}})
	eventually(t, func() bool { return n.Find(waits).sleepsOn("token") }, "the handler waits")
	end(t, n, last)
	wake(t, n, waits, "token")
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
	eventually(t, func() bool { return graphIsEmpty(n) }, "nobody waits")
}

// TestDebugOvertakes what a serial service has put off, and does not make it
// look taken.
func TestDebugOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		h := serial(t, n, "serial", code{receive: func(co *Coroutine, m Message) {
			if m.Type != PTypeDebug {
				_ = co.Wait(nil)
			}
			_, _ = co.Reply(nil)
		}})
		inside(t, n, func(co *Coroutine) {
			_ = co.Send(h, request("first"))
			co.Fork(func(co *Coroutine) {
				for range 3 {
					if _, err := co.Call(h, Message{Type: PTypeDebug}, time.Second); err != nil {
						t.Errorf("debug: %v", err)
					}
				}
			})
			_, err := co.Call(h, request("second"), 10*time.Second)
			if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "has not taken") {
				t.Errorf("got %v", err)
			}
		})
	})
}
