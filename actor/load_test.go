package actor

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// blocking is a service whose handler waits, with the baton, for a channel that
// is its request, and answers other requests.
var blocking = code{receive: func(co *Coroutine, m Message) {
	if c, ok := m.Data.(chan struct{}); ok {
		<-c
		return
	}
	_, _ = co.Reply(m.Data)
}}

// send sends n messages from nobody.
func send(t testing.TB, n *Node, to Handle, v any, times int) {
	t.Helper()
	for range times {
		if err := n.Send(to, request(v)); err != nil {
			t.Fatal(err)
		}
	}
}

// block makes a service hold its baton until the function returned is called.
func block(t testing.TB, n *Node, h Handle) func() {
	t.Helper()
	gate := make(chan struct{})
	before := n.Find(h).taken()
	send(t, n, h, gate, 1)
	eventually(t, func() bool { return n.Find(h).taken() == before+1 }, "the service is in the message")
	return func() { close(gate) }
}

func TestDrops(t *testing.T) {
	tests := map[string]struct {
		run  func(t *testing.T, n *Node) (counted Handle)
		want Drops
	}{
		"to nobody": {func(t *testing.T, n *Node) Handle {
			return inside(t, n, func(co *Coroutine) {
				if err := co.Send(0xfff0, request(1)); !errors.Is(err, ErrNoService) {
					t.Error(err)
				}
				if _, err := co.Call(0xfff0, request(1), 0); !errors.Is(err, ErrNoService) {
					t.Error(err)
				}
			})
		}, Drops{NoService: 2}},
		"late": {func(t *testing.T, n *Node) Handle {
			var owed *Response
			holder := launch(t, n, "holder", code{receive: func(co *Coroutine, m Message) {
				if m.Data == "answer" {
					_, _ = owed.Reply(nil)
				} else {
					owed, _ = response(co)
				}
			}})
			return inside(t, n, func(co *Coroutine) {
				if _, err := co.Call(holder, request(nil), 1); !errors.Is(err, ErrTimeout) {
					t.Error(err)
				}
				_ = co.Send(holder, request("answer"))
				for co.Service().Stat().Drops.Late == 0 && co.Sleep(0, nil) == nil {
					continue
				}
			})
		}, Drops{Late: 1}},
		"overload": {func(t *testing.T, n *Node) Handle {
			h, err := n.Launch(Spec{Name: "small", Behaviour: blocking, Mailbox: 2})
			if err != nil {
				t.Fatal(err)
			}
			release := block(t, n, h)
			defer release()
			send(t, n, h, 1, 2)
			for range 3 {
				if err := n.Send(h, request(1)); !errors.Is(err, ErrOverload) {
					t.Error(err)
				}
			}
			return h
		}, Drops{Overload: 3}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t)
			h := tt.run(t, n)
			if got := n.Find(h).Stat().Drops; got != tt.want {
				t.Errorf("the service: %+v, want %+v", got, tt.want)
			}
			if got := n.Drops(); got != tt.want {
				t.Errorf("the node: %+v, want %+v", got, tt.want)
			}
		})
	}
	t.Run("exited", func(t *testing.T) {
		n, _ := newNode(t)
		h := launch(t, n, "blocking", blocking)
		release := block(t, n, h)
		send(t, n, h, 1, 3)
		s := n.Find(h)
		if err := n.Kill(0, h); err != nil {
			t.Error(err)
		}
		release()
		receive(t, s.Done())
		if got, want := s.Stat().Drops, (Drops{Exited: 3}); got != want || n.Drops() != want {
			t.Errorf("the service: %+v, the node: %+v, want %+v", got, n.Drops(), want)
		}
	})
}

func TestStat(t *testing.T) {
	n, _ := newNode(t)
	h := launch(t, n, "blocking", blocking)
	s := n.Find(h)
	if got := s.Stat(); got.Requests != 0 || got.Mailbox != 0 {
		t.Errorf("at first: %+v", got)
	}
	release := block(t, n, h)
	send(t, n, h, 1, 5)
	if got := s.Stat(); got.Requests != 1 || got.Mailbox != 5 {
		t.Errorf("while it is in a message: %+v", got)
	}
	release()
	eventually(t, func() bool { return idle(n) }, "idle")
	if got := s.Stat(); got.Requests != 6 || got.Mailbox != 0 {
		t.Errorf("at last: %+v", got)
	}
}

