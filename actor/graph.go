package actor

import (
	"fmt"
	"sync"
)

// graph knows who waits for whom, while a node has serial services: there a
// call may have to wait for the end of a handler that waits for the caller. It
// follows a request from its sender to its handler until that one answers it,
// gives the answer out of hand with Response, or ends; after that nobody can
// tell who will answer, and only the deadline of the call is left.
type graph struct {
	mu      sync.Mutex
	active  map[*Service]*Coroutine // the handler that a serial service is in
	waits   map[*Coroutine][]*edge  // what a coroutine waits for: any one of them
	pending map[requestKey]*edge    // the requests that are not answered
}

// edge is one request that a coroutine waits for.
type edge struct {
	key     requestKey
	begun   bool
	handler *Coroutine // that must answer it
}

// requestKey names a request: session of source, and whom it went to.
type requestKey struct {
	to      Handle
	source  Handle
	session Session
}

// begin notes that co handles its request.
func (g *graph) begin(co *Coroutine) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.pending[co.requestKey()]; e != nil {
		e.begun, e.handler = true, co
	}
	if co.svc.handling == co {
		if g.active == nil {
			g.active = make(map[*Service]*Coroutine)
		}
		g.active[co.svc] = co
	}
}

// settled notes that the request of co needs no answer of co any more.
func (g *graph) settled(co *Coroutine) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settledLocked(co)
}

func (g *graph) settledLocked(co *Coroutine) {
	if e := g.pending[co.requestKey()]; e != nil && e.handler == co {
		e.handler = nil
	}
}

// end notes that the run of co ends.
func (g *graph) end(co *Coroutine) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settledLocked(co)
	if g.active[co.svc] == co {
		delete(g.active, co.svc)
	}
}

func (co *Coroutine) requestKey() requestKey {
	return requestKey{co.svc.handle, co.request.Source, co.request.Session}
}

// ask notes a request that its sender may wait for.
func (g *graph) ask(co *Coroutine, to Handle, session Session) *edge {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.askLocked(co, to, session)
}

func (g *graph) askLocked(co *Coroutine, to Handle, session Session) *edge {
	if g.pending == nil {
		g.pending = make(map[requestKey]*edge)
	}
	e := &edge{key: requestKey{to, co.svc.handle, session}}
	g.pending[e.key] = e
	return e
}

// forget notes that nobody waits for e any more.
func (g *graph) forget(e *edge) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.pending, e.key)
	e.begun, e.handler = true, nil
}

// call notes that co is about to send the service to a request and wait for it.
// When that would close a circle it notes nothing and returns ErrDeadlock with
// the path.
func (g *graph) call(co *Coroutine, to Handle, session Session) (*edge, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.askLocked(co, to, session)
	if err := g.circleLocked(co, e); err != nil {
		delete(g.pending, e.key)
		return nil, err
	}
	g.waitLocked(co, []*edge{e})
	return e, nil
}

// wait notes that co is about to wait for any of edges. When each of them closes a
// circle it notes nothing and returns why, of each.
func (g *graph) wait(co *Coroutine, edges []*edge) []error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var stuck []error
	for _, e := range edges {
		err := g.circleLocked(co, e)
		if err == nil {
			g.waitLocked(co, edges)
			return nil
		}
		stuck = append(stuck, err)
	}
	return stuck
}

func (g *graph) waitLocked(co *Coroutine, edges []*edge) {
	if g.waits == nil {
		g.waits = make(map[*Coroutine][]*edge)
	}
	g.waits[co] = edges
}

// circleLocked returns ErrDeadlock with the path when e can not be answered while
// co waits.
func (g *graph) circleLocked(co *Coroutine, e *edge) error {
	path := g.pathLocked(e, co, make(map[*Coroutine][]Handle))
	if path == nil {
		return nil
	}
	text := co.svc.handle.String()
	for _, h := range path {
		text += " -> " + h.String()
	}
	return fmt.Errorf("%w: %s", ErrDeadlock, text)
}

// pathLocked returns the services along which e waits for target, nil when it may
// be answered without. Who waits for any of several requests is stuck when each of
// them is. found is what is known of those seen.
func (g *graph) pathLocked(e *edge, target *Coroutine, found map[*Coroutine][]Handle) []Handle {
	blocker := g.blockerLocked(target.svc.node, e)
	if blocker == target {
		return []Handle{e.key.to}
	}
	rest, seen := found[blocker]
	if !seen {
		found[blocker] = nil // a circle without target is not its concern
		for _, next := range g.waits[blocker] {
			if rest = g.pathLocked(next, target, found); rest == nil {
				break
			}
		}
		found[blocker] = rest
	}
	if rest == nil {
		return nil
	}
	return append([]Handle{e.key.to}, rest...)
}

// blockerLocked returns the coroutine that e has to wait for, nil when there is
// none or nobody can tell.
func (g *graph) blockerLocked(n *Node, e *edge) *Coroutine {
	if e.begun {
		return e.handler
	}
	if s := n.reg.find(e.key.to); s != nil && s.serial {
		return g.active[s]
	}
	return nil
}

// waited notes that co waits no more.
func (g *graph) waited(co *Coroutine) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waits, co)
}
