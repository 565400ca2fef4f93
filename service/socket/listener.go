package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skynetgo/skynet/service"
)

// maxHandshakes is how many peers of one listener may be in their TLS handshake
// at once; more wait to be accepted.
const maxHandshakes = 256

// listener accepts connections for one service.
type listener struct {
	owner    *owner
	fd       FD
	ln       net.Listener
	handler  *Handler
	config   Config
	secured  bool   // speaks TLS
	path     string // of WebSocket; "": frames as they are
	accepted atomic.Uint64
	lastIn   atomic.Int64 // uptime of the last one
	stopped  atomic.Bool
	closed   chan struct{}

	mu       sync.Mutex
	arriving map[netip.Addr]int // peers that speak no frames yet, with Config.MaxArriving
}

func listen(c *service.Context, addr string, h *Handler, cfg Config) (*listener, error) {
	o := ownerOf(c)
	addr, path, secured := splitAddress(addr)
	if addr == "" { // net would take any port, at all addresses of the host
		return nil, errors.New("no address is given")
	}
	network, literal := networkOf(addr)
	serve := func(ctx context.Context) (*listener, error) {
		if secured { // what is wrong with it is to be known now
			if _, err := cfg.tls(); err != nil {
				return nil, err
			}
		}
		lc := net.ListenConfig{KeepAlive: -1} // limitSilence sets it
		ln, err := lc.Listen(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return o.serve(&listener{ln: ln, handler: h, config: cfg, secured: secured, path: path})
	}
	if literal && !secured {
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

// splitAddress takes the scheme of addr off, and the path where that is one of
// WebSocket.
func splitAddress(addr string) (hostport, path string, secured bool) {
	if hostport, secured = strings.CutPrefix(addr, TLSScheme); secured {
		return hostport, "", true
	}
	hostport, web := strings.CutPrefix(addr, WebScheme)
	if !web {
		hostport, secured = strings.CutPrefix(addr, SecureWebScheme)
		web = secured
	}
	if !web {
		return addr, "", false
	}
	hostport, path, _ = strings.Cut(hostport, "/")
	return hostport, "/" + path, secured
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
func (o *owner) serve(l *listener) (*listener, error) {
	if l.handler == nil {
		l.handler = &Handler{}
	}
	if !o.adoptListener(l) {
		l.ln.Close()
		return nil, service.ErrExited
	}
	go l.run()
	return l, nil
}

// run is the accepting goroutine.
func (l *listener) run() {
	defer l.owner.table.removeListener(l)
	admit := func(nc net.Conn) { l.accept(nc, nil) }
	if l.path != "" {
		toServer, stop := l.startUpgrader()
		defer stop()
		admit = toServer
	}
	if l.secured {
		ready := admit
		var handshakes sync.WaitGroup
		defer handshakes.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		slots := make(chan struct{}, maxHandshakes)
		admit = func(nc net.Conn) {
			select {
			case slots <- struct{}{}:
			case <-l.closed:
				nc.Close()
				return
			}
			handshakes.Go(func() {
				defer func() { <-slots }()
				if !l.secure(ctx, nc, ready) || l.path == "" {
					l.arrived(nc)
				}
			})
		}
	}
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		nc, err := l.ln.Accept()
		if err == nil {
			pause = shortest
			l.config.limitSilence(nc)
			if l.arrives(nc) {
				admit(nc)
			}
			continue
		}
		if l.stopped.Load() || errors.Is(err, net.ErrClosed) {
			return
		}
		// Out of descriptors or the like: it passes.
		l.owner.tell(event{socket: l, kind: eventError, err: err})
		select {
		case <-time.After(pause):
			pause = min(2*pause, longest)
		case <-l.closed:
			return
		}
	}
}

// accept lets a peer in; w is nil where it does not speak WebSocket.
func (l *listener) accept(nc net.Conn, w *web) {
	s := l.owner.adopt(nc, l.handler, &l.config.Limits, w)
	if s == nil {
		nc.Close()
		return
	}
	l.accepted.Add(1)
	l.lastIn.Store(int64(l.owner.table.node.Uptime()))
	l.owner.tell(event{socket: s, kind: eventOpen})
	go s.run()
}

// arrives counts a peer until it has arrived. It closes one of too many.
func (l *listener) arrives(nc net.Conn) bool {
	most := l.config.MaxArriving
	if most == 0 || !l.secured && l.path == "" {
		return true
	}
	host := HostOf(nc.RemoteAddr().String())
	l.mu.Lock()
	if l.arriving == nil {
		l.arriving = make(map[netip.Addr]int)
	}
	crowded := l.arriving[host] >= most
	if !crowded {
		l.arriving[host]++
	}
	l.mu.Unlock()
	if crowded {
		err := fmt.Errorf("socket: %v is refused, %d of its address are in their handshake", nc.RemoteAddr(), most)
		l.owner.tell(event{socket: l, kind: eventError, err: err})
		nc.Close()
	}
	return !crowded
}

// arrived is told that a peer speaks frames, or is gone.
func (l *listener) arrived(nc net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	host := HostOf(nc.RemoteAddr().String())
	if n := l.arriving[host]; n > 1 {
		l.arriving[host] = n - 1
	} else {
		delete(l.arriving, host)
	}
}

// HostOf returns what counts as one address where peers, "ip:port", are counted:
// the IP address, of IPv6 its first 64 bits, of which one host may have the rest.
func HostOf(peer string) netip.Addr {
	at, _ := netip.ParseAddrPort(peer)
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is6() {
		network, _ := ip.Prefix(64)
		return network.Addr()
	}
	return ip
}

// secure passes a connection to ready once it speaks TLS; false when it does not.
func (l *listener) secure(ctx context.Context, nc net.Conn, ready func(net.Conn)) bool {
	limit, cancel := context.WithTimeout(ctx, l.owner.table.limits.handshake)
	defer cancel()
	tc, err := l.config.tls()
	if err == nil {
		var s *secure
		if s, err = handshake(limit, nc, tls.Server, tc); err == nil {
			ready(s)
			return true
		}
	}
	if ctx.Err() == nil {
		l.owner.tell(event{socket: l, kind: eventError, err: err})
		dismiss(ctx, nc, err, l.owner.table.limits.linger)
	}
	nc.Close()
	return false
}

func (l *listener) close() {
	if l.stopped.CompareAndSwap(false, true) {
		close(l.closed)
		l.ln.Close()
	}
}
