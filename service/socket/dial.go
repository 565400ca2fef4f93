package socket

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync/atomic"

	"github.com/skynetgo/skynet/service"
)

// dial connects and enters the connection; it blocks. It gives up when stop
// ends.
func dial(c *service.Context, stop context.Context, addr string, h *Handler, cfg Config) (*conn, error) {
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
		nc, err := cfg.Connect(ctx, addr)
		if err != nil {
			return nil, err
		}
		s := o.adopt(nc, h, &cfg.Limits, nil)
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

// Connect is Dial for those who read and write themselves, which takes no node: it
// knows no Limits.
func (cfg Config) Connect(ctx context.Context, addr string) (net.Conn, error) {
	hostport, secured := strings.CutPrefix(addr, TLSScheme)
	var tc *tls.Config
	if secured {
		var err error
		if tc, err = cfg.tls(); err != nil {
			return nil, err
		}
	}
	d := net.Dialer{KeepAlive: -1} // limitSilence sets it
	nc, err := d.DialContext(ctx, "tcp", hostport)
	if err != nil {
		return nil, err
	}
	cfg.limitSilence(nc)
	if !secured {
		return nc, nil
	}
	if tc.ServerName == "" {
		tc = tc.Clone()
		tc.ServerName, _, _ = net.SplitHostPort(hostport)
	}
	s, err := handshake(ctx, nc, tls.Client, tc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return s, nil
}
