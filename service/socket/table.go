package socket

import (
	"math"
	"net"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skynetgo/skynet/service"
)

type tableKey struct{}

// table holds the sockets of one node. Its lock is taken before that of a
// connection, never after.
type table struct {
	node *service.Node

	mu        sync.RWMutex
	last      FD
	conns     map[FD]*conn
	listeners map[FD]*listener
	empty     chan struct{} // made on demand, closed when nothing is left
	limits    limits
}

func tableOf(n *service.Node) *table {
	return n.Attach(tableKey{}, func() any {
		return &table{node: n, conns: make(map[FD]*conn), listeners: make(map[FD]*listener), limits: defaultLimits}
	}).(*table)
}

func (t *table) conn(fd FD) *conn {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.conns[fd]
}

func (t *table) listener(fd FD) *listener {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.listeners[fd]
}

func (t *table) nextLocked() FD {
	for {
		if t.last == math.MaxInt32 {
			t.last = 0
		}
		t.last++
		if t.conns[t.last] == nil && t.listeners[t.last] == nil {
			return t.last
		}
	}
}

func (t *table) removeConn(s *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, s.fd)
	delete(s.owner.conns, s)
	t.checkEmptyLocked()
}

func (t *table) removeListener(l *listener) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.listeners, l.fd)
	delete(l.owner.listeners, l)
	t.checkEmptyLocked()
}

func (t *table) checkEmptyLocked() {
	if t.empty != nil && len(t.conns)+len(t.listeners) == 0 {
		close(t.empty)
		t.empty = nil
	}
}

// emptied returns a channel that is closed once there is no socket left, nil
// when there is none now.
func (t *table) emptied() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.conns)+len(t.listeners) == 0 {
		return nil
	}
	if t.empty == nil {
		t.empty = make(chan struct{})
	}
	return t.empty
}

func (t *table) info() []Stat {
	t.mu.RLock()
	list := make([]Stat, 0, len(t.conns)+len(t.listeners))
	for _, s := range t.conns {
		list = append(list, s.stat())
	}
	for _, l := range t.listeners {
		list = append(list, Stat{
			FD: l.fd, Type: TypeListen, Peer: l.ln.Addr().String(), Owner: l.owner.handle, Read: l.accepted.Load(),
			LastRead: time.Duration(l.lastIn.Load()),
		})
	}
	t.mu.RUnlock()
	sort.Slice(list, func(i, j int) bool { return list[i].FD < list[j].FD })
	return list
}

// owner is one service that has sockets. conns and listeners are under the
// table's lock.
type owner struct {
	table     *table
	handle    service.Handle
	ended     atomic.Bool
	conns     map[*conn]struct{}
	listeners map[*listener]struct{}
}

type ownerKey struct{}

// ownerOf returns the running service as an owner; the first time it takes the
// service's socket messages and looks out for its end.
func ownerOf(c *service.Context) *owner {
	return service.Local(c, ownerKey{}, func() *owner {
		o := &owner{
			table: tableOf(c.Node()), handle: c.Self(),
			conns: make(map[*conn]struct{}), listeners: make(map[*listener]struct{}),
		}
		c.Dispatch(service.PTypeSocket, dispatch)
		c.AtServiceEnd(o.end)
		return o
	})
}

// adopt gives nc a number and enters it; nil when the owner has ended.
func (o *owner) adopt(nc net.Conn, h *Handler, l *Limits, w *web) *conn {
	t := o.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.ended.Load() {
		return nil
	}
	s := newConn(o, t.nextLocked(), nc, h, l)
	if w != nil {
		s.web, w.conn, w.in = w, s, input{s}
	}
	s.startWatch()
	t.conns[s.fd] = s
	o.conns[s] = struct{}{}
	return s
}

// adoptListener is adopt for a listener; false when the owner has ended.
func (o *owner) adoptListener(l *listener) bool {
	t := o.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.ended.Load() {
		return false
	}
	l.owner, l.fd, l.closed = o, t.nextLocked(), make(chan struct{})
	t.listeners[l.fd] = l
	o.listeners[l] = struct{}{}
	return true
}

// end closes what the service has left open.
func (o *owner) end() {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	o.ended.Store(true)
	for l := range o.listeners {
		l.close()
	}
	for s := range o.conns {
		s.abandon()
	}
}

// event is what a socket tells its owner besides frames.
type event struct {
	socket any // a *conn or a *listener
	kind   eventKind
	kb     int
	err    error
}

// arrival is what has come on a connection: a frame or a *Bundle.
type arrival struct {
	conn *conn
	data any
}

type eventKind uint8

const (
	eventOpen eventKind = iota
	eventClose
	eventError
	eventWarning
)

// tell puts an event of a socket into the mailbox of its owner.
func (o *owner) tell(e event) {
	if !o.ended.Load() {
		_ = o.table.node.Send(o.handle, service.Message{Type: service.PTypeSocket, Data: e})
	}
}

// dispatch handles a socket message under the owner's baton.
func dispatch(c *service.Context, m service.Message) {
	switch d := m.Data.(type) {
	case arrival:
		d.conn.arrived(c, d.data)
	case event:
		switch s := d.socket.(type) {
		case *conn:
			s.handler.event(c, s.fd, s.peer, d)
		case *listener:
			s.handler.event(c, s.fd, "", d)
		}
	}
}

func (s *conn) arrived(c *service.Context, data any) {
	switch d := data.(type) {
	case []byte:
		s.took(len(d) + FrameCost)
		s.data(c, d)
	case *Bundle:
		s.took(d.Cost())
		d.Each(c, s.data)
	}
}

// took tells the window of a channel, whose owner does not, what is being handled.
func (s *conn) took(cost int) {
	if !s.channel {
		return
	}
	if s.owed += cost; s.owed > channelWindow/4 {
		s.handled(s.owed)
		s.owed = 0
	}
}

func (s *conn) data(c *service.Context, frame []byte) {
	// Its owner may have closed it while the frame waited.
	if s.handler.Data != nil && !s.muted.Load() {
		s.handler.Data(c, s.fd, frame)
	}
}

func (h *Handler) event(c *service.Context, fd FD, peer string, e event) {
	switch {
	case e.kind == eventOpen && h.Open != nil:
		h.Open(c, fd, peer)
	case e.kind == eventClose && h.Close != nil:
		h.Close(c, fd)
	case e.kind == eventError && h.Error != nil:
		h.Error(c, fd, e.err)
	case e.kind == eventWarning && h.Warning != nil:
		h.Warning(c, fd, e.kb)
	}
}
