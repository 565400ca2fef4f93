package socket

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/skynetgo/skynet/service"
)

// dial connects and enters the connection; it blocks. It gives up when stop
// ends.
func dial(c *service.Context, stop context.Context, addr string, h *Handler) (*conn, error) {
	o := ownerOf(c)
	timeout := DialTimeout
	if t := c.CallTimeout(); t > 0 {
		timeout = min(timeout, t)
	}
	var made atomic.Pointer[conn]
	s, err := service.Await(c, func(ctx context.Context) (*conn, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		defer context.AfterFunc(stop, cancel)()
		var d net.Dialer
		nc, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		s := o.adopt(nc, h)
		if s == nil {
			nc.Close()
			return nil, service.ErrExited
		}
		made.Store(s)
		go s.run()
		if err := ctx.Err(); err != nil { // perhaps nobody waits any more
			s.shutdown()
			return nil, err
		}
		return s, nil
	})
	if err != nil {
		if s := made.Load(); s != nil {
			s.shutdown()
		}
		return nil, err
	}
	return s, nil
}
