package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/skynetgo/skynet/service"
)

// listener accepts connections for one service.
type listener struct {
	owner    *owner
	fd       FD
	ln       net.Listener
	handler  *Handler
	accepted atomic.Uint64
	stopped  atomic.Bool
	closed   chan struct{}
}

func listen(c *service.Context, addr string, h *Handler) (*listener, error) {
	o := ownerOf(c)
	network, literal := networkOf(addr)
	serve := func(ctx context.Context) (*listener, error) {
		var lc net.ListenConfig
		ln, err := lc.Listen(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return o.serve(ln, h)
	}
	if literal {
		return serve(context.Background())
	}
	var made atomic.Pointer[listener]
	l, err := service.Await(c, func(ctx context.Context) (*listener, error) {
		l, err := serve(ctx)
		if err != nil {
			return nil, err
		}
		made.Store(l)
		if err := ctx.Err(); err != nil { // perhaps nobody waits any more
			l.close()
			return nil, err
		}
		return l, nil
	})
	if l := made.Load(); err != nil && l != nil {
		l.close()
	}
	return l, err
}

// networkOf returns the network to listen on, and whether the host is an IP
// address or left out, so that nothing has to be looked up. An IPv4 address
// means IPv4 only, 0.0.0.0 included.
func networkOf(addr string) (string, bool) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return "tcp", true
	}
	ip, err := netip.ParseAddr(host)
	if err == nil && ip.Is4() {
		return "tcp4", true
	}
	return "tcp", err == nil
}

// serve enters a listener and begins to accept.
func (o *owner) serve(ln net.Listener, h *Handler) (*listener, error) {
	if h == nil {
		h = &Handler{}
	}
	l := o.adoptListener(ln, h)
	if l == nil {
		ln.Close()
		return nil, service.ErrExited
	}
	go l.run()
	return l, nil
}

// run is the accepting goroutine.
func (l *listener) run() {
	defer l.owner.table.removeListener(l)
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		nc, err := l.ln.Accept()
		if err == nil {
			pause = shortest
			l.accept(nc)
			continue
		}
		if l.stopped.Load() || errors.Is(err, net.ErrClosed) {
			return
		}
		// Out of descriptors or the like: it passes.
		l.owner.tell(l, event{kind: eventError, err: err})
		select {
		case <-time.After(pause):
			pause = min(2*pause, longest)
		case <-l.closed:
			return
		}
	}
}

func (l *listener) accept(nc net.Conn) {
	s := l.owner.adopt(nc, l.handler)
	if s == nil {
		nc.Close()
		return
	}
	l.accepted.Add(1)
	l.owner.tell(s, event{kind: eventOpen})
	go s.run()
}

func (l *listener) close() {
	if l.stopped.CompareAndSwap(false, true) {
		close(l.closed)
		l.ln.Close()
	}
}
