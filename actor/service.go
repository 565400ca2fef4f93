package actor

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Behaviour is the code of a service. Both methods run under the baton, on a
// coroutine that may block.
type Behaviour interface {
	// Start runs once, before any message.
	Start(co *Coroutine)
	// Receive handles one message that is neither an answer nor an error. m is
	// valid until the run ends, and must not change.
	Receive(co *Coroutine, m *Message)
	// Crashed is told of a panic in Start, Receive, a fork or a timer of this
	// service, or of a Goexit there, with its stack, after a request in hand was
	// answered with an error.
	Crashed(co *Coroutine, m Message, reason any, stack []byte)
}

// closing states of a service.
const (
	alive uint32 = iota
	exiting
	killed
)

// Service is one service of a node. The fields stand in the order of who writes
// them: senders and the holder of the baton are not to take cache lines from one
// another.
type Service struct {
	node      *Node
	behaviour Behaviour
	handle    Handle
	closing   atomic.Uint32
	serial    bool
	logLevel  atomic.Int32
	limit     int     // most requests that may wait; 0: no bound
	inline    *inline // nil: it is none
	recorder  atomic.Pointer[Recorder]
	name      string

	mu       sync.Mutex // the mailbox lock
	pushed   uint32     // requests that came in
	busy     bool       // held or scheduled; false means idle
	closed   bool       // takes no more messages
	counted  bool       // under Node.mu: what it has come to stands in Node.past
	retiring bool       // ends once the mailbox is empty
	gone     bool       // the end is complete
	in       []Message  // what came in last
	full     *blockList // what came before that
	watchers []watcher
	done     chan struct{} // made on demand

	names []string // the registry's, under its lock
	drops drops
	cause error // of an exit; nil when there is no other

	// The rest is the holder's.
	progress    atomic.Uint64 // runs and answers << 32 | requests taken; each half goes round
	source      atomic.Uint32 // of the request taken last
	lastSession Session
	cpu         atomic.Int64  // nanoseconds with the baton; less the present Uptime, so below 0, while it is held
	out         fifo[Message] // taken over
	rest        *blockList    // comes after out
	handling    *Coroutine    // what a serial service waits for the end of
	running     *Coroutine
	rare        *rare
	forks       fifo[func(*Coroutine)]
	parks       uint32 // how often a coroutine went on
	ended       bool   // no coroutine is left
	threshold   int    // mailbox length that the next warning takes; 0: overloadLength
	waiting     sessions
	parked      coroutineList
	deadlines   deadlines
}

// rare is what few services have. Those without share noRare, which never
// changes.
type rare struct {
	held      fifo[Message] // requests that a serial service has put off
	woken     fifo[any]     // tokens
	failed    fifo[failure]
	sleeping  map[any]*Coroutine
	sleepers  int // most entries of sleeping since trim made it small
	responses map[*Response]struct{}
	locals    map[any]any
	stopping  []func(*Coroutine)
	stopped   bool            // Shutdown has begun
	drained   chan<- struct{} // closed once no handler is in progress; nil: nobody asks
	finishing chan struct{}
	atEnd     []func()
	flushers  []Flusher
}

var noRare rare

// own returns the rare fields for a change.
func (s *Service) own() *rare {
	if s.rare == &noRare {
		s.rare = new(rare)
	}
	return s.rare
}

// failure is an answer that needs no message: a call whose peer died, a
// deadline that passed, or co, which Interrupt has made ready.
type failure struct {
	session Session
	err     error
	co      *Coroutine
}

// turnLimit is how many messages and forks the holder runs, and how many
// hand-overs a service makes, before other goroutines of the processor run.
const turnLimit = 128

// Handle returns the address of the service.
func (s *Service) Handle() Handle { return s.handle }

// Name returns the name the service was launched under.
func (s *Service) Name() string { return s.name }

// Node returns the node of the service.
func (s *Service) Node() *Node { return s.node }

// Executes reports whether run id of co is what the service executes now. It
// answers for callers that run under the baton, whichever coroutine they kept.
func (s *Service) Executes(co *Coroutine, id uint64) bool { return s.running == co && co.id == id }

// Behaviour returns the code of the service. It may be called from any goroutine.
func (s *Service) Behaviour() Behaviour { return s.behaviour }

