package actor

import (
	"fmt"
	"time"
)

// Sleep blocks for d, never less; ErrBreak when Wakeup(token) ended it early.
// A nil token is the coroutine itself.
func (co *Coroutine) Sleep(d time.Duration, token any) error {
	if err := co.MayBlock(); err != nil {
		return err
	}
	w, err := co.sleepOn(token, waitTimer)
	if err != nil {
		return err
	}
	co.svc.startTimer(w, d)
	_, err = co.park()
	return err
}

// Wait blocks until Wakeup(token). A nil token is the coroutine itself.
func (co *Coroutine) Wait(token any) error {
	if err := co.MayBlock(); err != nil {
		return err
	}
	if _, err := co.sleepOn(token, waitToken); err != nil {
		return err
	}
	_, err := co.park()
	if err == ErrBreak {
		return nil
	}
	return err
}

func (co *Coroutine) sleepOn(token any, kind waitKind) (*waiter, error) {
	s := co.svc
	if token == nil {
		token = co
	}
	if s.rare.sleeping[token] != nil {
		return nil, fmt.Errorf("%w: token duplicative", ErrMisuse)
	}
	if s.own().sleeping == nil {
		s.rare.sleeping = make(map[any]*Coroutine)
	}
	s.rare.sleeping[token] = co
	s.rare.sleepers = max(s.rare.sleepers, len(s.rare.sleeping))
	co.wait = waiter{co: co, kind: kind, session: s.newSession(), token: token, since: s.node.Uptime()}
	s.waiting.add(&co.wait)
	return &co.wait, nil
}

// startTimer has w answered after d; 0 and less is the back of the mailbox.
func (s *Service) startTimer(w *waiter, d time.Duration) {
	if d <= 0 {
		_, _ = s.deliver(&Message{Type: PTypeResponse, Session: w.session}, false)
		return
	}
	w.timer = s.node.timers.add(later(s.node.Uptime(), d), s.handle, w.session)
}

// Wakeup ends the Sleep or Wait of token once the running coroutine gives the
// baton away; false when nobody sleeps on it.
func (co *Coroutine) Wakeup(token any) bool {
	if co.svc.rare.sleeping[token] == nil {
		return false
	}
	co.svc.rare.woken.push(token)
	return true
}

// Fork has f run as a coroutine of its own, after the running one has given
// the baton away or ended, in the order of the forks.
func (co *Coroutine) Fork(f func(*Coroutine)) {
	if co.svc.closing.Load() == alive {
		co.svc.forks.push(f)
	}
}

// Timeout has f run as a coroutine of its own after d, never earlier. The
// Timer may be cancelled.
func (co *Coroutine) Timeout(d time.Duration, f func(*Coroutine)) *Timer {
	s := co.svc
	if s.closing.Load() != alive {
		return &Timer{svc: s}
	}
	w := &waiter{fn: f, kind: waitTimer, session: s.newSession(), since: s.node.Uptime()}
	s.waiting.add(w)
	s.startTimer(w, d)
	return &Timer{svc: s, wait: w}
}

// Timer is a function that Timeout has put off.
type Timer struct {
	svc  *Service
	wait *waiter
}

// Cancel keeps the function from running; false when it ran or was cancelled
// before. Only a coroutine of the service may call it.
func (t *Timer) Cancel() bool {
	if t.wait == nil || t.svc.waiting.find(t.wait.session) != t.wait {
		return false
	}
	t.svc.settle(t.wait)
	return true
}
