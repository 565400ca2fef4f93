package clusteragent

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// lookEvery is how many bytes are written between two looks at what waits to be
// sent.
const lookEvery = 32 << 10

// totals are what all agents of a node hold together. Settings.MaxNodeBytes
// limits each.
type totals struct {
	parts    atomic.Int64 // see large
	requests atomic.Int64 // payload of those without an answer
	output   outputs
}

type totalsKey struct{}

func totalsOf(n *service.Node) *totals {
	return n.Attach(totalsKey{}, func() any {
		return &totals{output: outputs{seen: make(map[socket.FD]int)}}
	}).(*totals)
}

// outputs are the bytes that wait to be sent on connections, as last seen.
type outputs struct {
	mu    sync.Mutex
	seen  map[socket.FD]int
	total int
}

// note takes in that n bytes wait on fd and returns the sum of all. Before it
// returns more than limit it looks at each: others may have been sent since.
func (o *outputs) note(c *service.Context, fd socket.FD, n, limit int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.setLocked(fd, n)
	if o.total > limit {
		for other := range o.seen {
			if other != fd {
				o.setLocked(other, socket.Pending(c, other))
			}
		}
	}
	return o.total
}

func (o *outputs) setLocked(fd socket.FD, n int) {
	o.total += n - o.seen[fd]
	if o.seen[fd] = n; n == 0 {
		delete(o.seen, fd)
	}
}

// count is a number of requests in progress.
type count struct{ n int }

// admit counts a request of size bytes as in progress, or refuses it. Pushes are in progress
// for a moment only, and do not count by size.
func (a *agent) admit(c *service.Context, r wire.Request, size int) bool {
	if size > a.settings.MaxMessage {
		a.fail(c, r.Session, tooLarge(size, a.settings.MaxMessage))
		return false
	}
	if a.progress.n >= a.settings.MaxRequests {
		a.refuse(c, r, fmt.Sprintf("the limit is %d requests in progress", a.settings.MaxRequests))
		return false
	}
	if !r.Push {
		if total := a.take(size); total > int64(a.settings.MaxNodeBytes) {
			a.take(-size)
			a.refuse(c, r, fmt.Sprintf("requests in progress would take %d bytes of the node", total))
			return false
		}
	}
	a.progress.n++
	return true
}

// take counts n bytes more of requests in progress, or less, and returns what
// those of the node come to.
func (a *agent) take(n int) int64 {
	a.taken += n
	return a.totals.requests.Add(int64(n))
}

func (a *agent) refuse(c *service.Context, r wire.Request, why string) {
	a.refused++
	logSome(c, a.refused, "Too many requests in progress")
	if !r.Push {
		a.fail(c, r.Session, fmt.Sprintf("%v: %s", service.ErrOverload, why))
	}
}

// done takes back what admit has counted in progress, and wakes who waits for
// the last.
func (a *agent) done(c *service.Context, progress *count, push bool, size int) {
	if !push {
		a.take(-size)
	}
	if progress.n--; progress.n == 0 {
		c.Wakeup(progress)
	}
}

func tooLarge(size, limit int) string {
	return fmt.Sprintf("%v: %d bytes, the limit is %d", cluster.ErrTooLarge, size, limit)
}

// mayWrite ends the connection when n bytes more are too many for an other side
// that does not read, or for the node.
func (a *agent) mayWrite(c *service.Context, n int) bool {
	if a.written += n; a.written <= lookEvery {
		return true
	}
	a.written = 0
	waiting := socket.Pending(c, a.fd) + n
	if waiting > a.settings.MaxOutput {
		a.hangUp(c, "%d bytes wait to be sent", waiting)
		return false
	}
	if total := a.totals.output.note(c, a.fd, waiting, a.settings.MaxNodeBytes); total > a.settings.MaxNodeBytes {
		a.hangUp(c, "%d bytes wait to be sent on all connections", total)
		return false
	}
	return true
}