// deliver puts m into the mailbox, or, when the service is idle and m is an
// answer, hands the baton straight to the coroutine that waits for it. With lent
// an inline service that is idle runs on the goroutine of the caller. It returns
// how many requests had come in with m. Safe from any goroutine; never blocks.
func (s *Service) deliver(m *Message, lent bool) (uint32, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return 0, ErrNoService
	}
	answer := m.Type == PTypeResponse || m.Type == PTypeError
	if !answer {
		if s.counts(m.Type) {
			if s.limit > 0 && int(s.pushed-s.taken()) >= s.limit && m.Type != PTypeDebug && m.Type != PTypeSystem {
				s.mu.Unlock()
				return 0, ErrOverload
			}
			s.pushed++
		}
	}
	place := s.pushed
	if s.busy {
		s.pushLocked(m)
		s.mu.Unlock()
		return place, nil
	}
	s.busy = true
	if !answer {
		s.pushLocked(m)
		s.mu.Unlock()
		s.proceed(lent)
		return place, nil
	}
	s.mu.Unlock()
	if co := s.accept(m); co != nil {
		co.resume()
	} else {
		s.passOn(lent)
	}
	return place, nil
}

// counts reports whether a message of type t is one of those that wait in line:
// the announcement of a trace belongs to the request after it, and in a serial
// service debug messages overtake the others.
func (s *Service) counts(t PType) bool {
	return t != PTypeTrace && !(s.serial && t == PTypeDebug)
}

// taken returns how many requests the service has begun with. Safe from any
// goroutine.
func (s *Service) taken() uint32 { return uint32(s.progress.Load()) }

// Progress returns a number that changes with each run that begins and each answer
// that comes. Safe from any goroutine.
func (s *Service) Progress() uint64 { return s.progress.Load() }

// advance notes, for the holder, that another run begins or an answer came.
func (s *Service) advance() { s.progress.Store(s.progress.Load() + 1<<32) }

// take notes, for the holder, that the service begins with m. What goes over from
// the lower half does no harm in the upper one.
func (s *Service) take(m *Message) {
	p := s.progress.Load() + 1<<32
	if s.counts(m.Type) {
		p++
	}
	s.progress.Store(p)
	if from := uint32(m.Source); s.source.Load() != from {
		s.source.Store(from)
	}
}

// What step found for the baton to do next.
type next int

const (
	nextIdle   next = iota // nothing: the baton is released
	nextResume             // a parked coroutine goes on
	nextWork               // a message, a fork or the end of the service
)

// step finds what comes next, for the holder. After nextIdle the caller holds
// the baton no more. now is the Uptime when the caller has just read it, or 0.
func (s *Service) step(now time.Duration) (*Coroutine, next) {
	for {
		if s.closing.Load() != alive || s.arrived() {
			return nil, nextWork
		}
		if s.rare.woken.len() > 0 {
			token := s.rare.woken.pop()
			if co := s.rare.sleeping[token]; co != nil {
				s.settle(&co.wait)
				co.answer, co.err = Message{}, ErrBreak
				return co, nextResume
			}
			continue
		}
		if s.rare.failed.len() > 0 {
			f := s.rare.failed.pop()
			if f.co != nil {
				return f.co, nextResume
			}
			if w := s.waiting.find(f.session); w != nil {
				if co := s.answer(w, Message{}, f.err); co != nil {
					return co, nextResume
				}
			}
			continue
		}
		if s.forks.len() > 0 || s.handling == nil && s.rare.held.len() > 0 {
			return nil, nextWork
		}
		if s.out.len() == 0 && !s.nextBlock() {
			s.flush()
			if !s.refill(now) {
				return nil, nextIdle
			}
			s.checkLoad(s.Waiting() + s.rare.held.len())
			continue
		}
		if t := s.out.peek().Type; t != PTypeResponse && t != PTypeError {
			if s.handling == nil || t == PTypeDebug {
				return nil, nextWork
			}
			s.own().held.push(s.out.pop())
			continue
		}
		m := s.out.pop()
		if co := s.accept(&m); co != nil {
			return co, nextResume
		}
	}
}

// refill takes what has come in since; when nothing has, it releases the baton.
// A Kill that came meanwhile keeps it, since it saw the service busy.
func (s *Service) refill(now time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.in) == 0 {
		if s.retiring {
			s.closing.CompareAndSwap(alive, killed)
		}
		if s.closing.Load() != alive {
			return true
		}
		s.trim()
		s.stopClock(now)
		if s.rare.held.len() == 0 {
			s.threshold = 0
		}
		s.busy = false
		return false
	}
	s.takeOverLocked()
	return true
}

// trim gives back what a burst has left; the service is about to be idle.
func (s *Service) trim() {
	s.in, s.out.buf = s.node.blocks.give(s.in), s.node.blocks.give(s.out.buf)
	s.rare.woken.trim()
	s.rare.failed.trim()
	s.forks.trim()
	s.waiting.trim()
	if s.rare.sleepers > keepCap && len(s.rare.sleeping) < s.rare.sleepers/8 { // maps do not shrink by themselves
		s.rare.sleeping, s.rare.sleepers = rebuilt(s.rare.sleeping), len(s.rare.sleeping)
	}
}

func rebuilt[K comparable, V any](m map[K]V) map[K]V {
	if len(m) == 0 {
		return nil
	}
	small := make(map[K]V, len(m))
	maps.Copy(small, m)
	return small
}

