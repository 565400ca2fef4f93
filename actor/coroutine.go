package actor

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Coroutine is one run of service code: a handler, a fork, a timer's function.
// It belongs to the service that runs it and is used under its baton only; its
// methods that block give the baton to others meanwhile, so the service's
// state may have changed when they return.
type Coroutine struct {
	svc   *Service
	id    uint64 // another one for each run; changes under the baton only
	ready chan struct{}

	// Layer belongs to the layer above. It stays from one run to the next, of
	// other services too; use it under the baton.
	Layer any

	tag       string
	request   Message // what is being handled; Session 0 when nothing is owed
	handles   bool    // this run handles request
	owed      bool    // request waits for an answer
	noted     bool    // graph knows of this run
	bound     bool    // runs what may not block, in an inline service
	labelled  bool    // its goroutine, for profiles
	wait      waiter
	asked     []*waiter // of Ask, while there are serial services
	answer    Message
	err       error
	unwind    bool            // the service ends: blocking calls return ErrExited
	interrupt error           // set by Interrupt while not parked
	ctx       context.Context // made on demand
	cancel    context.CancelFunc

	prev, next *Coroutine // in Service.parked
}

// Service returns the service that runs the coroutine. It may be called from
// any goroutine.
func (co *Coroutine) Service() *Service { return co.svc }

// Node returns the node of the service. It may be called from any goroutine.
func (co *Coroutine) Node() *Node { return co.svc.node }

// ID tells this run from earlier and later ones of the same *Coroutine.
func (co *Coroutine) ID() uint64 { return co.id }

// Request returns the message being handled, the zero Message in a fork.
func (co *Coroutine) Request() Message { return co.request }

// Owed reports whether the request in hand still waits for its answer.
func (co *Coroutine) Owed() bool { return co.owed }

// Tag returns the text given to SetTag in this run.
func (co *Coroutine) Tag() string { return co.tag }

// SetTag keeps a text with this run, for the layer above.
func (co *Coroutine) SetTag(tag string) { co.tag = tag }

// Term makes the calls that wait for peer fail, as when it had exited.
func (co *Coroutine) Term(peer Handle) { co.svc.peerEnded(peer) }

// IgnoreRet declares that the session of the message in hand is no request
// (skynet.ignoreret).
func (co *Coroutine) IgnoreRet() { co.settle() }

// settle notes that the request in hand wants no answer of this run any more.
func (co *Coroutine) settle() {
	co.owed = false
	if co.noted {
		co.svc.node.graph.settled(co)
	}
}

// Context returns a context.Context, the same each time, that ends with this
// run of the coroutine, whichever way that ends, or with the parent given first.
func (co *Coroutine) Context(parent context.Context) context.Context {
	if co.ctx == nil {
		co.ctx, co.cancel = context.WithCancel(parent)
	}
	return co.ctx
}

// resume hands the baton to a parked coroutine.
func (co *Coroutine) resume() { co.ready <- struct{}{} }

// beginFork readies co for a run without a request.
func (co *Coroutine) beginFork() {
	co.request = Message{}
	co.svc.running = co
	co.svc.advance()
}

// begin readies co for handling the first message of q.
func (co *Coroutine) begin(q *fifo[Message]) {
	m := &co.request
	q.popTo(m)
	co.handles = true
	co.owed = m.Session != 0 && m.Type != PTypeClient
	s := co.svc
	co.bound = s.inline != nil && m.Type != PTypeDebug
	s.record(m)
	s.running = co
	s.take(m)
	if s.serial && m.Type != PTypeDebug {
		s.handling = co
	}
	if s.node.serials.Load() > 0 {
		co.noted = true
		s.node.graph.begin(co)
	}
}

// end closes a run; a request left open is answered with err.
func (co *Coroutine) end(err error) {
	if co.owed {
		co.owed = false
		co.svc.node.answer(co.svc.handle, co.request, PTypeError, err)
	}
	s := co.svc
	if co.noted {
		co.noted = false
		s.node.graph.end(co)
	}
	if s.handling == co {
		s.handling = nil
	}
	co.handles, co.bound = false, false
	co.clear()
	co.id++
	s.running = nil
	if s.rare.drained != nil {
		s.checkDrained()
	}
}

// clear lets go of what few runs have; to write fields that point somewhere costs
// more than to look at them.
func (co *Coroutine) clear() {
	if co.tag != "" {
		co.tag = ""
	}
	if co.interrupt != nil {
		co.interrupt = nil
	}
	if co.asked != nil {
		co.asked = nil
	}
	if co.ctx != nil {
		co.cancel()
		co.ctx, co.cancel = nil, nil
	}
}

