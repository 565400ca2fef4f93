package actor

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// errGoexit is why a coroutine ended that a Goexit in its code has ended.
var errGoexit = errors.New("the handler's goroutine was ended")

// hold runs the service on co, which was given the baton, until the baton has
// gone elsewhere; with lent, on a goroutine of somebody else's, whose time it is. A coroutine that ends by Goexit, in whoever's code, leaves
// through the defer, which sees that the baton goes on.
func (s *Service) hold(co *Coroutine, lent bool) {
	if !lent {
		s.startClock()
		if on := s.node.labels(); on || co.labelled { // those may be of another service
			co.label(on)
		}
	}
	left := false
	defer func() {
		if !left {
			s.unwound(co)
		}
	}()
	for !s.turns(co, lent) {
	}
	left = true
}

// turns runs one thing after the other; false after a panic, whose coroutine
// has ended while the baton is still held.
func (s *Service) turns(co *Coroutine, lent bool) (left bool) {
	defer func() {
		if r := recover(); r != nil {
			s.crashed(co, r, debug.Stack())
		}
	}()
	for turn := 1; ; turn++ {
		if s.closing.Load() != alive {
			if lent {
				s.node.schedule(s)
			} else {
				s.finish()
			}
			return true
		}
		switch ready, n := s.step(0); n {
		case nextIdle:
			return true
		case nextResume:
			ready.resume()
			return true
		}
		switch {
		case s.closing.Load() != alive:
			continue
		case lent && (turn > lentLimit || s.mayBlockNext()):
			s.node.schedule(s)
			return true
		case s.arrived():
			s.runArrival(co)
		case s.forks.len() > 0:
			f := s.forks.pop()
			co.beginFork()
			f(co)
		default:
			q := &s.out
			if s.handling == nil && s.rare.held.len() > 0 {
				q = &s.rare.held
			}
			co.begin(q)
			s.behaviour.Receive(co, &co.request)
		}
		co.end(ErrCallFailed)
		if turn%turnLimit == 0 {
			s.flush()
			s.checkBacklog()
			co.relabel()
			runtime.Gosched()
		}
	}
}

func (s *Service) crashed(co *Coroutine, reason any, stack []byte) {
	m := co.request
	if err, ok := reason.(error); ok && err == errGoexit {
		co.Fail(fmt.Errorf("%w: %w", ErrCallFailed, err))
	} else {
		co.Fail(fmt.Errorf("%w: panic: %v", ErrCallFailed, reason))
	}
	s.behaviour.Crashed(co, m, reason, stack)
	co.end(nil)
}

// unwound goes on after a Goexit has ended co, which held the baton.
func (s *Service) unwound(co *Coroutine) {
	switch {
	case s.closing.Load() == alive:
		s.crashed(co, errGoexit, debug.Stack())
		s.passOn(false)
	case s.ended:
		// by a function of AtEnd
	case s.rare.finishing != nil:
		co.end(s.exitError())
		s.rare.finishing <- struct{}{}
	default:
		co.end(s.exitError())
		s.finish()
	}
}

// exitError is why the service has ended, for those who wait for it.
func (s *Service) exitError() error {
	if s.closing.Load() == killed {
		return fmt.Errorf("%w: %s %s was killed", ErrExited, s.handle, s.name)
	}
	if s.cause != nil {
		return fmt.Errorf("%w: %s %s: %w", ErrExited, s.handle, s.name, s.cause)
	}
	return fmt.Errorf("%w: %s %s", ErrExited, s.handle, s.name)
}

