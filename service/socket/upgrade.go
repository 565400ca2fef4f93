package socket

import (
	"bufio"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"slices"

	"github.com/coder/websocket"
)

// maxRequests is how many peers of one listener may be before their upgrade to
// WebSocket at once; more wait to be accepted.
const maxRequests = 256

// upgrader is the HTTP server in front of a WebSocket listener. It is the
// server's listener and handler too.
type upgrader struct {
	*listener
	path  string
	conns chan net.Conn
	slots chan struct{}
}

// startUpgrader returns where connections are to be given to, and what ends the
// server.
func (l *listener) startUpgrader() (admit func(net.Conn), stop func()) {
	u := &upgrader{listener: l, path: l.path, conns: make(chan net.Conn), slots: make(chan struct{}, maxRequests)}
	srv := &http.Server{
		Handler:        u,
		ReadTimeout:    l.owner.table.limits.handshake, // of a body too, which nobody reads
		WriteTimeout:   l.owner.table.limits.handshake,
		MaxHeaderBytes: 8 << 10,
		ErrorLog:       stdlog.New(io.Discard, "", 0),
		ConnState: func(nc net.Conn, state http.ConnState) {
			if state == http.StateHijacked || state == http.StateClosed {
				<-u.slots
				l.arrived(nc)
			}
		},
	}
	srv.SetKeepAlivesEnabled(false)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(u) // until the listener closes
	}()
	admit = func(nc net.Conn) {
		select {
		case u.conns <- nc:
		case <-l.closed:
			nc.Close()
		}
	}
	return admit, func() {
		_ = srv.Close()
		<-served
	}
}

// Accept is that of net.Listener.
func (u *upgrader) Accept() (net.Conn, error) {
	select {
	case u.slots <- struct{}{}:
	case <-u.closed:
		return nil, net.ErrClosed
	}
	select {
	case nc := <-u.conns:
		return nc, nil
	case <-u.closed:
		return nil, net.ErrClosed
	}
}

// Close is that of net.Listener. Who closes the server has closed the real one.
func (u *upgrader) Close() error { return nil }

// Addr is that of net.Listener.
func (u *upgrader) Addr() net.Addr { return u.ln.Addr() }

// ServeHTTP has package websocket check the request and answer it, origin
// included; the connection is then this package's.
func (u *upgrader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != u.path {
		http.NotFound(w, r)
		return
	}
	h := &hijack{ResponseWriter: w}
	c, err := websocket.Accept(h, r, &websocket.AcceptOptions{OriginPatterns: u.config.Origins})
	if err != nil {
		err = fmt.Errorf("%w: %s: %w", ErrWebSocket, r.RemoteAddr, err)
		u.owner.tell(event{socket: u.listener, kind: eventError, err: err})
		return
	}
	_ = c.CloseNow() // the stand-in
	u.accept(h.conn, &web{rest: h.first})
}

// hijack keeps the connection from package websocket, which gets a stand-in.
type hijack struct {
	http.ResponseWriter
	conn  net.Conn
	first []byte // that has come already
}

// Hijack is that of http.Hijacker.
func (h *hijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	first, _ := rw.Reader.Peek(rw.Reader.Buffered())
	h.conn, h.first = nc, slices.Clone(first)
	stand, _ := net.Pipe()
	return stand, bufio.NewReadWriter(bufio.NewReader(stand), bufio.NewWriter(stand)), nil
}
