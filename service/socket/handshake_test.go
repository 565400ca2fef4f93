package socket_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Who does not trust the other, or speaks something else, is refused, and both
// sides are told why.
func TestTLSRefused(t *testing.T) {
	ours, theirs := nodetest.NewAuthority(t), nodetest.NewAuthority(t)
	good := mutual(t, ours, nil)
	elsewhere := func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"db.example"} }
	const plain = true
	for name, tc := range map[string]struct {
		server, client socket.Config
		plainServer    bool
		plainClient    bool
		serverSays     string
		clientSays     string
	}{
		"server of another authority": {
			server: mutual(t, theirs, nil), client: good,
			serverSays: "remote error: tls: bad certificate", clientSays: "x509: certificate signed by unknown authority",
		},
		"client of another authority": {
			server: good, client: socket.Config{TLS: func() (*tls.Config, error) {
				tc, err := mutual(t, theirs, nil).TLS()
				tc.InsecureSkipVerify = true
				return tc, err
			}},
			serverSays: "x509: certificate signed by unknown authority", clientSays: "remote error: tls: unknown certificate authority",
		},
		"client without a certificate": {
			server: good, client: anonymous(good),
			serverSays: "tls: client didn't provide a certificate", clientSays: "remote error: tls: certificate required",
		},
		"expired server": {
			server: mutual(t, ours, nil, expired), client: good,
			serverSays: "remote error: tls: bad certificate", clientSays: "x509: certificate has expired",
		},
		"expired client": {
			server: good, client: mutual(t, ours, nil, expired),
			serverSays: "x509: certificate has expired", clientSays: "remote error: tls: expired certificate",
		},
		"server of another host": {
			server: mutual(t, ours, nil, elsewhere), client: good,
			serverSays: "remote error: tls: bad certificate", clientSays: "x509: cannot validate certificate for 127.0.0.1",
		},
		"plain client": {
			server: good, plainClient: plain,
			serverSays: " speaks no TLS", clientSays: " sends what looks like TLS, not plain frames",
		},
		"plain server": {
			plainServer: plain, client: good,
			serverSays: " sends what looks like TLS, not plain frames", clientSays: "perhaps it speaks no TLS",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t)
			s := newWatcher(t)
			clientErr := make(chan error, 1)
			w := &socket.Handler{Error: func(_ *service.Context, _ socket.FD, err error) { clientErr <- err }}
			run(t, n, func(c *service.Context) error {
				scheme, other := socket.TLSScheme, socket.TLSScheme
				if tc.plainServer {
					scheme = ""
				}
				if tc.plainClient {
					other = ""
				}
				_, addr, err := tc.server.Listen(c, scheme+"127.0.0.1:0", s.Handler)
				if err != nil {
					return err
				}
				fd, err := tc.client.Dial(c, other+addr, w)
				if err != nil {
					clientErr <- err
					return nil
				}
				_ = socket.Start(c, fd) // it may be refused by now
				_ = socket.Write(c, fd, packet(strings.Repeat("q", 20)))
				return nil
			})
			if err := receive(t, clientErr); !strings.Contains(err.Error(), tc.clientSays) {
				t.Errorf("the client says: %v", err)
			}
			e := s.next()
			if tc.plainServer && e.kind == "open" {
				e = s.next()
			}
			if e.kind != "error" || !strings.Contains(e.text, tc.serverSays) || !strings.Contains(e.text, "socket: TLS: ") {
				t.Errorf("the server says: %v", e)
			}
		})
	}
}

// A ClientHello is recognized however it is cut; other first frames are not
// taken for one.
func TestLooksLikeTLS(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	hello := clientHello(t)
	for cut := range 9 {
		cl, fd := s.started()
		cl.send(hello[:cut])
		eventually(t, func() bool { return stat(n, fd).Read == uint64(cut) })
		cl.send(hello[cut:])
		s.want("error", fd, "socket: TLS: "+cl.LocalAddr().String()+" sends what looks like TLS, not plain frames")
		s.want("close", fd, "")
	}
	for _, start := range []string{"\x01\x02\x00\x01\x00\x01\xfb", "\x01\x02\x00\x02\x00\x01\xfc", "\x05\x02\x00\x01\x00\x01\xfc", "\x01\x00\x02\x02\x04", "\x01\x00\x02\x00\x0a"} {
		for _, kind := range []byte{0x15, 0x16} {
			cl, fd := s.started()
			text := start + strings.Repeat("x", int(kind)<<8+3-len(start))
			cl.send(packet(text))
			s.want("data", fd, text)
			cl.send(hello) // not at the beginning
			cl.close()
			s.want("close", fd, "")
		}
	}
}

// clientHello is what a TLS client sends first.
func clientHello(t *testing.T) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		defer near.Close()
		_ = tls.Client(near, &tls.Config{ServerName: "localhost"}).Handshake()
	}()
	b := make([]byte, 1<<14)
	n, err := far.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// A peer that connects and says nothing is turned away in time.
