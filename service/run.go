package service

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/skynetgo/skynet/actor"
)

// Run runs f on a coroutine of node n for code that is outside of any service,
// such as an HTTP handler, a test or main, and blocks until f has returned.
// When ctx ends, the blocking call that f is in returns ctx's error, and so
// does every one after it; an f that has not begun by then never does. Many Runs
// at once are fine and share nothing: each has a helper service to itself, which
// later ones use again. When the node ends first the error is ErrExited; f's
// coroutine has been unwound then or soon will be.
func Run(ctx context.Context, n *Node, f func(c *Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := n.Attach(runnerKey{}, func() any { return new(runner) }).(*runner)
	svc, err := r.take(n)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	j := &job{ctx: ctx, f: f, done: make(chan error, 1), end: func() { r.give(svc) }}
	if err := n.Send(svc.Handle(), Message{Type: PTypeSystem, Data: j}); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		if j.state.CompareAndSwap(jobSent, jobDropped) {
			j.done <- fmt.Errorf("run: %w before it began", ctx.Err())
			return
		}
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

// runner keeps the helper services of a node that no Run uses.
type runner struct {
	mu   sync.Mutex
	free []*actor.Service
}

type runnerKey struct{}

func (r *runner) take(n *Node) (*actor.Service, error) {
	r.mu.Lock()
	for len(r.free) > 0 {
		last := len(r.free) - 1
		svc := r.free[last]
		r.free = r.free[:last]
		if n.Find(svc.Handle()) == svc {
			r.mu.Unlock()
			return svc, nil
		}
	}
	r.mu.Unlock()
	h, err := n.Launch((&instance{def: runDefinition}).spec())
	if err != nil {
		return nil, err
	}
	if svc := n.Find(h); svc != nil {
		return svc, nil
	}
	return nil, ErrExited
}

func (r *runner) give(svc *actor.Service) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = append(r.free, svc)
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

// States of a job.
const (
	jobSent uint32 = iota
	jobBegun
	jobDropped // before it began
)

// job is one Run; co belongs to the helper service.
type job struct {
	ctx   context.Context
	f     func(*Context) error
	co    *actor.Coroutine
	state atomic.Uint32
	done  chan error
	end   func() // the helper service is free again
}

type cancelJob struct{ job *job }

func (j *job) run(c *Context) {
	if !j.state.CompareAndSwap(jobSent, jobBegun) {
		j.end()
		return
	}
	c.ctx = j.ctx
	j.co = c.co
	err := fmt.Errorf("run: %w", ErrExited)
	defer func() {
		j.co = nil
		j.end()
		if r := recover(); r != nil {
			j.done <- fmt.Errorf("run: panic: %v", r)
			panic(r)
		}
		j.done <- err
	}()
	err = j.f(c)
}
