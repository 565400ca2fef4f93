package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/skynetgo/skynet/service"
)

// attempt is one try to connect. It counts only while it is the channel's.
type attempt struct{ cancel context.CancelFunc }

// place is where a coroutine stands in the line of a channel. It leaves the
// line when it runs, not when it may run, so that nobody who comes later goes
// first; and wakes the next one, which then runs once it gives control up.
type place struct {
	tried bool // an attempt has ended since it came
	err   error
}

// ready runs try when there is a connection and everyone who came before has gone
// on, which it blocks for. try returns false when the connection has ended, as it
// may at any time; then that is repeated with the next one.
func (ch *Channel) ready(c *service.Context, try func() (bool, error)) error {
	if len(ch.line) == 0 && ch.fd != 0 {
		if ok, err := try(); ok {
			return err
		}
	}
	p := new(place)
	ch.line = append(ch.line, p)
	defer ch.leave(c, p)
	for {
		if ch.line[0] == p {
			switch {
			case ch.closed:
				return ch.closedError()
			case p.err != nil:
				return p.err
			case ch.fd != 0:
				if ok, err := try(); ok {
					return err
				} // it has ended; what came before the end comes first
			case ch.attempt != nil:
			case p.tried:
				return ch.lost
			default:
				ch.dial(c)
			}
		}
		if err := await(c, p); err != nil {
			return fmt.Errorf("socket: connect %s: %w", ch.addr, err)
		}
	}
}

// up reports whether there is a connection that has not ended yet, as far as
// this node knows. The news of the end, and answers before it, may still be in
// the mailbox.
func (ch *Channel) up() bool { return ch.fd != 0 && ch.conn.usable() == nil }

// leave takes p out of the line.
func (ch *Channel) leave(c *service.Context, p *place) {
	first := ch.line[0] == p
	ch.line = slices.DeleteFunc(ch.line, func(q *place) bool { return p == q })
	if first {
		ch.next(c)
	}
}

// next wakes the head of the line.
func (ch *Channel) next(c *service.Context) {
	if len(ch.line) > 0 {
		c.Wakeup(ch.line[0])
	}
}

// dial starts an attempt. It runs on a coroutine of its own, since whoever
// wanted it may give up earlier than others who wait for it.
func (ch *Channel) dial(c *service.Context) {
	stop, cancel := context.WithCancel(context.Background())
	a := &attempt{cancel}
	ch.attempt = a
	addr, cfg := ch.addr, ch.config
	ch.tell(c, ChannelDialing, nil)
	c.Fork(func(c *service.Context) {
		defer cancel()
		s, err := dial(c, stop, addr, ch.handler, cfg)
		if ch.attempt != a {
			if err == nil {
				s.shutdown()
			}
			return
		}
		if err == nil {
			ch.fd, ch.conn, s.channel = s.fd, s, true
			s.window.size.Store(channelWindow)
			s.joined.Store(true)
			err = s.start(&route{})
		}
		if err != nil {
			ch.fd = 0
			if ch.watch == nil {
				c.Error("Connect failed", ErrorText(err), addr, nil)
			}
			var op *net.OpError
			if errors.As(err, &op) { // it says again where to
				err = op.Err
			}
			err = fmt.Errorf("%w: connect %s: %w", ErrSocket, addr, err)
			ch.tell(c, ChannelFailed, err)
		} else {
			ch.tell(c, ChannelUp, nil)
		}
		ch.settled(c, err)
	})
}

// settled tells the line how the attempt has ended.
func (ch *Channel) settled(c *service.Context, err error) {
	ch.attempt = nil
	for _, p := range ch.line {
		p.tried, p.err = true, err
	}
	ch.next(c)
}

// giveUp ends an attempt under way, whose result does not count any more; true
// when there was one.
func (ch *Channel) giveUp() bool {
	if ch.attempt == nil {
		return false
	}
	ch.attempt.cancel()
	ch.attempt = nil
	return true
}