// TestCPUTime: what counts is the time with the baton, the present turn included.
func TestCPUTime(t *testing.T) {
	for _, profile := range []bool{true, false} {
		t.Run(fmt.Sprint(profile), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _ := newNode(t, func(cfg *Config) { cfg.Profile = profile })
				h := launch(t, n, "worker", code{receive: func(co *Coroutine, _ Message) {
					pass(2 * time.Second) // with the baton
					_ = co.Sleep(5*time.Second, nil)
					pass(3 * time.Second)
				}})
				s := n.Find(h)
				expect := func(want time.Duration) {
					t.Helper()
					if !profile {
						want = 0
					}
					if got := s.Stat().CPU; got < want || got > want+time.Microsecond {
						t.Errorf("after %v: %v, want %v", n.Uptime(), got, want)
					}
				}
				pass(time.Second)
				expect(0)
				send(t, n, h, nil, 1)
				pass(time.Second)
				expect(time.Second)
				pass(3 * time.Second)
				expect(2 * time.Second)
				pass(4 * time.Second)
				expect(3 * time.Second)
				pass(10 * time.Second)
				expect(5 * time.Second)
			})
		})
	}
}

// TestB134Overload: a line once more than 1024 messages wait, the next when they
// are twice as many, from the start again when the mailbox was empty.
func TestB134Overload(t *testing.T) {
	var told []int
	n, l := newNode(t, func(cfg *Config) {
		cfg.OnOverload = func(_ Handle, waiting int) { told = append(told, waiting) }
	})
	h := launch(t, n, "blocking", blocking)
	line := fmt.Sprintf("[%s] error: May overload, message queue length = ", h)
	quiet := func() { eventually(t, func() bool { return idle(n) }, "idle") }

	release := block(t, n, h)
	send(t, n, h, 1, 1025)
	release()
	quiet()
	if l.contains(line) {
		t.Fatal("a line for 1024 that wait")
	}

	second, third := make(chan struct{}), make(chan struct{})
	release = block(t, n, h)
	send(t, n, h, second, 1)
	send(t, n, h, 1, 1025)
	release()
	eventually(t, func() bool { return l.contains(line + "1025") }, "the first line")
	send(t, n, h, third, 1)
	send(t, n, h, 1, 899)
	close(second)
	s := n.Find(h)
	taken := 1 + 1025 + 1 + 1 + 1025 + 1
	eventually(t, func() bool { return int(s.taken()) == taken }, "the third gate")
	if len(told) != 1 {
		t.Errorf("below twice the length: %v", told)
	}
	send(t, n, h, 1, 1400)
	close(third)
	quiet()
	if len(told) != 2 || told[0] != 1025 || told[1] <= 2048 {
		t.Fatalf("over twice the length: %v", told)
	}
	if !l.contains(line + fmt.Sprint(told[1])) {
		t.Error("no second line")
	}

	release = block(t, n, h)
	send(t, n, h, 1, 1026)
	release()
	quiet()
	if len(told) != 3 || told[2] != 1025 {
		t.Errorf("after it was empty: %v", told)
	}
}

// TestOverloadOfASerialService: what it has put off waits too.
func TestOverloadOfASerialService(t *testing.T) {
	var told []int
	n, _ := newNode(t, func(cfg *Config) {
		cfg.OnOverload = func(_ Handle, waiting int) { told = append(told, waiting) }
	})
	h := serial(t, n, "serial", code{receive: func(co *Coroutine, m Message) {
		if m.Data == "wait" {
			_ = co.Wait("token")
		}
	}})
	send(t, n, h, "wait", 1)
	for range 4 {
		send(t, n, h, 1, 300)
		eventually(t, func() bool { return idle(n) }, "all are put off")
	}
	send(t, n, h, 1, 1)
	eventually(t, func() bool { return idle(n) }, "the last one too")
	if len(told) != 1 || told[0] <= overloadLength || told[0] > 1200 {
		t.Errorf("warnings %v", told)
	}
}

