package socket_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// mutual is a Config whose certificate a has signed; what it logs goes to log.
func mutual(t testing.TB, a *nodetest.Authority, log func(string), change ...func(*x509.Certificate)) socket.Config {
	t.Helper()
	cert, key, ca := a.Write(t.TempDir(), change...)
	return socket.Config{TLS: socket.MutualTLS(cert, key, ca, log)}
}

// anonymous is cfg without the own certificate.
func anonymous(cfg socket.Config) socket.Config {
	return socket.Config{TLS: func() (*tls.Config, error) {
		tc, err := cfg.TLS()
		if err == nil {
			tc = tc.Clone()
			tc.Certificates = nil
		}
		return tc, err
	}}
}

func expired(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }

// newTLSServer is newServer with cfg; its addr begins with the scheme.
func newTLSServer(t testing.TB, n *service.Node, cfg socket.Config) *server {
	t.Helper()
	s := &server{watcher: newWatcher(t), node: n}
	run(t, n, func(c *service.Context) (err error) {
		s.fd, s.addr, err = cfg.Listen(c, "tls://127.0.0.1:0", s.Handler)
		s.addr = "tls://" + s.addr
		return err
	})
	return s
}

// hostport is where the server listens.
func (s *server) hostport() string { return s.addr[len(socket.TLSScheme):] }

// tlsEnd is the far end of a TLS connection, ordinary Go.
type tlsEnd struct {
	*tls.Conn
	tcp  *client
	wire *tail
}

// tail keeps the last bytes that were read.
type tail struct {
	net.Conn
	last []byte
}

func (w *tail) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.last = append(w.last, b[:n]...)
	w.last = w.last[max(len(w.last)-24, 0):]
	return n, err
}

// wantEnd reads up to the end of the stream, which must be TLS's own, a record
// of the size of an alert, and then TCP's; it returns what came.
func (e *tlsEnd) wantEnd() string {
	e.tcp.t.Helper()
	b, err := io.ReadAll(e)
	if err != nil || !bytes.HasPrefix(e.wire.last, []byte{23, 3, 3, 0, 19}) {
		e.tcp.t.Errorf("%v after % x", err, e.wire.last)
	}
	if rest := e.tcp.rest(); rest != "" {
		e.tcp.t.Errorf("%q after the end", rest)
	}
	return string(b)
}

// secured is client over TLS.
func (s *server) secured(cfg socket.Config) (*tlsEnd, socket.FD) {
	s.t.Helper()
	tcp := dial(s.t, s.hostport())
	wire := &tail{Conn: tcp}
	e := &tlsEnd{tls.Client(wire, clientConfig(s.t, cfg)), tcp, wire}
	if err := e.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	open := s.next()
	if open.kind != "open" || open.text != tcp.LocalAddr().String() {
		s.t.Fatalf("got %v, want open from %v", open, tcp.LocalAddr())
	}
	return e, open.fd
}

func clientConfig(t testing.TB, cfg socket.Config) *tls.Config {
	t.Helper()
	tc, err := cfg.TLS()
	if err != nil {
		t.Fatal(err)
	}
	tc = tc.Clone()
	tc.ServerName = "127.0.0.1"
	return tc
}

func (e *tlsEnd) send(b []byte) {
	e.tcp.t.Helper()
	if _, err := e.Write(b); err != nil {
		e.tcp.t.Fatal(err)
	}
}

// halved passes each write on in two halves and calls between between them.
type halved struct {
	net.Conn
	between func()
}

func (h *halved) Write(b []byte) (int, error) {
	half := len(b) / 2
	if n, err := h.Conn.Write(b[:half]); err != nil {
		return n, err
	}
	h.between()
	n, err := h.Conn.Write(b[half:])
	return half + n, err
}
