package service

import (
	"time"

	"github.com/skynetgo/skynet/actor"
)

// Sleep blocks for d, never less (skynet.sleep). ErrBreak when Wakeup ended it
// early; token, at most one, is what to wake it by, by default the coroutine.
func (c *Context) Sleep(d time.Duration, token ...any) error {
	if err := c.mayBlock(); err != nil {
		return err
	}
	return c.traceSleep(c.co.Sleep, d, token)
}

// Yield lets everything run that is ready, then goes on (skynet.yield).
func (c *Context) Yield() error { return c.Sleep(0) }

// Wait blocks until Wakeup (skynet.wait); token as for Sleep. A token that
// somebody waits on already is ErrMisuse.
func (c *Context) Wait(token ...any) error {
	if err := c.mayBlock(); err != nil {
		return err
	}
	return c.traceSleep(func(_ time.Duration, token any) error { return c.co.Wait(token) }, 0, token)
}

// traceSleep runs sleep, with a line in the log before and after it when the
// coroutine is traced.
func (c *Context) traceSleep(sleep func(time.Duration, any) error, d time.Duration, token []any) error {
	if c.co.Tag() != "" {
		c.traceStep("sleep" + position())
		defer c.traceStep("resume")
	}
	return sleep(d, c.token(token))
}

func (c *Context) token(token []any) any {
	if len(token) > 0 && token[0] != nil {
		return token[0]
	}
	return c.Token()
}

// Token returns what wakes this coroutine when it sleeps or waits on no token
// of its own (Skynet's coroutine.running).
func (c *Context) Token() any { return c.co }

// Wakeup ends the Sleep or Wait on token, after the running coroutine gives
// control up and in the order of the Wakeup calls (skynet.wakeup); false when
// nobody of this service sleeps or waits on it.
func (c *Context) Wakeup(token any) bool { return !c.misused() && c.co.Wakeup(token) }

// Fork starts f as a coroutine of the service; it runs after the running one
// has given control up, forks in order (skynet.fork). f gets a Context of its
// own.
func (c *Context) Fork(f func(*Context)) {
	if !c.misused() {
		c.co.Fork(c.inst.coroutine(f))
	}
}

// Timeout starts f as a coroutine of the service after d, never earlier;
// timeouts of the same time in the order they were made (skynet.timeout).
func (c *Context) Timeout(d time.Duration, f func(*Context)) *Timer {
	if c.misused() {
		return &Timer{}
	}
	return &Timer{c.co.Timeout(d, c.inst.coroutine(f))}
}

// Timer is a function that Timeout has put off.
type Timer struct{ t *actor.Timer }

// Cancel keeps the function from running; false when it ran or was cancelled
// before. Only code of the service may call it.
func (t *Timer) Cancel() bool { return t.t != nil && t.t.Cancel() }
