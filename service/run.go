package service

import (
	"context"
	"fmt"
	"sync"

	"github.com/skynetgo/skynet/actor"
)

// Run runs f on a coroutine of node n for code that is outside of any service,
// such as an HTTP handler, a test or main, and blocks until f has returned.
// When ctx ends, the blocking call that f is in returns ctx's error, and so
// does every one after it. Many Runs at once are fine. When the node ends first
// the error is ErrExited; f's coroutine has been unwound then or soon will be.
func Run(ctx context.Context, n *Node, f func(c *Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := n.Attach(runnerKey{}, func() any { return new(runner) }).(*runner)
	svc, err := r.service(n)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	j := &job{ctx: ctx, f: f, done: make(chan error, 1)}
	if err := n.Send(svc.Handle(), Message{Type: PTypeSystem, Data: j}); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = n.Send(svc.Handle(), Message{Type: PTypeSystem, Data: cancelJob{j}})
	})
	defer stop()
	select {
	case err := <-j.done:
		return err
	case <-svc.Done():
	}
	select {
	case err := <-j.done:
		return err
	default:
		return fmt.Errorf("run: %w", ErrExited)
	}
}

// runner finds the helper service of a node, one for all Runs.
type runner struct {
	mu  sync.Mutex
	svc *actor.Service
}

type runnerKey struct{}

func (r *runner) service(n *Node) (*actor.Service, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.svc != nil && n.Find(r.svc.Handle()) == r.svc {
		return r.svc, nil
	}
	h, err := n.Launch((&instance{def: runDefinition}).spec())
	if err != nil {
		return nil, err
	}
	if r.svc = n.Find(h); r.svc == nil {
		return nil, ErrExited
	}
	return r.svc, nil
}

var runDefinition = Def("run", func(c *Context, _ ...any) error {
	c.Dispatch(PTypeSystem, func(c *Context, m Message) {
		switch d := m.Data.(type) {
		case *job:
			d.run(c)
		case cancelJob:
			if d.job.co != nil {
				c.co.Interrupt(d.job.co, d.job.ctx.Err())
			}
		}
	})
	return nil
}, Quiet)

// job is one Run; co belongs to the helper service.
type job struct {
	ctx  context.Context
	f    func(*Context) error
	co   *actor.Coroutine
	done chan error
}

type cancelJob struct{ job *job }

func (j *job) run(c *Context) {
	c.ctx = j.ctx
	j.co = c.co
	err := fmt.Errorf("run: %w", ErrExited)
	defer func() {
		j.co = nil
		if r := recover(); r != nil {
			j.done <- fmt.Errorf("run: panic: %v", r)
			panic(r)
		}
		j.done <- err
	}()
	err = j.f(c)
}
