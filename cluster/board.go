package cluster

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/skynetgo/skynet/service"
)

// boardKey finds the board of a node.
type boardKey struct{}

// board holds the links of a node. Its lock is taken after that of a link.
type board struct {
	node      *service.Node
	maxQueued atomic.Int64
	gather    atomic.Int64 // the largest payload of Pushes

	mu       sync.Mutex
	links    map[string]*Link
	watchers map[service.Handle]struct{}
}

func boardOf(n *service.Node) *board {
	return n.Attach(boardKey{}, func() any {
		b := &board{node: n, links: make(map[string]*Link), watchers: make(map[service.Handle]struct{})}
		b.limit(DefaultSettings())
		return b
	}).(*board)
}

// Limit has what is not sent yet keep to the settings of the node table.
func Limit(n *service.Node, s Settings) { boardOf(n).limit(s) }

func (b *board) limit(s Settings) {
	b.maxQueued.Store(int64(s.MaxOutput))
	b.gather.Store(int64(min(s.MaxMessage, gatherSize)))
}

// LinkTo returns the link of a node to another, which is made when first asked
// for and then stays.
func LinkTo(n *service.Node, node string) *Link {
	b := boardOf(n)
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.links[node]
	if l == nil {
		l = &Link{node: node, board: b, since: n.StartTime().Add(n.Uptime())}
		b.links[node] = l
	}
	return l
}

// Links returns the links of a node, sorted by name.
func Links(n *service.Node) []LinkStatus {
	b := boardOf(n)
	b.mu.Lock()
	links := slices.Collect(maps.Values(b.links))
	b.mu.Unlock()
	slices.SortFunc(links, func(x, y *Link) int { return strings.Compare(x.node, y.node) })
	all := make([]LinkStatus, len(links))
	for i, l := range links {
		all[i] = l.Status()
	}
	return all
}

// tell is called under the lock of the link, so that its events arrive in order.
func (b *board) tell(e LinkEvent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for h := range b.watchers {
		_ = b.node.Send(h, service.Message{Type: service.PTypeHarbor, Data: e})
	}
}

// watch is what one service wants to know of links.
type watch struct {
	funcs map[*int]func(*service.Context, LinkEvent)
}

type watchKey struct{}

// WatchLinks has f run, as a coroutine of this service, for each event of each
// link of the node, in order. cancel, which only code of this service may call,
// ends that. It does not block. The events come as messages of type
// service.PTypeHarbor, which Skynet uses for news of nodes too.
func WatchLinks(c *service.Context, f func(c *service.Context, e LinkEvent)) (cancel func()) {
	b := boardOf(c.Node())
	self := c.Self()
	w := service.Local(c, watchKey{}, func() *watch {
		w := &watch{funcs: make(map[*int]func(*service.Context, LinkEvent))}
		c.Dispatch(service.PTypeHarbor, func(c *service.Context, m service.Message) {
			if e, ok := m.Data.(LinkEvent); ok {
				for _, f := range w.funcs {
					c.Fork(func(c *service.Context) { f(c, e) })
				}
			}
		})
		c.AtServiceEnd(func() { b.forget(self) })
		return w
	})
	key := new(int)
	w.funcs[key] = f
	b.mu.Lock()
	b.watchers[self] = struct{}{}
	b.mu.Unlock()
	return func() {
		if delete(w.funcs, key); len(w.funcs) == 0 {
			b.forget(self)
		}
	}
}

func (b *board) forget(watcher service.Handle) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.watchers, watcher)
}
