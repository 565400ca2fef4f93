package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skynetgo/skynet/service"
)

// LinkState is what this node knows of its way to another node.
type LinkState uint8

// States of a link.
const (
	LinkUnknown    LinkState = iota // nothing has been tried at the address that the table has, if any
	LinkConnecting                  // the first attempt, or one after LinkDown
	LinkUp                          // connected
	LinkDown                        // the last attempt has failed, or the connection was lost
	LinkClosed                      // the table says false
)

func (s LinkState) String() string {
	return [...]string{"unknown", "connecting", "up", "down", "closed"}[s]
}

// LinkEventKind is what can happen to a link.
type LinkEventKind uint8

// What happens to links.
const (
	LinkMoved   LinkEventKind = iota // the table names an address, or another one
	LinkRemoved                      // the table says false
	LinkDialing                      // an attempt to connect begins
	LinkOpened                       // the attempt has connected
	LinkFailed                       // the attempt has failed, or the connection ended before anything came
	LinkLost                         // the connection has ended
)

func (k LinkEventKind) String() string {
	return [...]string{"moved", "removed", "dialing", "opened", "failed", "lost"}[k]
}

// stay marks what does not happen in a state, or comes too late to count.
const stay = LinkState(0xff)

// transitions gives the next state, by state and event.
var transitions = [...][6]LinkState{
	//               moved        removed     dialing         opened  failed    lost
	LinkUnknown:    {LinkUnknown, LinkClosed, LinkConnecting, stay, stay, stay},
	LinkConnecting: {LinkUnknown, LinkClosed, LinkConnecting, LinkUp, LinkDown, LinkDown},
	LinkUp:         {LinkUnknown, LinkClosed, stay, stay, LinkDown, LinkDown},
	LinkDown:       {LinkUnknown, LinkClosed, LinkConnecting, stay, stay, stay},
	LinkClosed:     {LinkUnknown, stay, stay, stay, stay, stay},
}

// After freeAttempts that have failed the next one waits for firstPause, and
// each later one twice as long, up to Settings.Backoff.
const (
	freeAttempts = 2
	firstPause   = 50 * time.Millisecond
)

// LinkEvent is what a service that has called WatchLinks is told.
type LinkEvent struct {
	Node     string
	Addr     string
	Kind     LinkEventKind
	State    LinkState // after the event
	Err      error     // why, of LinkFailed and LinkLost
	Attempts int       // attempts that have failed since the link was up
}

// DropReason says why a message was not sent to another node.
type DropReason uint8

// Why messages are dropped.
const (
	DropDown     DropReason = iota // there was no connection
	DropOverload                   // too much waits to be sent
	DropTooLarge                   // Settings.MaxMessage
	DropUnknown                    // the table does not have the node
	dropReasons
)

func (r DropReason) String() string {
	return [...]string{"down", "overload", "too large", "unknown node"}[r]
}

// DropReasonOf says why a message is dropped that could not be sent for err.
func DropReasonOf(err error) DropReason {
	switch {
	case errors.Is(err, service.ErrOverload):
		return DropOverload
	case errors.Is(err, ErrTooLarge):
		return DropTooLarge
	case errors.Is(err, ErrNodeUnknown):
		return DropUnknown
	}
	return DropDown
}

// Link is what this node knows of its way to one other node. It is kept by
// clusterd and clustersender, and shared by all services of the node, so that a
// send to a node that is known to be down fails at once. Its methods may be
// called from any goroutine and do not block.
type Link struct {
	node    string
	board   *board
	refusal atomic.Pointer[refusal]
	drops   [dropReasons]atomic.Uint64
	skipped atomic.Uint32
	queued  atomic.Int64
	Traffic Traffic

	mu       sync.Mutex
	state    LinkState
	addr     string
	since    time.Time
	opened   time.Duration // uptime of the last LinkOpened
	err      error
	attempts int
	reported bool   // a loss was logged since it was up
	dropped  uint64 // since the link was up
}

// Traffic counts what has gone over a link.
type Traffic struct {
	Requests, Pushes, Answers, Errors atomic.Uint64
	// Unsent are bytes that were queued when their connection was lost.
	Unsent atomic.Uint64
}

// refusal is the error of uses until a time; 0 is for ever.
type refusal struct {
	err   error
	until time.Duration
}

// LinkStatus is a Link at one time.
type LinkStatus struct {
	Node     string
	Addr     string
	State    LinkState
	Since    time.Time
	Err      error // why it is down, or was the last time
	Attempts int   // attempts that have failed since it was up
	Requests uint64
	Pushes   uint64
	Answers  uint64
	Errors   uint64 // answers that say no
	Unsent   uint64 // bytes that were queued when their connection was lost
	Dropped  map[DropReason]uint64
}