// accept takes an answer, for the holder: it returns the coroutine that goes
// on with it, or nil when it was no coroutine's.
func (s *Service) accept(m *Message) *Coroutine {
	s.advance()
	s.record(m)
	if m.Session == 0 {
		switch {
		case m.Type == PTypeError:
			s.peerEnded(m.Source)
		case m.Data == nil:
			s.expire()
		default:
			s.control(m.Data)
		}
		return nil
	}
	w := s.waiting.find(m.Session)
	if w == nil {
		if m.Source != 0 { // not a timer that was too late to cancel
			s.dropped(dropLate)
		}
		return nil
	}
	switch {
	case m.Type == PTypeError:
		return s.answer(w, Message{}, answerError(m.Data))
	case w.timer != nil && w.kind == waitCall && m.Source == 0:
		return s.answer(w, Message{}, w.unanswered(ErrTimeout, s.node.Uptime()))
	}
	return s.answer(w, *m, nil)
}

// answer gives w what it waited for; it returns the coroutine that goes on with
// it, if it is one that waits.
func (s *Service) answer(w *waiter, m Message, err error) *Coroutine {
	s.settle(w)
	switch {
	case w.done != nil:
		w.done(m, err)
		return nil
	case w.then != nil:
		s.arrive(w, m, err)
		return nil
	case w.fn != nil:
		s.forks.push(w.fn)
		return nil
	}
	w.co.answer, w.co.err = m, err
	return w.co
}

// answerError is what a caller gets for a PTypeError answer.
func answerError(data any) error {
	if err, ok := data.(error); ok {
		return err
	}
	return ErrCallFailed
}

// peerEnded fails the calls that wait for peer and drops the answers it was
// owed (lualib/skynet.lua: _error_dispatch with session 0).
func (s *Service) peerEnded(peer Handle) {
	for r := range s.rare.responses {
		if r.source == peer {
			delete(s.rare.responses, r)
		}
	}
	for _, w := range s.waiting.all() {
		if w.kind == waitCall && w.peer == peer {
			s.own().failed.push(failure{session: w.session, err: fmt.Errorf("%w: %s", ErrExited, peer)})
		}
	}
}

// passOn gives the baton to whatever comes next. The caller held it and holds
// it no more.
func (s *Service) passOn(lent bool) {
	switch co, n := s.step(0); n {
	case nextResume:
		co.resume()
	case nextWork:
		s.proceed(lent)
	}
}

// newSession counts the sessions of this service, skipping those in use.
func (s *Service) newSession() Session {
	for {
		s.lastSession++
		if s.lastSession > maxSession {
			s.lastSession = 1
		}
		if s.waiting.find(s.lastSession) == nil {
			return s.lastSession
		}
	}
}

// settle takes w out of every table it is in, for the holder.
func (s *Service) settle(w *waiter) {
	s.waiting.remove(w.session)
	if w.token != nil {
		delete(s.rare.sleeping, w.token)
		w.token = nil
	}
	if w.timer != nil {
		s.node.timers.cancel(w.timer)
		w.timer = nil
	}
	if w.edge != nil {
		s.node.graph.forget(w.edge)
		w.edge = nil
	}
	if w.watched != nil {
		w.watched.unwatch(watcher{s.handle, w.session})
		w.watched = nil
	}
	s.deadlines.remove(w)
}

// expire fails the calls whose deadline has passed, and sets the next alarm.
func (s *Service) expire() {
	now := s.node.Uptime()
	s.disarmDeadlines()
	s.deadlines.expired(now, func(w *waiter) {
		s.own().failed.push(failure{session: w.session, err: w.unanswered(ErrTimeout, now)})
	})
	s.armDeadlines()
}

func (s *Service) armDeadlines() {
	when := s.deadlines.earliest()
	if alarm := s.deadlines.alarm; when == 0 || alarm != nil && alarm.when <= when {
		return
	}
	s.disarmDeadlines()
	s.deadlines.alarm = s.node.timers.add(when, s.handle, 0)
}

func (s *Service) disarmDeadlines() {
	if s.deadlines.alarm != nil {
		s.node.timers.cancel(s.deadlines.alarm)
		s.deadlines.alarm = nil
	}
}

// Local returns the value kept under key for this service, made by mk when it
// is the first time. Only the holder may call it.
func (s *Service) Local(key any, mk func() any) any {
	if v, ok := s.rare.locals[key]; ok {
		return v
	}
	v := mk()
	if s.own().locals == nil {
		s.rare.locals = make(map[any]any)
	}
	s.rare.locals[key] = v
	return v
}

// AtEnd has f called when the service has ended: after its coroutines, before
// its end is reported. f must not block. Only the holder may call it.
func (s *Service) AtEnd(f func()) { s.own().atEnd = append(s.rare.atEnd, f) }
