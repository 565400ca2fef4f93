package actor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestSessionsGoRoundAndSkipThoseInUse(t *testing.T) {
	n, _ := newNode(t)
	inside(t, n, func(co *Coroutine) {
		s := co.Service()
		if got := s.newSession(); got != 2 {
			t.Errorf("the first session is %d, want 2 (B040)", got)
		}
		for _, used := range []Session{maxSession - 1, 1, 2} {
			s.waiting.add(&waiter{session: used})
		}
		s.lastSession = maxSession - 3
		for _, want := range []Session{maxSession - 2, maxSession, 3, 4} {
			if got := s.newSession(); got != want {
				t.Errorf("session %#x, want %#x", got, want)
			}
		}
	})
}

func TestFifoStaysSmall(t *testing.T) {
	var q fifo[int]
	q.push(-1)
	for i := range 10_000 { // never empty, never long
		q.push(i)
		if got := q.pop(); got != i-1 {
			t.Fatalf("popped %d, want %d", got, i-1)
		}
	}
	if cap(q.buf) > 16 {
		t.Errorf("a queue of 2 keeps %d places", cap(q.buf))
	}
	for i := range 1000 {
		q.push(i)
	}
	for q.len() > 0 {
		q.pop()
	}
	for _, v := range q.buf[:cap(q.buf)] {
		if v != 0 {
			t.Fatal("a popped value is still there")
		}
	}
	q.trim()
	if cap(q.buf) > keepCap {
		t.Errorf("an empty queue keeps %d places", cap(q.buf))
	}
}

// TestBurstLeavesNoMemory: neither the mailbox nor the tables of a service keep
// the size of the largest burst.
func TestBurstLeavesNoMemory(t *testing.T) {
	n, _ := newNode(t)
	const burst = 10_000
	gate, done := make(chan struct{}), make(chan struct{})
	left := burst
	h := launch(t, n, "burst", code{
		start: func(co *Coroutine) {
			<-gate
			for range burst {
				co.Fork(func(co *Coroutine) { _ = co.Sleep(0, nil) })
			}
		},
		receive: func(*Coroutine, Message) {
			if left--; left == 0 {
				close(done)
			}
		},
	})
	for range burst {
		if err := n.Send(h, request(nil)); err != nil {
			t.Fatal(err)
		}
	}
	close(gate)
	receive(t, done)
	s := n.Find(h)
	eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.busy && s.rare.sleepers == 0
	}, "the service is idle and small")
	s.mu.Lock()
	defer s.mu.Unlock()
	for what, places := range map[string]int{
		"in": cap(s.in), "out": cap(s.out.buf), "forks": cap(s.forks.buf), "woken": cap(s.rare.woken.buf), "failed": cap(s.rare.failed.buf),
	} {
		if places > keepCap {
			t.Errorf("%s keeps %d places", what, places)
		}
	}
	if s.waiting.slots != nil || s.rare.sleeping != nil {
		t.Errorf("the tables are still there: %d, %d", s.waiting.len(), len(s.rare.sleeping))
	}
}

func TestDeadlineListsKeepTheOrder(t *testing.T) {
	var d deadlines
	waiters := make([]waiter, 6)
	add := func(i int, now, after time.Duration) { d.add(&waiters[i], now, after) }
	add(0, 0, 10)
	add(1, 1, 5)
	add(2, 2, 10)
	add(3, 3, 5)
	add(4, 4, math.MaxInt64) // for ever, not long ago
	if len(d.lists) != 3 {
		t.Errorf("%d lists for 3 durations", len(d.lists))
	}
	expired := func(now time.Duration) string {
		var r trace
		d.expired(now, func(w *waiter) {
			for i := range waiters {
				if w == &waiters[i] {
					r.add("%d", i)
				}
			}
		})
		return r.String()
	}
	for _, step := range []struct {
		now, earliest time.Duration
		expired       string
	}{{5, 6, ""}, {6, 6, "1"}, {7, 8, ""}, {9, 8, "3"}, {12, 10, "0 2"}, {13, math.MaxInt64, ""}} {
		if got := d.earliest(); got != step.earliest {
			t.Errorf("at %d the earliest is %d, want %d", step.now, got, step.earliest)
		}
		if got := expired(step.now); got != step.expired {
			t.Errorf("at %d expired %q, want %q", step.now, got, step.expired)
		}
	}
	d.remove(&waiters[4])
	d.remove(&waiters[4])
	if got := d.earliest(); got != 0 {
		t.Errorf("earliest of none: %d", got)
	}
	add(5, 20, 7)
	if len(d.lists) != 3 {
		t.Errorf("an empty list was not used again: %d", len(d.lists))
	}
}

// TestManyDistinctDeadlines: calls of any number of durations end in time, and
// leave the service as quick as it was.
func TestManyDistinctDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		peer := launch(t, n, "peer", code{receive: func(co *Coroutine, m Message) { _ = co.Wait(nil) }})
		echo := launch(t, n, "echo", echo)
		const calls = 100
		var left atomic.Int32
		left.Store(calls)
		inside(t, n, func(co *Coroutine) {
			for i := range calls {
				timeout := time.Duration(calls-i) * time.Second
				co.Fork(func(co *Coroutine) {
					began := n.Uptime()
					_, err := co.Call(peer, request(nil), timeout)
					if took := n.Uptime() - began; !errors.Is(err, ErrTimeout) || took != timeout {
						t.Errorf("%v: %v after %v", timeout, err, took)
					}
					left.Add(-1)
				})
			}
			_ = co.Sleep(time.Second/2, nil)
			if got := len(co.svc.deadlines.lists); got != maxDeadlineLists {
				t.Errorf("%d lists", got)
			}
			if _, err := co.Call(echo, request(nil), time.Hour); err != nil {
				t.Error(err)
			}
		})
		pass(calls * time.Second)
		if got := left.Load(); got != 0 {
			t.Errorf("%d have not ended", got)
		}
		if got := n.Drops(); got != (Drops{}) {
			t.Errorf("counted %+v", got)
		}
	})
}

