package actor

import (
	"fmt"
	"strings"
	"sync"
)

// graph knows who waits for whom, while a node has serial services: there a
// call may have to wait for the end of a handler that waits for the caller.
type graph struct {
	mu       sync.Mutex
	handlers map[requestKey]*Coroutine // who handles a request
	active   map[*Service]*Coroutine   // the handler that a serial service is in
	waits    map[*Coroutine]requestKey // what a coroutine waits for
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
	if g.handlers == nil {
		g.handlers = make(map[requestKey]*Coroutine)
		g.active = make(map[*Service]*Coroutine)
		g.waits = make(map[*Coroutine]requestKey)
	}
	if co.owed {
		g.handlers[co.requestKey()] = co
	}
	if co.svc.handling == co {
		g.active[co.svc] = co
	}
}

// end notes that the run of co ends.
func (g *graph) end(co *Coroutine) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if key := co.requestKey(); g.handlers[key] == co {
		delete(g.handlers, key)
	}
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
	if g.waits == nil {
		return nil // no handler has begun since there are serial services
	}
	n := co.svc.node
	key := requestKey{to, co.svc.handle, session}
	path := []string{co.svc.handle.String()}
	for k := key; len(path) <= len(g.waits)+2; {
		path = append(path, k.to.String())
		s := n.reg.find(k.to)
		if s == nil {
			break
		}
		blocker := g.handlers[k]
		if s.serial {
			blocker = g.active[s]
		}
		if blocker == nil {
			break
		}
		if blocker == co {
			return fmt.Errorf("%w: %s", ErrDeadlock, strings.Join(path, " -> "))
		}
		waits := false
		if k, waits = g.waits[blocker]; !waits {
			break
		}
	}
	g.waits[co] = key
	return nil
}

// waited notes that co waits no more.
func (g *graph) waited(co *Coroutine) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waits, co)
}
