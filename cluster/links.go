package cluster

import (
	"errors"
	"fmt"
	"time"

	"github.com/skynetgo/skynet/service"
)

// links is what one service knows of the senders of its node: the tables of
// cluster.lua. Until a sender is there the service's calls and sends to that
// node stand in one queue, so that they leave in the order made.
type links struct {
	clusterd service.Handle
	senders  map[string]service.Handle
	queues   map[string]*queue
}

type linksKey struct{}

func linksOf(c *service.Context) *links {
	return service.Local(c, linksKey{}, func() *links {
		return &links{senders: make(map[string]service.Handle), queues: make(map[string]*queue)}
	})
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

// sender returns the sender of node, and a Context whose calls end when those
// of c would. It blocks while the sender is being started.
func (l *links) sender(c *service.Context, node string) (service.Handle, *service.Context, error) {
	if h, ok := l.senders[node]; ok {
		return h, c, nil
	}
	q := l.queue(c, node)
	t := &task{call: true}
	q.tasks = append(q.tasks, t)
	began := c.Now()
	left, err := c.CallTimeout(), error(nil)
	if left > 0 {
		if err = c.Sleep(left, t); err == nil {
			err = fmt.Errorf("%w after %v: no connection to node %s", service.ErrTimeout, left, node)
		} else if errors.Is(err, service.ErrBreak) {
			err = nil
		}
		left = max(left-(c.Now()-began), time.Millisecond)
	} else {
		err = c.Wait(t)
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

// push sends a request that wants no answer, or queues it.
func (l *links) push(c *service.Context, node string, req Request) error {
	if h, ok := l.senders[node]; ok {
		err := PushCmd.Send(c, h, req)
		l.check(node, h, err)
		return err
	}
	q := l.queue(c, node)
	q.tasks = append(q.tasks, &task{push: req})
	return nil
}

// check forgets a sender that is gone, so that the next use asks for another.
func (l *links) check(node string, sender service.Handle, err error) {
	if errors.Is(err, service.ErrNoService) && l.senders[node] == sender {
		delete(l.senders, node)
	}
}

func (l *links) queue(c *service.Context, node string) *queue {
	q := l.queues[node]
	if q == nil {
		q = &queue{}
		l.queues[node] = q
		c.Fork(func(c *service.Context) { l.serve(c, node, q) })
	}
	return q
}

// serve asks clusterd for the sender and runs the queue. Everyone in it has a
// deadline of its own, so the question has none.
func (l *links) serve(c *service.Context, node string, q *queue) {
	d, err := clusterd(c)
	if err == nil {
		q.sender, err = SenderCmd.Call(c.WithTimeout(service.Forever), d, node)
	}
	if q.err = err; err != nil {
		c.Error(err)
	}
	lost := 0
	for i := 0; i < len(q.tasks); i++ {
		switch t := q.tasks[i]; {
		case t.call:
			l.release(c, q, t)
		case q.err != nil:
			lost++
		default:
			if err := PushCmd.Send(c, q.sender, t.push); err != nil {
				lost++
			}
		}
	}
	delete(l.queues, node)
	if q.err == nil {
		l.senders[node] = q.sender
	}
	if lost > 0 {
		c.Logf("cluster: %d messages to node %s are lost", lost, node)
	}
}

// release wakes the caller of t and waits until its request has left.
func (l *links) release(c *service.Context, q *queue, t *task) {
	for !t.gone && !t.sent {
		c.Wakeup(t)
		if c.Wait(q) != nil {
			return
		}
	}
}
