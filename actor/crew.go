package actor

import (
	"runtime"
	"sync"
)

// crew keeps some coroutines that have nothing to do, with goroutines of their
// own: a service that gets the baton goes on with one of these at a lower cost
// than with a goroutine of the pool.
type crew struct {
	mu   sync.Mutex
	idle []*Coroutine
	most int // that are kept; 0: none
}

// crewSize is how many coroutines a node keeps for each processor. Only those
// that run at the same time can be of use at the same time.
const crewSize = 8

func (c *crew) open() { c.most = crewSize * runtime.GOMAXPROCS(0) }

// close ends the goroutines that are kept.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = 0
	for _, co := range c.idle {
		co.resume()
	}
	c.idle = nil
}

// take returns the coroutine that was used last, nil when none is idle.
func (c *crew) take() *Coroutine {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.idle) - 1
	if last < 0 {
		return nil
	}
	co := c.idle[last]
	c.idle[last] = nil
	c.idle = c.idle[:last]
	return co
}

// put keeps co; false when there are enough.
func (c *crew) put(co *Coroutine) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) >= c.most {
		return false
	}
	c.idle = append(c.idle, co)
	return true
}

// schedule gives the baton of s to a coroutine that holds none.
func (n *Node) schedule(s *Service) {
	if co := n.crew.take(); co != nil {
		co.svc = s
		co.resume()
		return
	}
	n.submit(func() {
		co := &Coroutine{svc: s, ready: make(chan struct{}, 1)}
		co.wait.co = co
		n.work(co)
	})
}

// work is the goroutine of co: it runs one service after the other, each until
// its baton has gone elsewhere.
func (n *Node) work(co *Coroutine) {
	for co.svc != nil {
		co.svc.hold(co, false)
		co.svc, co.wait.callee, co.request = nil, nil, Message{}
		if n.crew.put(co) {
			<-co.ready
		}
	}
	if co.labelled {
		unlabel()
	}
}