func (co *Coroutine) cancelContext() {
	if co.cancel != nil {
		co.cancel()
	}
}

// MayBlock is what every blocking method begins with; those that are built upon
// them begin with it too, before they can return without blocking, so that a
// loop that ignores errors ends. It ends the coroutine when its service ends; in
// the defers that this runs it gives ErrExited instead.
func (co *Coroutine) MayBlock() error {
	if co.bound {
		return errInline
	}
	if co.svc.closing.Load() != alive {
		if !co.unwind {
			co.unwind = true
			runtime.Goexit()
		}
		return ErrExited
	}
	if err := co.interrupt; err != nil {
		co.interrupt = nil
		return err
	}
	return nil
}

// park gives the baton away until co.wait is answered. It is not inlined and co
// is alive in all of it, so that a dump of the goroutines shows which coroutine
// waits in it.
//
//go:noinline
func (co *Coroutine) park() (Message, error) {
	s := co.svc
	s.parked.add(co)
	switch ready, n := s.step(co.wait.since); {
	case n == nextResume && ready == co:
	default:
		switch n {
		case nextResume:
			ready.resume()
		case nextWork:
			s.node.schedule(s)
		}
		<-co.ready
	}
	s.parked.remove(co)
	s.startClock()
	co.relabel()
	s.running = co
	co.wait.kind = waitNone
	// Hand-overs inherit what is left of the processor's time: two services
	// that call one another would keep all others waiting.
	if s.parks++; s.parks%turnLimit == 0 {
		runtime.Gosched()
	}
	if s.closing.Load() != alive {
		co.unwind = true
		runtime.Goexit()
	}
	m, err := co.answer, co.err
	co.answer, co.err = Message{}, nil
	return m, err
}

// Call sends m as a request and blocks until its answer, an error, or the
// timeout (0 or less: none). The session of m is set here.
func (co *Coroutine) Call(to Handle, m Message, timeout time.Duration) (Message, error) {
	if err := co.MayBlock(); err != nil {
		return Message{}, err
	}
	s := co.svc
	m.Session = s.newSession()
	m.Source = s.handle
	w := &co.wait
	if s.node.serials.Load() > 0 {
		var err error
		if w.edge, err = s.node.graph.call(co, to, m.Session); err != nil {
			return Message{}, err
		}
		defer s.node.graph.waited(co)
	}
	if err := s.request(w, to, &m, timeout); err != nil {
		return Message{}, err
	}
	return co.park()
}

// request sends m and enters w as the one that waits for its answer.
func (s *Service) request(w *waiter, to Handle, m *Message, timeout time.Duration) error {
	w.kind, w.session, w.peer = waitCall, m.Session, to
	w.since = s.node.Uptime()
	s.waiting.add(w)
	var err error
	if w.callee, w.place, err = s.node.post(to, m, true); err != nil {
		s.settle(w)
		w.kind = waitNone
		return err
	}
	switch {
	case timeout <= 0:
	case s.deadlines.add(w, w.since, timeout):
		s.armDeadlines()
	default:
		w.timer = s.node.timers.add(later(w.since, timeout), s.handle, w.session)
	}
	return nil
}

// Ask sends m as a request and returns at once. done is called under the baton
// when the answer, an error or the timeout (0 or less: none) comes; it runs on
// any goroutine, so it must not block, must not use a Coroutine but for Wakeup,
// and must not run code that may panic. cancel ends the wait: with an error that
// says why, done is called with it at once; with nil it never is.
func (co *Coroutine) Ask(to Handle, m Message, timeout time.Duration, done func(Message, error)) (cancel func(why error), err error) {
	if err := co.MayBlock(); err != nil {
		return nil, err
	}
	s := co.svc
	m.Session, m.Source = s.newSession(), s.handle
	w := &waiter{done: done}
	if s.node.serials.Load() > 0 {
		w.edge = s.node.graph.ask(co, to, m.Session)
	}
	if err := s.request(w, to, &m, timeout); err != nil {
		return nil, err
	}
	if w.edge != nil {
		co.asked = append(co.asked, w)
	}
	return func(why error) {
		if s.waiting.find(w.session) != w {
			return
		}
		s.settle(w)
		if why != nil {
			done(Message{}, w.unanswered(why, s.node.Uptime()))
		}
	}, nil
}

