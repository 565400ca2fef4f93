package clusterd

import (
	"fmt"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// links are the senders, and the attempts to connect them.
type links struct {
	senders    map[string]*sender
	ready      map[string]service.Handle // connected to the address that the table has
	connecting map[string]*attempt
	absent     map[string]struct{} // asked for, and not in the table
}

// sender is the clustersender of one node.
type sender struct {
	handle service.Handle
	closed bool // turned off because the table says false
}

// attempt is one connect under way; who wants the same node waits for it.
type attempt struct {
	naming  bool // waits for a reload that names the node
	waiting []*int
	handle  service.Handle
	err     error
}

func (l *links) init() {
	l.senders = make(map[string]*sender)
	l.ready = make(map[string]service.Handle)
	l.connecting = make(map[string]*attempt)
	l.absent = make(map[string]struct{})
}

// sender answers with the sender of a node, connected. Why there is none is
// logged where it is found out, not for each caller.
func (d *clusterd) sender(c *service.Context, node string) error {
	h, err := d.connected(c, node)
	if err != nil {
		c.Fail(err)
		return nil
	}
	_, err = c.Ret(h)
	return err
}

func (d *clusterd) connected(c *service.Context, node string) (service.Handle, error) {
	if err := cluster.LinkTo(c.Node(), node).Refused(); err != nil {
		return 0, err
	}
	if h, ok := d.links.ready[node]; ok {
		if c.Node().Find(h) != nil {
			return h, nil
		}
		delete(d.links.ready, node)
		delete(d.links.senders, node)
	}
	return d.connect(c, node)
}

// connect makes the sender of node speak to the address that the table has. It
// blocks: for the reload that names the node, for the connection. The table may
// change meanwhile; then it starts over.
func (d *clusterd) connect(c *service.Context, node string) (service.Handle, error) {
	if a := d.links.connecting[node]; a != nil {
		return d.join(c, node, a)
	}
	a := &attempt{}
	d.links.connecting[node] = a
	addr := d.table.lookup(node)
	if !addr.known() && !d.table.settings.NoWaiting {
		a.naming = true
		c.Logf("Waiting for cluster node [%s]", node)
		if err := c.Wait(a); err != nil {
			a.err = err
		}
		a.naming = false
		addr = d.table.lookup(node)
	}
	h, err := d.dial(c, node, addr)
	if a.err = err; err == nil {
		a.handle = h
	}
	delete(d.links.connecting, node)
	for _, token := range a.waiting {
		c.Wakeup(token)
	}
	if d.table.lookup(node) != addr {
		return d.connect(c, node)
	}
	if err == nil {
		d.links.ready[node] = h
	}
	return h, err
}

// join waits for another coroutine's attempt, and for the one that follows it
// when the table has changed during the first.
func (d *clusterd) join(c *service.Context, node string, a *attempt) (service.Handle, error) {
	for {
		token := new(int)
		a.waiting = append(a.waiting, token)
		if err := c.Wait(token); err != nil {
			return 0, err
		}
		next := d.links.connecting[node]
		if next == nil {
			return a.handle, a.err
		}
		a = next
	}
}

// dial turns the sender of node to addr, after starting it when there is none.
func (d *clusterd) dial(c *service.Context, node string, addr address) (service.Handle, error) {
	s := d.links.senders[node]
	to := cluster.NodeChange{Addr: addr.text, Settings: d.table.settings}
	switch {
	case addr.down:
		if s != nil && !s.closed {
			if _, err := cluster.ChangeNodeCmd.Call(c, s.handle, to); err != nil {
				return 0, err
			}
			s.closed = true
		}
		return 0, fmt.Errorf("%w: %s", cluster.ErrNodeDown, node)
	case addr.text == "":
		return 0, d.absent(c, node)
	}
	link := cluster.LinkTo(c.Node(), node)
	if link.Status().Addr != addr.text { // not from the table
		link.Happened(cluster.LinkMoved, addr.text, nil, 0)
	}
	if s == nil {
		h, err := c.NewService("clustersender", node, d.nodename, addr.text)
		if err != nil {
			return 0, err
		}
		s = &sender{handle: h}
		d.links.senders[node] = s
		to.Settings = d.table.settings // a reload may have come meanwhile
	}
	if _, err := cluster.ChangeNodeCmd.Call(c.WithTimeout(service.Forever), s.handle, to); err != nil {
		err = fmt.Errorf("changenode [%s] (%s) failed: %w", node, addr.text, err)
		if link.Status().Attempts == 1 {
			c.Error(err)
		}
		return 0, &cluster.DownError{Node: node, Addr: addr.text, Reason: err}
	}
	s.closed = false
	return s.handle, nil
}

// absent has all services fail at once that use a node which the table does not
// have, until it has, or until they are to wait again.
func (d *clusterd) absent(c *service.Context, node string) error {
	err := fmt.Errorf("%w: cluster node [%s] is absent.", cluster.ErrNodeUnknown, node)
	c.Logf("cluster node [%s] is absent.", node)
	d.links.absent[node] = struct{}{}
	cluster.LinkTo(c.Node(), node).Refuse(err)
	return err
}

// readmit has the nodes that the table does not have waited for again.
func (l *links) readmit(c *service.Context) {
	for node := range l.absent {
		cluster.LinkTo(c.Node(), node).Refuse(nil)
	}
	clear(l.absent)
}

// named wakes who waits for a node's name.
func (l *links) named(c *service.Context, node string, value any) {
	if a := l.connecting[node]; a != nil && a.naming {
		c.Logf("Cluster node [%s] resolved : %v", node, value)
		c.Wakeup(a)
	}
}

// wakeAll wakes everyone who waits for a name: nobody is to wait any more.
func (l *links) wakeAll(c *service.Context) {
	for _, a := range l.connecting {
		if a.naming {
			c.Wakeup(a)
		}
	}
}
