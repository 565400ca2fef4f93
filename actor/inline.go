package actor

import (
	"fmt"
	"time"

	"github.com/skynetgo/skynet/internal/freelist"
)

// lentLimit is how much an inline service does on a goroutine that was lent to
// it, before it goes on with one of its own.
const lentLimit = 32

// inline is what an inline service has besides, for the holder.
type inline struct {
	co  *Coroutine // that runs on goroutines which are lent; it never parks
	due arrival
	// Memory for CallThen, used again: one is needed for each request.
	waiters freelist.List[waiter]
}

// arrival is the end of a request of CallThen. It is handled before anything else.
type arrival struct {
	then Then
	m    Message
	err  error
}

// Then is what goes on with the end of a request of CallThen: the answer, or the
// error that there is none.
type Then interface {
	Answered(co *Coroutine, m Message, err error)
}

// Lend is Send by a goroutine that may run an inline service: it holds no lock
// that a handler of the service may want.
func (n *Node) Lend(to Handle, m Message) error {
	_, _, err := n.post(to, &m, true)
	return err
}

// LendAll is Lend for messages of one receiver, in order. Those that can not be
// delivered are counted in Drops.
func (n *Node) LendAll(to Handle, ms []Message) { n.postAll(to, ms, true) }

// PostAll is Post for messages of one receiver, in order. Those that can not be
// delivered are counted in Drops.
func (co *Coroutine) PostAll(to Handle, ms []Message) {
	s := co.svc
	for i := range ms {
		ms[i].Session, ms[i].Source = 0, s.handle
	}
	s.node.postAll(to, ms, false)
}

func (n *Node) postAll(to Handle, ms []Message, lent bool) {
	if s := n.reg.find(to); s != nil && n.cfg.Isolate == nil && s.deliverAll(ms, lent) {
		return
	}
	for i := range ms {
		_, _, _ = n.post(to, &ms[i], lent)
	}
}

// CallThen sends m as a request and returns at once. When the answer, an error or
// the timeout (0 or less: none) comes, then runs as a coroutine of its own.
func (co *Coroutine) CallThen(to Handle, m Message, timeout time.Duration, then Then) error {
	s := co.svc
	if s.closing.Load() != alive {
		return ErrExited
	}
	m.Session, m.Source = s.newSession(), s.handle
	w := s.inline.waiter()
	w.then = then
	return s.request(w, to, &m, timeout)
}

// waiter returns one for CallThen.
func (i *inline) waiter() *waiter {
	var w *waiter
	if i != nil {
		w = i.waiters.Take()
	}
	if w == nil {
		w = new(waiter)
	}
	return w
}

// deliverAll is deliver for requests to a service without a bound; false when it
// is not such a one.
func (s *Service) deliverAll(ms []Message, lent bool) bool {
	requests := uint32(0)
	for i := range ms {
		if isAnswer(ms[i].Type) {
			return false
		}
		if s.counts(ms[i].Type) {
			requests++
		}
	}
	s.mu.Lock()
	if s.closed || s.limit > 0 {
		s.mu.Unlock()
		return false
	}
	s.pushed += requests
	for i := range ms {
		s.pushLocked(&ms[i])
	}
	idle := !s.busy
	s.busy = true
	s.mu.Unlock()
	if idle {
		s.proceed(lent)
	}
	return true
}

// proceed gives the baton to a coroutine that holds none, or with lent that of an
// inline service to this goroutine.
func (s *Service) proceed(lent bool) {
	if !lent || s.inline == nil {
		s.node.schedule(s)
		return
	}
	if s.inline.co == nil {
		s.inline.co = &Coroutine{svc: s, ready: make(chan struct{}, 1)}
		s.inline.co.wait.co = s.inline.co
	}
	s.hold(s.inline.co, true)
}

// arrive takes the end of the request of CallThen that w stands for.
func (s *Service) arrive(w *waiter, m Message, err error) {
	then, i := w.then, s.inline
	if i == nil {
		s.forks.push(func(co *Coroutine) { then.Answered(co, m, err) })
		return
	}
	i.due = arrival{then, m, err}
	*w = waiter{}
	i.waiters.Give(w)
}

// arrived reports whether the end of a request is to be handled.
func (s *Service) arrived() bool { return s.inline != nil && s.inline.due.then != nil }

// runArrival handles the end of a request.
func (s *Service) runArrival(co *Coroutine) {
	a := s.inline.due
	s.inline.due = arrival{}
	co.beginFork()
	co.bound = true
	a.then.Answered(co, a.m, a.err)
}

// mayBlockNext reports whether what comes next in an inline service may block.
func (s *Service) mayBlockNext() bool {
	return !s.arrived() && (s.forks.len() > 0 || s.out.peek().Type == PTypeDebug)
}

var errInline = fmt.Errorf("%w: an inline service blocks in its forks only", ErrMisuse)