// WaitAsked is Wait for a token that the done functions of this coroutine's Asks
// wake. When no request can be answered while it waits all end with ErrDeadlock.
func (co *Coroutine) WaitAsked(token any) error {
	if len(co.asked) == 0 {
		return co.Wait(token)
	}
	s := co.svc
	co.asked = slices.DeleteFunc(co.asked, func(w *waiter) bool { return s.waiting.find(w.session) != w })
	edges := make([]*edge, len(co.asked))
	for i, w := range co.asked {
		edges[i] = w.edge
	}
	if stuck := s.node.graph.wait(co, edges); stuck != nil {
		for i, w := range co.asked {
			s.answer(w, Message{}, stuck[i])
		}
		return nil
	}
	defer s.node.graph.waited(co)
	return co.Wait(token)
}

// Send sends m without asking for an answer; it never blocks.
func (co *Coroutine) Send(to Handle, m Message) error { return co.Post(to, &m) }

// Post is Send that sets Session and Source in m itself.
func (co *Coroutine) Post(to Handle, m *Message) error {
	s := co.svc
	m.Session, m.Source = 0, s.handle
	_, _, err := s.node.post(to, m, false)
	return err
}

// Missed counts a message that could not be sent, since its address is nobody's.
func (co *Coroutine) Missed() { co.svc.dropped(dropNoService) }

// Reply answers the request in hand: true when the answer was delivered to a
// living caller, false when nobody waits for one. A second Reply, or one
// outside of a request, is ErrMisuse.
func (co *Coroutine) Reply(data any) (bool, error) {
	if !co.owed {
		if co.request.Session == 0 && co.request.Source != 0 {
			return false, nil // a send wants no answer
		}
		return false, fmt.Errorf("%w: No session", ErrMisuse)
	}
	co.settle()
	return co.svc.node.reply(co.request.Source,
		Message{Type: PTypeResponse, Session: co.request.Session, Source: co.svc.handle, Data: data})
}

// Fail answers the request in hand with err.
func (co *Coroutine) Fail(err error) {
	if co.owed {
		co.settle()
		co.svc.node.answer(co.svc.handle, co.request, PTypeError, err)
	}
}

// Response takes over the duty to answer the request in hand, with r, which it
// sets. r must not be copied.
func (co *Coroutine) Response(r *Response) error {
	if !co.owed {
		if co.request.Session == 0 && co.request.Source != 0 {
			*r = Response{svc: co.svc, done: true, push: true}
			return nil
		}
		return fmt.Errorf("%w: no session", ErrMisuse)
	}
	co.settle()
	s := co.svc
	*r = Response{svc: s, source: co.request.Source, session: co.request.Session}
	if s.own().responses == nil {
		s.rare.responses = make(map[*Response]struct{})
	}
	s.rare.responses[r] = struct{}{}
	return nil
}

// Await runs f on another goroutine and blocks until it returns, without the
// baton. When the service ends first, the coroutine ends at once and what f
// does later is nobody's; f is told by means of its own, such as Context, and
// Shutdown waits for it. f must not panic.
func (co *Coroutine) Await(f func()) error {
	if err := co.MayBlock(); err != nil {
		return err
	}
	s := co.svc
	co.wait = waiter{co: co, kind: waitAwait, session: s.newSession(), since: s.node.Uptime()}
	s.waiting.add(&co.wait)
	done := Message{Type: PTypeResponse, Session: co.wait.session}
	s.node.awaits.add(s)
	s.node.submit(func() {
		defer func() {
			_, _ = s.deliver(&done, false)
			s.node.awaits.remove(s)
		}()
		if s.node.labels() {
			s.label()
			defer unlabel()
		}
		f()
	})
	_, err := co.park()
	return err
}

// Interrupt ends the wait of another coroutine of the same service, whose run
// has not ended, with err; when that coroutine does not wait, its next blocking
// call returns err instead. A wakeup that has not reached it yet is lost.
func (co *Coroutine) Interrupt(other *Coroutine, err error) {
	if other.wait.kind == waitNone {
		other.interrupt = err
		return
	}
	s := co.svc
	s.settle(&other.wait)
	if other.wait.kind == waitCall {
		err = other.wait.unanswered(err, s.node.Uptime())
	}
	other.wait.kind = waitNone
	other.answer, other.err = Message{}, err
	s.own().failed.push(failure{co: other})
}

// Exit ends the service: what follows in the caller does not run but its
// defers, everyone who waits for an answer gets ErrExited. In a handler of an
// inline service Exit returns, and the service ends after it.
func (co *Coroutine) Exit() { co.ExitFor(nil) }

// ExitFor is Exit with a cause, which those who wait are told too.
func (co *Coroutine) ExitFor(cause error) {
	co.svc.cause = cause
	co.svc.closing.CompareAndSwap(alive, exiting)
	if co.bound {
		return
	}
	co.unwind = true
	runtime.Goexit()
}