// finish ends the service, for the holder: it takes no more messages, everyone
// who waits for it gets an error, its parked coroutines end one at a time.
func (s *Service) finish() {
	if s.serial {
		defer s.node.serials.Add(-1)
	}
	s.flush()
	err := sync.OnceValue(s.exitError)
	for s.rare.held.len() > 0 {
		s.refuse(s.rare.held.pop(), err())
	}
	for s.out.len() > 0 || s.nextBlock() {
		s.refuse(s.out.pop(), err())
	}
	s.shut()
	for r := range s.rare.responses {
		_, _ = r.Fail(err())
	}
	s.forks = fifo[func(*Coroutine)]{}
	for co := s.parked.first; co != nil; co = co.next {
		co.Fail(err())
		co.cancelContext()
	}
	peers := make(map[Handle]struct{})
	for _, w := range s.waiting.all() {
		if w.kind == waitCall {
			peers[w.peer] = struct{}{}
		}
		s.settle(w)
	}
	if s.closing.Load() == exiting { // a killed service tells nobody (B050)
		for peer := range peers {
			_ = s.node.Send(peer, Message{Type: PTypeError, Source: s.handle})
		}
	}
	s.disarmDeadlines()
	if s.parked.first != nil {
		s.own().finishing = make(chan struct{})
	}
	for s.parked.first != nil {
		s.parked.first.resume()
		<-s.rare.finishing
	}
	s.ended = true
	defer s.report()
	for _, f := range s.rare.atEnd {
		s.guard("AtEnd", f)
	}
}

// guard calls f, code of others that runs outside of a handler: its panic is
// logged and goes no further, or whoever holds the baton here would not pass it
// on.
func (s *Service) guard(what string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			s.node.logPanic(s.handle, what, r)
		}
	}()
	f()
}

// report tells everyone who waits for the end that it is complete.
func (s *Service) report() {
	s.mu.Lock()
	s.gone = true
	if s.done != nil {
		close(s.done)
	}
	watchers := s.watchers
	s.watchers = nil
	s.mu.Unlock()
	s.setRecorder(nil)
	for _, w := range watchers {
		_ = s.node.Send(w.handle, Message{Type: PTypeResponse, Session: w.session, Source: s.handle, Data: s.exitError()})
	}
	s.checkDrained()
	s.node.forgetEnded(s)
}

// isGone reports whether nothing of the service runs any more. Safe from any
// goroutine.
func (s *Service) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// refuse answers a request that will not be handled.
func (s *Service) refuse(m Message, err error) {
	if isAnswer(m.Type) {
		if m.Session != 0 && m.Source != 0 {
			s.dropped(dropLate)
		}
		return
	}
	s.dropped(dropExited)
	if m.Session != 0 && m.Type != PTypeClient {
		s.node.answer(s.handle, m, PTypeError, err)
	}
}

// Done returns a channel that is closed once the service has ended and nothing
// of it runs any more. Safe from any goroutine.
func (s *Service) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.gone {
			close(s.done)
		}
	}
	return s.done
}

// shut has the service take no more messages: its handle and its names are free,
// and what its holder has not taken over yet is refused. Safe from any goroutine,
// and more than once.
func (s *Service) shut() (wasBusy bool) {
	s.mu.Lock()
	wasBusy, s.busy = s.busy, true
	s.closed = true
	full, in := s.full, s.in
	s.full, s.in = nil, nil
	s.mu.Unlock()
	s.node.reg.remove(s)
	if full == nil && len(in) == 0 {
		return wasBusy
	}
	err := s.exitError()
	if full != nil {
		for _, block := range full.list {
			for _, m := range block {
				s.refuse(m, err)
			}
		}
	}
	for _, m := range in {
		s.refuse(m, err)
	}
	return wasBusy
}

// kill shuts the service at once, and ends it as soon as a handler that runs
// blocks or has ended.
func (s *Service) kill() bool {
	if !s.closing.CompareAndSwap(alive, killed) {
		return false
	}
	if !s.shut() {
		s.node.schedule(s)
	}
	return true
}

// retire is kill that lets the service handle first what its mailbox holds.
func (s *Service) retire() {
	s.mu.Lock()
	s.retiring = true
	idle := !s.busy && !s.closed
	if idle {
		s.busy = true
	}
	s.mu.Unlock()
	if idle {
		s.node.schedule(s)
	}
}
