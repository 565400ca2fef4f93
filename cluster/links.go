package cluster

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/skynetgo/skynet/internal/freelist"
	"github.com/skynetgo/skynet/service"
)

// links is what one service knows of other nodes: the tables of cluster.lua.
type links struct {
	clusterd service.Handle
	peers    map[string]*peer
	buffer   []byte // that a push is packed into
	spare    freelist.List[Request]
}

// keepPayload is how large a payload may be whose memory is used again.
const keepPayload = 1 << 10

// newRequest returns a request with room for a payload.
func (l *links) newRequest() *Request {
	req := l.spare.Take()
	if req == nil {
		req = &Request{Payload: make([]byte, 0, 64)}
	}
	return req
}

// reuse takes back a request that has been answered, unless the sender was given its payload.
func (l *links) reuse(req *Request) {
	if cap(req.Payload) <= keepPayload && len(req.More) == 0 {
		*req = Request{Payload: req.Payload[:0]}
		l.spare.Give(req)
	}
}

type linksKey struct{}

func linksOf(c *service.Context) *links {
	return service.Local(c, linksKey{}, func() *links { return &links{peers: make(map[string]*peer)} })
}

// peer is one other node. Until its sender is there the service's calls and
// sends to it stand in one queue, so that they leave in the order made.
type peer struct {
	node     string
	link     *Link
	sender   service.Handle
	queue    *queue
	pushes   *Pushes // the last message to the sender that was no request, nil when it was something else
	progress uint64  // of the service when they were sent
}

func (l *links) peer(c *service.Context, node string) *peer {
	p := l.peers[node]
	if p == nil {
		p = &peer{node: node, link: LinkTo(c.Node(), node)}
		l.peers[node] = p
	}
	return p
}

// queue holds what waits for the sender of one node.
type queue struct {
	tasks  []*task
	sender service.Handle
	err    error
}

// task is a push, or a call whose coroutine waits on the task.
type task struct {
	push Request
	call bool
	gone bool // the caller's deadline has passed
	sent bool // the caller has taken the sender
}

// ready returns the sender, and a Context whose calls end when those of c would.
// It blocks while the sender is being started.
func (p *peer) ready(c *service.Context) (service.Handle, *service.Context, error) {
	if p.sender != 0 {
		return p.sender, c, nil
	}
	q := p.wait(c)
	t := &task{call: true}
	q.tasks = append(q.tasks, t)
	began := c.Now()
	left, err := c.CallTimeout(), error(nil)
	if left > 0 {
		if err = c.Sleep(left, t); err == nil {
			why := "no connection to node " + p.node
			if p.link.Status().Addr == "" {
				why = p.node + " is not in the node table"
			}
			err = fmt.Errorf("%w after %v: %s", service.ErrTimeout, left, why)
		} else if errors.Is(err, service.ErrBreak) {
			err = nil
		}
		left = max(left-(c.Now()-began), time.Millisecond)
	} else {
		left, err = service.Forever, c.Wait(t)
	}
	if err != nil {
		t.gone = true
		return 0, nil, err
	}
	t.sent = true
	// The request leaves before this coroutine gives control up, and only then
	// the queue goes on.
	c.Wakeup(q)
	if q.err != nil {
		return 0, nil, q.err
	}
	return q.sender, c.WithTimeout(left), nil
}

// call sends a request and blocks until the answer comes.
func (p *peer) call(c *service.Context, req *Request) (service.Packed, error) {
	if err := p.link.Refused(); err != nil {
		if p.sender != 0 {
			p.link.Skip()
		}
		return nil, err
	}
	sender, c, err := p.ready(c)
	if err != nil {
		return nil, err
	}
	req.Timeout = max(c.CallTimeout(), 0)
	name := req.Name
	packed, err := ReqCmd.Call(c, sender, req)
	p.check(sender, err)
	if errors.Is(err, service.ErrTimeout) {
		err = fmt.Errorf("%w; the link to node %s is %s", err, p.node, p.link.Status().State)
		if name != "" && !strings.ContainsRune("@.:", rune(name[0])) {
			err = fmt.Errorf("%w; Skynet does not answer calls of a name without @ or . in front: %q", err, name)
		}
	}
	return packed, err
}

// push sends a request that wants no answer, or queues it. kept says that the
// payload is kept.
func (p *peer) push(c *service.Context, req Request) (kept bool, err error) {
	if err := p.link.Refused(); err != nil {
		p.link.Drop(DropReasonOf(err), 1)
		return false, err
	}
	if p.sender != 0 {
		gathered, err := p.gather(c, req)
		if !gathered {
			p.pushes = nil
			err = PushCmd.Send(c, p.sender, req)
		}
		p.check(p.sender, err)
		return !gathered, err
	}
	if err := p.link.Queue(req.Size()); err != nil {
		p.link.Drop(DropOverload, 1)
		return false, err
	}
	q := p.wait(c)
	q.tasks = append(q.tasks, &task{push: req})
	return true, nil
}

// check forgets a sender that is gone, so that the next use asks for another.
func (p *peer) check(sender service.Handle, err error) {
	if errors.Is(err, service.ErrNoService) && p.sender == sender {
		p.sender = 0
	}
}

func (p *peer) wait(c *service.Context) *queue {
	if p.queue == nil {
		p.queue = &queue{}
		c.Fork(p.serve)
	}
	return p.queue
}

// serve asks clusterd for the sender and runs the queue. Everyone in it has a
// deadline of its own, so the question has none.
func (p *peer) serve(c *service.Context) {
	q := p.queue
	d, err := clusterd(c)
	if err == nil {
		q.sender, err = SenderCmd.Call(c.WithTimeout(service.Forever), d, p.node)
	}
	q.err = err
	lost := 0
	for i := 0; i < len(q.tasks); i++ {
		switch t := q.tasks[i]; {
		case t.call:
			release(c, q, t)
		case q.err != nil:
			_ = p.link.Queue(-t.push.Size())
			lost++
		default:
			_ = p.link.Queue(-t.push.Size())
			if failed := PushCmd.Send(c, q.sender, t.push); failed != nil {
				err = failed
				lost++
			}
		}
	}
	p.queue = nil
	if q.err == nil {
		p.sender = q.sender
	}
	if lost > 0 {
		p.link.Drop(DropReasonOf(err), lost)
		if p.link.FirstLoss() {
			c.Logf("cluster: %d messages to node %s are lost: %v", lost, p.node, err)
		}
	}
}

// release wakes the caller of t and waits until its request has left.
func release(c *service.Context, q *queue, t *task) {
	for !t.gone && !t.sent {
		c.Wakeup(t)
		if c.Wait(q) != nil {
			return
		}
	}
}
