package actor

import "slices"

// Idle reports whether there was a moment, during the call, in which nothing of
// the node ran: no service held its baton or was about to, no mailbox had a
// message. Timers and functions given to Await do not count; what they bring
// may come right after. Safe from any goroutine.
func (n *Node) Idle() bool {
	// Services are looked at one after the other. When all were idle twice and
	// none has run in between, they were idle together at the end of the first
	// round.
	launched, first, idle := n.census()
	if !idle {
		return false
	}
	again, second, idle := n.census()
	return idle && launched == again && slices.Equal(first, second)
}

// presence is a service and how far it has come.
type presence struct {
	svc      *Service
	progress uint64
}

// census returns how many services were launched so far and how far those that
// have not ended have come; false when one of them is not idle.
func (n *Node) census() (launched uint64, list []presence, idle bool) {
	launched, services := n.unended()
	for _, s := range services {
		if s.isBusy() {
			return launched, nil, false
		}
		list = append(list, presence{s, s.progress.Load()})
	}
	return launched, list, true
}

// unended returns the services that have not ended, those that are killed and
// still run included, and how many were launched so far.
func (n *Node) unended() (launched uint64, list []*Service) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.living {
		if !s.counted {
			list = append(list, s)
		}
	}
	return n.launched, list
}

// isBusy reports whether the baton is held or about to be, which it is for good
// once the service ends.
func (s *Service) isBusy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy
}
