package actor

import (
	"fmt"
	"strings"
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
	waits   map[*Coroutine]*edge    // what a coroutine waits for
	pending map[requestKey]*edge    // the same by request
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

// wait notes that co is about to wait for its request to the service to. When
// that would close a circle it notes nothing and returns ErrDeadlock with the
// path.
func (g *graph) wait(co *Coroutine, to Handle, session Session) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := &edge{key: requestKey{to, co.svc.handle, session}}
	path := []string{co.svc.handle.String()}
	for e := first; e != nil && len(path) <= len(g.waits)+1; {
		path = append(path, e.key.to.String())
		blocker := g.blockerLocked(co.svc.node, e)
		if blocker == co {
			return fmt.Errorf("%w: %s", ErrDeadlock, strings.Join(path, " -> "))
		}
		e = g.waits[blocker]
	}
	if g.waits == nil {
		g.waits = make(map[*Coroutine]*edge)
		g.pending = make(map[requestKey]*edge)
	}
	g.waits[co], g.pending[first.key] = first, first
	return nil
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
	if e := g.waits[co]; e != nil {
		delete(g.waits, co)
		delete(g.pending, e.key)
	}
}
