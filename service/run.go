package service

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/skynetgo/skynet/actor"
)

// Run runs f on a coroutine of node n for code that is outside of any service,
// such as an HTTP handler, a test or main, and blocks until f has returned.
// When ctx ends, the blocking call that f is in returns ctx's error, and so
// does every one after it; an f that has not begun by then never does. Many Runs
// at once are fine and share nothing: each has a helper service to itself. One
// helper is kept for later ones: what is to stay, such as a socket or a name, must
// belong to a service of its own. When the node ends first the error is ErrExited;
// f's coroutine has been unwound then or soon will be.
func Run(ctx context.Context, n *Node, f func(c *Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := n.Attach(runnerKey{}, func() any { return new(runner) }).(*runner)
	svc, err := r.take(n)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	j := &job{ctx: ctx, f: f, done: make(chan error, 1), end: r.give}
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

// give ends the helper service of c unless it is the only free one, or something
// that a Run has forked lives on there.
func (r *runner) give(c *Context) {
	if r.keep(c.inst.svc, 1) {
		return
	}
	c.Fork(func(c *Context) { // after what the Run has forked has begun
		if c.co.TaskCount() == 0 {
			c.co.Exit()
		}
		r.keep(c.inst.svc, math.MaxInt)
	})
}

// keep has later Runs use svc, if there are fewer than most to use.
func (r *runner) keep(svc *actor.Service, most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.free) >= most {
		return false
	}
	r.free = append(r.free, svc)
	return true
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
	end   func(*Context) // of the helper service, which is free again
}

type cancelJob struct{ job *job }

func (j *job) run(c *Context) {
	if !j.state.CompareAndSwap(jobSent, jobBegun) {
		j.end(c)
		return
	}
	c.ctx = j.ctx
	j.co = c.co
	err := fmt.Errorf("run: %w", ErrExited)
	defer func() {
		j.co = nil
		j.end(c)
		if r := recover(); r != nil {
			j.done <- fmt.Errorf("run: panic: %v", r)
			panic(r)
		}
		j.done <- err
	}()
	err = j.f(c)
}