func TestTLSSilentPeer(t *testing.T) {
	n, _ := newNode(t)
	socket.SetHandshake(n, time.Millisecond)
	s := newTLSServer(t, n, mutual(t, nodetest.NewAuthority(t), nil))
	cl := dial(t, s.hostport())
	cl.wantEnd()
	if e := s.next(); e.kind != "error" || e.fd != s.fd || !strings.Contains(e.text, "did not finish the handshake") {
		t.Errorf("got %v", e)
	}
}

// A Dial to a port where nobody answers the handshake ends in time.
func TestTLSDialOfASilentPeer(t *testing.T) {
	n, _ := newNode(t)
	f := newFar(t)
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	run(t, n, func(c *service.Context) error {
		_, err := cfg.Dial(c.WithTimeout(300*time.Millisecond), socket.TLSScheme+f.addr(), nil)
		if !errors.Is(err, socket.ErrTLS) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "perhaps it speaks no TLS") {
			t.Error(err)
		}
		return nil
	})
}

// Handshakes end with the service that wanted them, at either side, and with
// the listener.
func TestTLSEndDuringHandshakes(t *testing.T) {
	n, _ := newNode(t)
	socket.SetHandshake(n, patience)
	f := newFar(t)
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	s := newTLSServer(t, n, cfg)
	addr := make(chan string, 1)
	service.Install(n, service.Def("short", func(c *service.Context, _ ...any) error {
		_, at, err := cfg.Listen(c, "tls://127.0.0.1:0", nil)
		c.Fork(func(c *service.Context) {
			addr <- at
			_, _ = cfg.Dial(c.WithTimeout(service.Forever), socket.TLSScheme+f.addr(), nil)
		})
		return err
	}))
	short, err := service.Launch(n, "short")
	if err != nil {
		t.Fatal(err)
	}
	e, cl, other := f.accept(), dial(t, receive(t, addr)), dial(t, s.hostport())
	eventually(t, func() bool { return running("socket.handshake(") == 3 })
	_ = n.Kill(0, short)
	e.wantEnd()
	cl.wantEnd()
	s.do(func(c *service.Context) error { return socket.Close(c, s.fd) })
	other.wantEnd()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := socket.Wait(ctx, n); err != nil || running("socket.(*listener).secure(") > 0 {
		t.Errorf("%v, or a listener was left before its handshakes", err)
	}
	eventually(t, func() bool { return running("socket.handshake(") == 0 })
	s.nothing()
}

// running returns how many goroutines of this process are in a function.
func running(function string) int {
	stacks := make([]byte, 1<<22)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), function)
}

// Only so many handshakes run at once; who comes later waits for its turn.
func TestTLSHandshakesAtOnce(t *testing.T) {
	n, _ := newNode(t)
	const most, all = 256, 300
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	good := cfg.TLS
	var begun, running, peak atomic.Int64
	turn := make(chan struct{}, all)
	opened := false
	cfg.TLS = func() (*tls.Config, error) {
		if !opened { // by Listen
			opened = true
			return good()
		}
		peak.Store(max(peak.Load(), running.Add(1)))
		defer running.Add(-1)
		begun.Add(1)
		<-turn
		return nil, errors.New("no")
	}
	s := newTLSServer(t, n, cfg)
	for range all {
		dial(t, s.hostport()).close()
	}
	for i := range int64(all) {
		eventually(t, func() bool { return begun.Load() >= min(most+i, all) })
		turn <- struct{}{}
	}
	for range all {
		s.want("error", s.fd, "socket: TLS: no")
	}
	if peak.Load() != most {
		t.Errorf("%d at once", peak.Load())
	}
}

// What is wrong with the configuration is known when it is used first.
func TestTLSConfigurationErrors(t *testing.T) {
	n, _ := newNode(t)
	cert, key, ca := nodetest.NewAuthority(t).Write(t.TempDir())
	for _, tc := range []struct {
		cfg  socket.Config
		want string
	}{
		{socket.Config{}, "is not configured"},
		{socket.Config{TLS: socket.MutualTLS("", key, ca, nil)}, "cert: no file is named"},
		{socket.Config{TLS: socket.MutualTLS(cert, "", ca, nil)}, "key: no file is named"},
		{socket.Config{TLS: socket.MutualTLS(cert, key, "nosuch.pem", nil)}, "ca: stat nosuch.pem: no such file or directory"},
		{socket.Config{TLS: socket.MutualTLS(cert, key, t.TempDir(), nil)}, "ca: read "},
		{socket.Config{TLS: socket.MutualTLS(cert, key, key, nil)}, "ca " + key + ": no certificate in it"},
		{socket.Config{TLS: socket.MutualTLS(cert, ca, ca, nil)}, fmt.Sprintf("cert %s with key %s: tls: ", cert, ca)},
	} {
		run(t, n, func(c *service.Context) error {
			_, _, lerr := tc.cfg.Listen(c, "tls://127.0.0.1:0", nil)
			_, derr := tc.cfg.Dial(c, "tls://127.0.0.1:1", nil)
			for _, err := range []error{lerr, derr} {
				if !errors.Is(err, socket.ErrTLS) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %s", err, tc.want)
				}
			}
			return nil
		})
	}
	if left := socket.Info(n); len(left) > 0 {
		t.Error(left)
	}
}