// TestOneDeadlineTimerPerService: calls of many lengths leave one timer at most
// in the node's heap, none once the service has ended.
func TestOneDeadlineTimerPerService(t *testing.T) {
	n, _ := newNode(t)
	peer := launch(t, n, "echo", echo)
	timers := func() int {
		n.timers.mu.Lock()
		defer n.timers.mu.Unlock()
		return len(n.timers.heap)
	}
	h := inside(t, n, func(co *Coroutine) {
		for i := 100; i > 0; i-- {
			if _, err := co.Call(peer, request(nil), time.Duration(i)*time.Hour); err != nil {
				t.Error(err)
			}
			co.Service().expire() // as when an earlier one has fired
		}
		if _, err := co.Call(peer, request(nil), time.Hour); err != nil {
			t.Error(err)
		}
		if got := timers(); got > 1 {
			t.Errorf("%d timers", got)
		}
	})
	end(t, n, h)
	if got := timers(); got != 0 {
		t.Errorf("%d timers of a dead service", got)
	}
}

func TestLaterDoesNotOverflow(t *testing.T) {
	for _, c := range [][3]time.Duration{{1, 2, 3}, {1, math.MaxInt64, math.MaxInt64}, {math.MaxInt64, 1, math.MaxInt64}, {5, -2, 3}} {
		if got := later(c[0], c[1]); got != c[2] {
			t.Errorf("later(%d, %d) = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

// TestLivingKeepsWhoStillUnwinds: a service whose end is not complete stays
// known to Shutdown however many others end meanwhile.
func TestLivingKeepsWhoStillUnwinds(t *testing.T) {
	n, _ := newNode(t)
	unwinding, release := make(chan struct{}), make(chan struct{})
	slow := launch(t, n, "slow", code{start: func(co *Coroutine) {
		defer func() {
			close(unwinding)
			<-release
		}()
		_ = co.Wait(nil)
	}})
	s := n.Find(slow)
	eventually(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return !s.busy }, "it waits")
	if err := n.Kill(0, slow); err != nil {
		t.Fatal(err)
	}
	receive(t, unwinding)
	for range 20 {
		end(t, n, launch(t, n, "short", code{}))
	}
	n.mu.Lock()
	known := fmt.Sprint(n.living)
	found := false
	for _, l := range n.living {
		found = found || l == s
	}
	n.mu.Unlock()
	if !found {
		t.Errorf("forgotten before its end: %s", known)
	}
	close(release)
	receive(t, s.Done())
}

// TestIdleKeepsNoCoroutine: an idle service holds no coroutine, and an idle
// coroutine nothing of its last run; Shutdown ends it.
func TestIdleKeepsNoCoroutine(t *testing.T) {
	n, _ := newNode(t, pooled)
	peer := launch(t, n, "echo", echo)
	h := inside(t, n, func(co *Coroutine) {
		co.SetTag("tag")
		_ = co.Context(context.Background())
		if _, err := co.Call(peer, request("value"), time.Minute); err != nil {
			t.Error(err)
		}
		if err := co.Sleep(time.Microsecond, "token"); err != nil {
			t.Error(err)
		}
		if err := co.Await(func() {}); err != nil {
			t.Error(err)
		}
	})
	s := n.Find(h)
	eventually(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return !s.busy }, "it is idle")
	if s.running != nil {
		t.Error("an idle service keeps its last coroutine")
	}
	var idle []*Coroutine
	eventually(t, func() bool {
		n.crew.mu.Lock()
		defer n.crew.mu.Unlock()
		idle = append(idle[:0], n.crew.idle...)
		return len(idle) > 0
	}, "a coroutine is idle")
	for _, co := range idle {
		w := co.wait
		want := Coroutine{id: co.id, ready: co.ready, wait: waiter{co: co, session: w.session, peer: w.peer, place: w.place, since: w.since}}
		if !reflect.DeepEqual(*co, want) {
			t.Errorf("an idle coroutine keeps %+v", *co)
		}
	}
	if err := n.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if co := n.crew.take(); co != nil {
		t.Error("a coroutine is left after the end")
	}
}

// TestHolderKeepsTheBatonOfTheKilled: a kill that finds the service held leaves
// its end to the holder, who may have looked for it just before.
func TestHolderKeepsTheBatonOfTheKilled(t *testing.T) {
	n, _ := newNode(t)
	s := &Service{node: n, busy: true, rare: &noRare}
	if s.refill(0) || s.busy {
		t.Error("an empty mailbox does not release the baton")
	}
	s = &Service{node: n, busy: true, rare: &noRare}
	if !s.kill() {
		t.Fatal("not killed")
	}
	if !s.refill(0) || !s.busy {
		t.Error("the baton of a killed service is released: nobody would end it")
	}
}
