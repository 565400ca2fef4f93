package actor

import "fmt"

// watcher is told, by an answer to a session of its own, that a service ended.
type watcher struct {
	handle  Handle
	session Session
}

// Watch has f run as a coroutine of this service when the service h has ended
// and runs nothing more, with the reason, which wraps ErrExited. cancel makes
// it never run. ErrNoService when h is nobody.
func (co *Coroutine) Watch(h Handle, f func(co *Coroutine, reason error)) (cancel func(), err error) {
	s := co.svc
	if s.closing.Load() != alive {
		return nil, ErrExited // nothing may be left with the other when this one is gone
	}
	target := s.node.reg.find(h)
	w := &waiter{kind: waitToken, session: s.newSession(), peer: h, since: s.node.Uptime()}
	w.done = func(m Message, _ error) {
		reason, _ := m.Data.(error)
		s.forks.push(func(co *Coroutine) { f(co, reason) })
	}
	if target == nil || !target.watch(watcher{s.handle, w.session}) {
		return nil, fmt.Errorf("watch %s: %w", h, ErrNoService)
	}
	w.watched = target
	s.waiting.add(w)
	return func() {
		if s.waiting.find(w.session) == w {
			s.settle(w)
		}
	}, nil
}

// watch enters w; false when the service has ended already.
func (s *Service) watch(w watcher) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.watchers = append(s.watchers, w)
	return true
}

func (s *Service) unwatch(w watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.watchers {
		if s.watchers[i] == w {
			last := len(s.watchers) - 1
			s.watchers[i] = s.watchers[last]
			s.watchers = s.watchers[:last]
			return
		}
	}
}