func TestMailboxBound(t *testing.T) {
	n, _ := newNode(t)
	h, err := n.Launch(Spec{Name: "small", Mailbox: 1, Behaviour: code{receive: func(co *Coroutine, m Message) {
		switch d := m.Data.(type) {
		case chan struct{}:
			<-d
		case Handle:
			m, err := co.Call(d, request("through"), 0)
			if err != nil {
				t.Error(err)
			}
			_, _ = co.Reply(m.Data)
		default:
			_, _ = co.Reply(d)
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	hold := make(chan struct{})
	slow := launch(t, n, "slow", code{receive: func(co *Coroutine, m Message) {
		<-hold
		_, _ = co.Reply(m.Data)
	}})
	inside(t, n, func(co *Coroutine) {
		var answers []any
		_, err := co.Ask(h, request(slow), 0, func(m Message, err error) { answers = append(answers, m.Data, err) })
		if err != nil {
			t.Error(err)
		}
		for !n.parkedIn(h) && co.Sleep(0, nil) == nil {
			continue
		}
		gate := make(chan struct{})
		if err := co.Send(h, request(gate)); err != nil {
			t.Error(err)
		}
		for n.Find(h).taken() != 2 && co.Sleep(0, nil) == nil {
			continue
		}
		// An announcement does not take the place of its request.
		if err := n.Send(h, Message{Type: PTypeTrace, Source: co.Service().Handle()}); err != nil {
			t.Error(err)
		}
		if err := co.Send(h, request(1)); err != nil {
			t.Error(err)
		}
		if err := co.Send(h, request(2)); !errors.Is(err, ErrOverload) {
			t.Errorf("one too many: %v", err)
		}
		if _, err := co.Call(h, request(2), 0); !errors.Is(err, ErrOverload) {
			t.Errorf("a call: %v", err)
		}
		if err := co.Send(h, Message{Type: PTypeDebug}); err != nil {
			t.Errorf("a debug message: %v", err)
		}
		close(hold) // the answer comes into the full mailbox
		for n.answersIn(h) == 0 && co.Sleep(0, nil) == nil {
			continue
		}
		close(gate)
		for len(answers) == 0 && co.Sleep(0, nil) == nil {
			continue
		}
		if !reflect.DeepEqual(answers, []any{"through", nil}) {
			t.Errorf("the answer: %v", answers)
		}
	})
}

// parkedIn reports whether a coroutine of h waits and h is idle.
func (n *Node) parkedIn(h Handle) bool {
	s := n.Find(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.busy && s.parked.count > 0
}

// answersIn returns how many answers are in the mailbox of h.
func (n *Node) answersIn(h Handle) int {
	s := n.Find(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	answers := 0
	for _, m := range s.in {
		if m.Type == PTypeResponse {
			answers++
		}
	}
	return answers
}

// TestCountersGoRound: after 2^32 requests, or runs, the bound still is one.
func TestCountersGoRound(t *testing.T) {
	n, _ := newNode(t)
	h, err := n.Launch(Spec{Name: "small", Behaviour: blocking, Mailbox: 1})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return idle(n) }, "idle")
	s := n.Find(h)
	s.mu.Lock()
	s.pushed = math.MaxUint32
	s.progress.Store(math.MaxUint64)
	s.mu.Unlock()
	for range 3 {
		release := block(t, n, h)
		send(t, n, h, 1, 1)
		if err := n.Send(h, request(1)); !errors.Is(err, ErrOverload) {
			t.Error(err)
		}
		if got := s.Stat().Mailbox; got != 1 {
			t.Errorf("%d wait", got)
		}
		release()
		eventually(t, func() bool { return idle(n) }, "idle")
	}
	if got := s.Stat().Requests; got != 5 {
		t.Errorf("%d requests", got)
	}
}

// pass lets virtual time go by, without giving the baton away; it is for synctest
// bubbles.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a synctest bubble
}
