package service

import (
	"fmt"

	"github.com/skynetgo/skynet/actor"
)

// Watch has f run as a coroutine of this service when the service addr has
// ended and runs nothing more, with the reason, which wraps ErrExited. cancel,
// which only code of this service may call, makes it never run. ErrNoService
// when addr is nobody.
func Watch(c *Context, addr any, f func(c *Context, reason error)) (cancel func(), err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	h, err := c.resolve(addr)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", addressText(addr), err)
	}
	return c.co.Watch(h, func(co *actor.Coroutine, reason error) { f(c.inst.context(co), reason) })
}

// OnStop has f run as a coroutine of the service when the node begins to shut
// down, before any service is ended: the place to stop taking work in. The
// shutdown goes on when f and every handler have ended, or when
// Config.StopTimeout has passed.
func (c *Context) OnStop(f func(*Context)) {
	if !c.misused() {
		c.co.OnStop(c.inst.coroutine(f))
	}
}

// Term makes the calls of this service that wait for h fail, and drops the
// answers owed to it, as when h had exited (skynet.term).
func (c *Context) Term(h Handle) {
	if !c.misused() {
		c.co.Term(h)
	}
}

// Stat returns what the runtime knows of the service (skynet.stat).
func (c *Context) Stat() actor.Stat { return c.inst.svc.Stat() }

// MoreWaits reports whether more messages are already in line after the one that
// is being handled.
func (c *Context) MoreWaits() bool { return !c.misused() && c.inst.svc.Waiting() > 0 }

// FlushLater has f.Flush called when the messages that MoreWaits speaks of have
// been handled, all or 128 of them, whatever their handlers do. Flush must not
// block.
func (c *Context) FlushLater(f actor.Flusher) {
	if !c.misused() {
		c.co.FlushLater(f)
	}
}
