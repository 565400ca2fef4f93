package actor

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Reasons why a message reached nobody.
const (
	dropNoService = iota
	dropExited
	dropLate
	dropOverload
	dropReasons
)

// drops counts messages that reached nobody.
type drops [dropReasons]atomic.Uint64

// Drops counts the messages that reached nobody, by reason.
type Drops struct {
	NoService uint64 // the address named no living service; counted for the sender
	Exited    uint64 // requests still in the mailbox when the service ended
	Late      uint64 // answers that came after their call had ended
	Overload  uint64 // requests refused because the mailbox had reached its bound
}

func (d *drops) read() Drops {
	return Drops{d[dropNoService].Load(), d[dropExited].Load(), d[dropLate].Load(), d[dropOverload].Load()}
}

func (s *Service) dropped(reason int) {
	s.drops[reason].Add(1)
	s.node.counters[reason].Add(1)
}

func (n *Node) dropped(source Handle, reason int) {
	if s := n.reg.find(source); s != nil {
		s.drops[reason].Add(1)
	}
	n.counters[reason].Add(1)
}

// Drops returns the counts of messages of this node that reached nobody.
func (n *Node) Drops() Drops { return (*drops)(&n.counters).read() }

// Stat is what the runtime knows of a service.
type Stat struct {
	CPU      time.Duration // held its baton, when Config.Profile is set
	Requests uint32        // handled, counted modulo 2^32
	Mailbox  int           // requests that wait
	Drops    Drops
}

// Stat returns the present numbers. Safe from any goroutine.
func (s *Service) Stat() Stat {
	s.mu.Lock()
	pushed := s.pushed
	s.mu.Unlock()
	taken := s.taken()
	return Stat{
		CPU:      time.Duration(s.cpu.Load()),
		Requests: taken,
		Mailbox:  max(int(int32(pushed-taken)), 0),
		Drops:    s.drops.read(),
	}
}

// overloadLength is the length of a mailbox that is warned of first
// (skynet_mq.c: MQ_OVERLOAD).
const overloadLength = 1024

// checkLoad warns, for the holder, when waiting messages wait; after that when
// they are twice as many, until the mailbox has been empty.
func (s *Service) checkLoad(waiting int) {
	waiting-- // one is about to be taken
	if waiting <= max(s.threshold, overloadLength) {
		return
	}
	for s.threshold = max(s.threshold, overloadLength); s.threshold < waiting; {
		s.threshold *= 2
	}
	s.node.Log(s.handle, fmt.Sprintf("error: May overload, message queue length = %d", waiting))
	if f := s.node.cfg.OnOverload; f != nil {
		f(s.handle, waiting)
	}
}

// startClock begins to count the time with the baton, unless it is counted.
func (s *Service) startClock() {
	if s.since == 0 && s.node.cfg.Profile {
		s.since = s.node.Uptime()
	}
}

// stopClock adds what was counted; the baton is about to be released.
func (s *Service) stopClock() {
	if s.since != 0 {
		s.cpu.Store(s.cpu.Load() + int64(s.node.Uptime()-s.since))
		s.since = 0
	}
}
