package actor

import (
	"fmt"
	"log/slog"
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
	NoService uint64 // requests whose address named no living service; counted for the sender
	Exited    uint64 // requests still in the mailbox when the service ended
	Late      uint64 // answers that came after their call, or its whole service, had ended
	Overload  uint64 // requests refused because the mailbox had reached its bound
}

func (d *drops) read() Drops {
	return Drops{d[dropNoService].Load(), d[dropExited].Load(), d[dropLate].Load(), d[dropOverload].Load()}
}

func (s *Service) dropped(reason int) {
	s.drops[reason].Add(1)
	s.node.counters[reason].Add(1)
}

// missed counts a message whose receiver is gone, for its sender. The notice of
// an exit is no loss to one who has ended too.
func (n *Node) missed(m Message) {
	reason := dropNoService
	if m.Type == PTypeTrace {
		return // its request counts
	}
	if isAnswer(m.Type) {
		if m.Session == 0 {
			return
		}
		reason = dropLate
	}
	if s := n.reg.find(m.Source); s != nil {
		s.drops[reason].Add(1)
	}
	n.counters[reason].Add(1)
}

func isAnswer(t PType) bool { return t == PTypeResponse || t == PTypeError }

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
		CPU:      s.cpuTime(),
		Requests: taken,
		Mailbox:  max(int(int32(pushed-taken)), 0),
		Drops:    s.drops.read(),
	}
}

// NodeStat is what the runtime knows of all services of a node together, those
// that have ended included. While the node is idle
//
//	Accepted = Requests + Mailbox + Drops.Exited
//
// but for the messages that Stat.Requests leaves out.
type NodeStat struct {
	Services int           // that have not ended
	Launched uint64        // so far
	CPU      time.Duration // with a baton, when Config.Profile is set
	Accepted uint64        // requests that came into a mailbox
	Requests uint64        // of these, those that a handler has begun with
	Mailbox  int           // of these, those that wait
	Drops    Drops
}

// Stat returns the present numbers; those of each service are counted modulo
// 2^32. It looks at every service. Safe from any goroutine.
func (n *Node) Stat() NodeStat {
	n.mu.Lock()
	defer n.mu.Unlock()
	sum := n.past
	sum.Launched, sum.Drops = n.launched, n.Drops()
	for _, s := range n.living {
		if !s.counted {
			sum.Services++
			sum.add(s)
		}
	}
	return sum
}

func (sum *NodeStat) add(s *Service) {
	s.mu.Lock()
	sum.Accepted += uint64(s.pushed)
	s.mu.Unlock()
	stat := s.Stat()
	sum.CPU += stat.CPU
	sum.Requests += uint64(stat.Requests)
	if !s.counted {
		sum.Mailbox += stat.Mailbox
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
	s.node.LogAt(slog.LevelWarn, s.handle, fmt.Sprintf("error: May overload, message queue length = %d", waiting))
	if f := s.node.cfg.OnOverload; f != nil {
		s.guard("OnOverload", func() { f(s.handle, waiting) })
	}
}

// checkBacklog is checkLoad for what came in since the last refill too.
func (s *Service) checkBacklog() {
	s.mu.Lock()
	waiting := s.waitingLocked()
	s.mu.Unlock()
	s.checkLoad(waiting + s.Waiting() + s.rare.held.len())
}

// startClock begins to count the time with the baton, unless it is counted.
func (s *Service) startClock() {
	if cpu := s.cpu.Load(); cpu >= 0 && s.node.cfg.Profile {
		s.cpu.Store(min(cpu-int64(s.node.Uptime()), -1))
	}
}

// stopClock adds what was counted; the baton is about to be released. now is the
// Uptime when the caller knows it, or 0.
func (s *Service) stopClock(now time.Duration) {
	if cpu := s.cpu.Load(); cpu < 0 {
		if now == 0 {
			now = s.node.Uptime()
		}
		s.cpu.Store(max(cpu+int64(now), 0))
	}
}

// cpuTime returns the time with the baton, up to now when it is held. Safe from
// any goroutine.
func (s *Service) cpuTime() time.Duration {
	cpu := time.Duration(s.cpu.Load())
	if cpu < 0 {
		cpu += s.node.Uptime()
	}
	return max(cpu, 0)
}