// Status returns what is known now.
func (l *Link) Status() LinkStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	attempts := l.attempts
	if l.state == LinkUp {
		attempts = 0
	}
	s := LinkStatus{
		Node: l.node, Addr: l.addr, State: l.state, Since: l.since, Err: l.err, Attempts: attempts,
		Requests: l.Traffic.Requests.Load(), Pushes: l.Traffic.Pushes.Load(),
		Answers: l.Traffic.Answers.Load(), Errors: l.Traffic.Errors.Load(), Unsent: l.Traffic.Unsent.Load(),
		Dropped: make(map[DropReason]uint64),
	}
	for r := range l.drops {
		if n := l.drops[r].Load(); n > 0 {
			s.Dropped[DropReason(r)] = n
		}
	}
	return s
}

// Change is what an event made of a link.
type Change struct {
	From, To LinkState
	Attempts int    // that had failed before
	Dropped  uint64 // messages that were not sent since it was up
}

// Happened takes an event in, tells those who watch, and reports whether it
// counted: what comes from an address that the link has left does not. backoff
// is the longest pause after a failure.
func (l *Link) Happened(kind LinkEventKind, addr string, err error, backoff time.Duration) (Change, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := transitions[l.state][kind]
	if to == stay || kind > LinkRemoved && addr != l.addr {
		return Change{}, false
	}
	ch := Change{From: l.state, To: to, Attempts: l.attempts, Dropped: l.dropped}
	now := l.board.node.Uptime()
	switch kind {
	case LinkMoved:
		l.addr, l.err, l.attempts = addr, nil, 0
		l.refusal.Store(nil)
	case LinkRemoved:
		l.addr, l.err, l.attempts = "", nil, 0
		l.refusal.Store(&refusal{err: fmt.Errorf("%w: %s: the node table says false", ErrNodeDown, l.node)})
	case LinkOpened:
		l.opened = now
		l.refusal.Store(nil)
	case LinkLost:
		l.err, l.attempts = err, 0
	case LinkFailed:
		if l.state == LinkUp && l.opened+backoff <= now {
			l.attempts = 0 // it had been good for something
		}
		l.err = err
		l.failed(now, backoff)
	}
	if to != l.state {
		l.reported = l.reported && l.state != LinkUp && to != LinkUp && kind > LinkRemoved
		l.state, l.since = to, l.board.node.StartTime().Add(now)
	}
	if to == LinkUp || kind <= LinkRemoved {
		l.dropped = 0
	}
	l.board.tell(LinkEvent{Node: l.node, Addr: l.addr, Kind: kind, State: to, Err: err, Attempts: l.attempts})
	return ch, true
}

// failed has uses fail for a time, once attempts have failed repeatedly. The
// time is drawn from its second half, so that nodes do not come back all at
// once.
func (l *Link) failed(now, backoff time.Duration) {
	l.attempts++
	pause := min(firstPause<<min(max(l.attempts-freeAttempts-1, 0), 20), backoff)
	if l.attempts <= freeAttempts || pause <= 0 {
		return
	}
	pause -= rand.N(pause/2 + 1)
	l.refusal.Store(&refusal{&DownError{Node: l.node, Addr: l.addr, Reason: l.err}, now + pause})
}

// Refuse has uses fail with err, or with nil no longer, until the next LinkMoved
// or LinkRemoved.
func (l *Link) Refuse(err error) {
	if err == nil {
		l.refusal.Store(nil)
		return
	}
	l.refusal.Store(&refusal{err: err})
}

// RefuseFor has uses fail with err for a short time, unless they fail anyway.
func (l *Link) RefuseFor(err error, d time.Duration) {
	old := l.refusal.Load()
	now := l.board.node.Uptime()
	if old == nil || old.until > 0 && old.until <= now {
		l.refusal.CompareAndSwap(old, &refusal{err, now + d})
	}
}

// Queue notes that n bytes more wait for a connection to be made, or with less
// than 0 that they do no longer; ErrOverload when they are too many.
func (l *Link) Queue(n int) error {
	if waiting, limit := l.queued.Add(int64(n)), l.board.maxQueued.Load(); n > 0 && waiting > limit {
		l.queued.Add(int64(-n))
		return fmt.Errorf("%w: %d bytes wait for a connection to node %s", service.ErrOverload, waiting-int64(n), l.node)
	}
	return nil
}

// Refused returns the error for who wants to use the link now, if any.
func (l *Link) Refused() error {
	r := l.refusal.Load()
	if r == nil || r.until > 0 && r.until <= l.board.node.Uptime() {
		return nil
	}
	return r.err
}

// Skip counts a call that was refused. In Skynet it would have reached the
// sender and used a session number, so the sender leaves one out.
func (l *Link) Skip() { l.skipped.Add(1) }

// Skipped returns how often Skip was called since it was asked last.
func (l *Link) Skipped() uint32 { return l.skipped.Swap(0) }

// Drop counts n messages that are not sent.
func (l *Link) Drop(reason DropReason, n int) {
	l.drops[reason].Add(uint64(n))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped += uint64(n)
}

// FirstLoss is true once for each time that the link goes down: then a loss is
// worth a line in the log.
func (l *Link) FirstLoss() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.reported
	l.reported = true
	return first
}
