package actor

import (
	"fmt"
	"time"
)

// waitKind is what a waiter waits for.
type waitKind uint8

const (
	waitNone  waitKind = iota
	waitCall           // for an answer of peer
	waitTimer          // for a timer (Sleep) or a wakeup
	waitToken          // for a wakeup only
	waitAwait          // for a function off the baton
)

// waiter is who goes on when the answer to a session comes: a coroutine, or a
// function that becomes one, as then with the answer.
type waiter struct {
	co      *Coroutine
	fn      func(*Coroutine)
	then    Then
	done    func(Message, error) // called under the baton, on any goroutine; must not block
	kind    waitKind
	session Session
	peer    Handle
	callee  *Service // of a call, with the place of the request among those it got
	place   uint32
	token   any
	timer   *timer
	watched *Service
	edge    *edge // in the graph, when it knows of the request

	since      time.Duration
	deadline   *deadlineList
	prev, next *waiter
}

type coroutineList struct {
	first *Coroutine
	count int
}

func (l *coroutineList) add(co *Coroutine) {
	co.prev, co.next = nil, l.first
	if l.first != nil {
		l.first.prev = co
	}
	l.first = co
	l.count++
}

func (l *coroutineList) remove(co *Coroutine) {
	if co.prev == nil {
		l.first = co.next
	} else {
		co.prev.next = co.next
	}
	if co.next != nil {
		co.next.prev = co.prev
	}
	co.prev, co.next = nil, nil
	l.count--
}

// unanswered is the error of a call that is given up: why, after how long, and
// what became of the request.
func (w *waiter) unanswered(why error, now time.Duration) error {
	taken := "has taken the request"
	if int32(w.callee.taken()-w.place) < 0 {
		taken = "has not taken the request yet"
	}
	return fmt.Errorf("%w after %v, the callee %s", why, now-w.since, taken)
}
