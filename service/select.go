package service

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/skynetgo/skynet/lualike"
)

// Request is one call of a Select.
type Request struct {
	Addr any   // as for Context.Call
	Args []any // a command and its arguments
}

// Req makes a Request.
func Req(addr any, args ...any) Request { return Request{addr, args} }

// Reply is how one call of a Select has ended.
type Reply struct {
	Index  int // of the request, counted from 0
	Values lualike.Args
	Err    error // as from Context.Call
}

// Select makes several calls at once and yields a Reply for each, in the order
// in which they end; the loop blocks for the next one (skynet.request). All
// have one deadline, that of the calls of c: those that have not ended by then
// are yielded with ErrTimeout, and with ErrDeadlock when all of them wait, through
// serial services, for this loop. Requests to nobody come first. Leaving the loop
// early drops the answers that have not come.
//
//	for r := range c.Select(service.Req(a, "GET", "x"), service.Req(b, "GET", "x")) { … }
func (c *Context) Select(requests ...Request) iter.Seq[Reply] {
	return func(yield func(Reply) bool) {
		g := &group{pending: make(map[int]func(error))}
		defer g.cancel(nil)
		for i, r := range requests {
			if err := g.ask(c, i, r); err != nil {
				g.ended = append(g.ended, ended{index: i, err: err})
			}
		}
		for left := len(requests); left > 0; left-- {
			for len(g.ended) == 0 {
				if err := c.waitAsked(g); err != nil {
					g.cancel(err)
				}
			}
			a := g.ended[0]
			g.ended = g.ended[1:]
			if !yield(a.reply(requests[a.index])) {
				return
			}
		}
	}
}

// group is what a Select waits for.
type group struct {
	pending map[int]func(error) // the cancel functions, by index
	ended   []ended
}

// ended is one call that has ended. The answer is as it came: it is converted, by
// code that may be the user's, on the coroutine that made the call.
type ended struct {
	index int
	data  any
	err   error
}

func (e ended) reply(r Request) Reply {
	reply := Reply{Index: e.index}
	err := e.err
	if err == nil {
		reply.Values, err = dataArgs(e.data)
	}
	if err != nil {
		reply.Err = callError(r.Addr, r.Args, err)
	}
	return reply
}

func (g *group) ask(c *Context, i int, r Request) error {
	if err := c.mayBlock(); err != nil {
		return err
	}
	to, err := c.target(r.Addr)
	if err != nil {
		return err
	}
	c.traceCall(to)
	m := Message{Type: PTypeLua, Data: lualike.Args(r.Args)}
	cancel, err := c.co.Ask(to, m, c.CallTimeout(), func(answer Message, err error) {
		delete(g.pending, i)
		g.ended = append(g.ended, ended{i, answer.Data, err})
		c.co.Wakeup(g)
	})
	if err != nil {
		c.traceFailed(to)
		return err
	}
	g.pending[i] = cancel
	return nil
}

func (c *Context) waitAsked(g *group) error {
	if err := c.mayBlock(); err != nil {
		return err
	}
	return c.traceSleep(func(_ time.Duration, token any) error { return c.co.WaitAsked(token) }, 0, []any{g})
}

// cancel ends all that is pending, with err, or for good when that is nil.
func (g *group) cancel(err error) {
	for _, i := range slices.Sorted(maps.Keys(g.pending)) {
		g.pending[i](err)
	}
	clear(g.pending)
}
