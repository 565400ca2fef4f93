package clusteragent

import (
	"sync/atomic"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
)

// large are the requests whose parts have not all come.
type large struct {
	bySession map[uint32]*largeRequest
	held      int           // memory of all of them
	total     *atomic.Int64 // the same of all agents of the node
	watched   bool          // a timer looks for those that are given up
}

type largeRequest struct {
	begin   wire.Request // the zero Request when none came
	tag     string
	parts   wire.Assembly
	last    time.Duration // when the last part came
	refused bool          // answered with an error; its parts are dropped
}

// hold notes that n bytes more are held, or less.
func (l *large) hold(n int) {
	l.held += n
	l.total.Add(int64(n))
}

// drop forgets a request.
func (l *large) drop(session uint32) {
	if r := l.bySession[session]; r != nil {
		l.hold(-r.parts.Held())
		delete(l.bySession, session)
	}
}

func (l *large) clear() {
	clear(l.bySession)
	l.hold(-l.held)
}

// begin announces a large request. A second one for the same session spoils
// the first, as in Skynet.
func (a *agent) begin(c *service.Context, r wire.Request) {
	tag := a.takeTag()
	if old := a.large.bySession[r.Session]; old != nil {
		a.large.hold(-old.parts.Held())
		old.parts = wire.Assembly{} // which is never complete
		return
	}
	l := &largeRequest{begin: r, tag: tag}
	if limit := a.maxMessage(); int64(r.Size) > int64(limit) {
		l.refused = true // and without Reset the parts store nothing
		a.fail(c, r.Session, tooLarge(int(r.Size), limit))
	} else {
		l.parts.Reset(r.Size)
	}
	a.add(c, r.Session, l)
}

// maxMessage is how large a message can be that no limit keeps from coming.
func (a *agent) maxMessage() int {
	return min(a.settings.MaxMessage, a.settings.MaxPartBytes, a.settings.MaxNodeBytes)
}

func (a *agent) add(c *service.Context, session uint32, l *largeRequest) {
	l.last = c.Now()
	a.large.bySession[session] = l
	if n := len(a.large.bySession); n > a.settings.MaxParts {
		a.hangUp(c, "%d messages are unfinished", n)
		return
	}
	a.watch(c, a.settings.PartAge)
}

// part takes in one part. It returns the request when that was the last one and
// all is well.
func (a *agent) part(c *service.Context, r wire.Request) *largeRequest {
	l := a.large.bySession[r.Session]
	if l == nil {
		if r.Kind == wire.KindEnd { // Skynet takes it for a request without an address
			a.fail(c, r.Session, cluster.TextInvalidName)
			return nil
		}
		l = &largeRequest{}
		if a.add(c, r.Session, l); a.deaf {
			return nil
		}
	}
	before := l.parts.Held()
	l.parts.Append(r.Payload)
	if a.large.hold(l.parts.Held() - before); a.large.held > a.settings.MaxPartBytes {
		a.hangUp(c, "its unfinished messages take %d bytes", a.large.held)
		return nil
	}
	if total := a.large.total.Load(); total > int64(a.settings.MaxNodeBytes) {
		a.hangUp(c, "unfinished messages take %d bytes of the node", total)
		return nil
	}
	l.last = c.Now()
	if r.Kind == wire.KindPart {
		return nil
	}
	a.large.drop(r.Session)
	if l.refused {
		return nil
	}
	whole, ok := l.parts.Bytes()
	if !ok {
		a.fail(c, r.Session, cluster.TextInvalidLarge)
		return nil
	}
	l.begin.Payload = whole
	return l
}

// watch looks after d for requests of which no part has come for too long.
func (a *agent) watch(c *service.Context, d time.Duration) {
	if a.settings.PartAge > 0 && !a.large.watched {
		a.large.watched = true
		c.Timeout(d, a.giveUp)
	}
}

func (a *agent) giveUp(c *service.Context) {
	a.large.watched = false
	given, oldest := 0, c.Now()
	for session, l := range a.large.bySession {
		if c.Now()-l.last < a.settings.PartAge {
			oldest = min(oldest, l.last)
			continue
		}
		given++
		a.large.drop(session)
		if !l.refused {
			a.fail(c, session, cluster.TextInvalidLarge)
		}
	}
	if given > 0 {
		c.Logf("Gave up %d messages, no part of them came in %v", given, a.settings.PartAge)
	}
	if len(a.large.bySession) > 0 {
		a.watch(c, oldest+a.settings.PartAge-c.Now())
	}
}
