package socket_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Frames of every size pass in order, in both directions, and small writes
// gather to larger ones.
func TestTLSFrames(t *testing.T) {
	n, l := newNode(t)
	cfg := mutual(t, nodetest.NewAuthority(t), func(text string) { l.Log(0, text) })
	s := newTLSServer(t, n, cfg)
	w := newWatcher(t)
	var near socket.FD
	s.do(func(c *service.Context) (err error) {
		near, err = cfg.Dial(c, s.addr, w.Handler)
		return err
	})
	far := s.next().fd
	s.do(func(c *service.Context) error {
		return errors.Join(socket.Start(c, near), socket.Start(c, far))
	})
	var texts []string
	for _, size := range []int{0, 1, 16381, 16382, 16383, 16384, 16385, 32766, 65535} {
		texts = append(texts, strings.Repeat(string(rune('a'+len(texts))), size))
	}
	for range 1000 {
		texts = append(texts, "small")
	}
	for _, way := range []struct {
		from, to socket.FD
		at       *watcher
	}{{near, far, s.watcher}, {far, near, w}} {
		s.do(func(c *service.Context) error {
			for _, text := range texts {
				frame := packet(text)
				if err := socket.Write(c, way.from, frame[:1], frame[1:2], frame[2:]); err != nil {
					return err
				}
			}
			return nil
		})
		for _, text := range texts {
			way.at.want("data", way.to, text)
		}
	}
	for _, fd := range []socket.FD{near, far} {
		eventually(t, func() bool { s := stat(n, fd); return s.Read == s.Written && s.Pending == 0 })
		if got := stat(n, fd).Writes; got > 1000 {
			t.Errorf("%d writes", got)
		}
	}
	if c, ok := socket.NetConn(n, far).(interface{ ConnectionState() tls.ConnectionState }); !ok || c.ConnectionState().Version != tls.VersionTLS13 {
		t.Error("not TLS 1.3")
	}
}

// What interrupts the reader within a record does no harm to it.
func TestTLSStartWithinARecord(t *testing.T) {
	n, _ := newNode(t)
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	s := newTLSServer(t, n, cfg)
	tcp := dial(t, s.hostport())
	h := &halved{tcp, func() {}}
	e := tls.Client(h, clientConfig(t, cfg))
	if err := e.Handshake(); err != nil {
		t.Fatal(err)
	}
	fd := s.next().fd
	h.between = func() {
		h.between = func() {}
		s.do(func(c *service.Context) error { return socket.Start(c, fd) })
	}
	for _, text := range []string{"one", "two"} {
		if _, err := e.Write(packet(text)); err != nil {
			t.Fatal(err)
		}
		s.want("data", fd, text)
	}
}

func TestTLSPeerEnds(t *testing.T) {
	ends := map[string]struct {
		end  func(e *tlsEnd)
		text string // of the error
	}{
		"close":             {func(e *tlsEnd) { _ = e.Close() }, ""},
		"half-close":        {func(e *tlsEnd) { _ = e.CloseWrite() }, ""},
		"end of TCP":        {func(e *tlsEnd) { e.tcp.close() }, ""},
		"unfinished frame":  {func(e *tlsEnd) { e.send([]byte{0, 9, 'x'}); _ = e.Close() }, ""},
		"unfinished record": {func(e *tlsEnd) { e.tcp.send([]byte{23, 3, 3, 0, 99, 1}); e.tcp.close() }, ""},
		"reset":             {func(e *tlsEnd) { e.tcp.reset() }, "Connection reset by peer"},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t)
			cfg := mutual(t, nodetest.NewAuthority(t), nil)
			s := newTLSServer(t, n, cfg)
			for _, start := range []bool{true, false} {
				e, fd := s.secured(cfg)
				if start {
					s.do(func(c *service.Context) error { return socket.Start(c, fd) })
					e.send(packet("last"))
					s.want("data", fd, "last")
				}
				end.end(e)
				if end.text != "" {
					s.want("error", fd, end.text)
				}
				s.want("close", fd, "")
				e.tcp.close()
				s.gone(fd)
				s.nothing()
			}
		})
	}
}

// A peer that has ended its half still gets what was written, and the end.
func TestTLSHalfClose(t *testing.T) {
	n, _ := newNode(t)
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	s := newTLSServer(t, n, cfg)
	large := bytes.Repeat([]byte("large"), 1<<20)
	e, fd := s.secured(cfg)
	s.do(func(c *service.Context) error {
		return errors.Join(socket.Start(c, fd), socket.WriteLow(c, fd, large))
	})
	if err := e.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := e.wantEnd(); got != string(large) {
		t.Errorf("%d bytes", len(got))
	}
}

// What a peer sends and leaves behind before Start is kept, for a while.
func TestTLSPeerLeavesFramesBehind(t *testing.T) {
	n, _ := newNode(t)
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	s := newTLSServer(t, n, cfg)
	for _, text := range leftBehind {
		e, fd := s.secured(cfg)
		e.send(append(packet(text), packet("b")...))
		_ = e.Close()
		s.do(func(c *service.Context) error { return socket.Start(c, fd) })
		s.want("data", fd, text)
		s.want("data", fd, "b")
		s.want("close", fd, "")
	}
	socket.SetHold(n, time.Millisecond)
	for _, text := range leftBehind {
		e, fd := s.secured(cfg)
		e.send(packet(text))
		_ = e.Close()
		s.want("close", fd, "")
	}
}

// Close sends what waits, then both ends of a stream: TLS's and TCP's.
func TestTLSCloseWhileOutputWaits(t *testing.T) {
	n, _ := newNode(t)
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	s := newTLSServer(t, n, cfg)
	large := bytes.Repeat([]byte("large"), 1<<20)
	e, fd := s.secured(cfg)
	s.do(func(c *service.Context) error {
		return errors.Join(socket.WriteLow(c, fd, large), socket.Write(c, fd, []byte("first")), socket.Close(c, fd))
	})
	if got := strings.Replace(e.wantEnd(), "first", "", 1); got != string(large) {
		t.Errorf("%d bytes", len(got))
	}
	_ = e.Close()
	s.gone(fd)
}

// A peer that reads nothing does not hold a closed connection for ever, nor
// does it hold Shutdown.
func TestTLSCloseOfAStuckConnection(t *testing.T) {
	for name, end := range map[string]func(*service.Context, socket.FD) error{"close": socket.Close, "shutdown": socket.Shutdown} {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t)
			if name == "close" {
				socket.SetFlush(n, time.Millisecond)
			}
			cfg := mutual(t, nodetest.NewAuthority(t), nil)
			s := newTLSServer(t, n, cfg)
			e, fd := s.secured(cfg)
			s.do(func(c *service.Context) error {
				return socket.Write(c, fd, make([]byte, 64<<20))
			})
			s.want("warning", fd, "65536")
			eventually(t, func() bool { return stat(n, fd).Writes > 0 })
			s.do(func(c *service.Context) error { return end(c, fd) })
			s.want("close", fd, "")
			s.gone(fd)
			e.tcp.wantEnd()
		})
	}
}

// The end of the stream is a record too. It takes no longer than the rest of the
// output, and Shutdown does without it.
func TestTLSEndThatDoesNotGoOut(t *testing.T) {
	for name, end := range map[string]func(*service.Context, socket.FD) error{"close": socket.Close, "shutdown": socket.Shutdown} {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t)
			socket.SetFlush(n, time.Millisecond)
			cfg := mutual(t, nodetest.NewAuthority(t), nil)
			s := newTLSServer(t, n, cfg)
			_, fd := s.secured(cfg)
			fill(t, socket.NetConn(n, fd))
			began := time.Now()
			s.do(func(c *service.Context) error { return end(c, fd) })
			s.want("close", fd, "")
			s.gone(fd)
			if took := time.Since(began); took > 4*time.Second { // package tls allows itself 5
				t.Errorf("took %v", took)
			}
		})
	}
}

// A Channel speaks TLS or not as its address says, and goes from one to the
// other when that changes.
func TestTLSChannel(t *testing.T) {
	n, _ := newNode(t)
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	answer := func(s *server) {
		s.Data = func(c *service.Context, fd socket.FD, frame []byte) {
			_ = socket.Write(c, fd, packet(string(frame[:4])+"o"+strings.Repeat("a", 60000)))
		}
		s.Open = func(c *service.Context, fd socket.FD, _ string) { _ = socket.Start(c, fd) }
	}
	plain, secured := newServer(t, n), newTLSServer(t, n, cfg)
	answer(plain)
	answer(secured)
	ch := socket.NewChannel(socket.ChannelConfig{Addr: plain.addr, Response: readAnswer})
	ask := func(c *service.Context) error {
		for i := range uint32(100) {
			parts, err := ch.Request(c, i, ask(i, strings.Repeat("q", 60000)), i%2 == 0)
			if err != nil || len(parts) != 1 || len(parts[0]) != 60000 {
				return errors.Join(err, errors.New("wrong answer"))
			}
		}
		return nil
	}
	run(t, n, func(c *service.Context) error {
		err := ask(c)
		ch.ChangeHost(c, secured.addr)
		if err := ch.Connect(c); !errors.Is(err, socket.ErrTLS) || !errors.Is(err, socket.ErrSocket) {
			t.Errorf("without a configuration: %v", err)
		}
		ch.SetConfig(cfg)
		err = errors.Join(err, ask(c))
		ch.ChangeHost(c, plain.addr)
		err = errors.Join(err, ask(c))
		ch.Close(c)
		return err
	})
	if a, b := stat(n, plain.fd).Read, stat(n, secured.fd).Read; a != 2 || b != 1 {
		t.Errorf("%d plain and %d TLS connections", a, b)
	}
}

// A refusal that comes when the connection stands already is what requests end
// with.
func TestTLSChannelIsRefused(t *testing.T) {
	n, l := newNode(t)
	cfg := mutual(t, nodetest.NewAuthority(t), nil)
	s := newTLSServer(t, n, cfg)
	ch := socket.NewChannel(socket.ChannelConfig{Addr: s.addr, Conn: anonymous(cfg), Response: readAnswer})
	s.do(func(c *service.Context) error {
		for i := range uint32(20) {
			_, err := ch.Request(c, i, ask(i, "q"), false)
			if !errors.Is(err, socket.ErrSocket) || !strings.Contains(err.Error(), "tls: certificate required") {
				t.Errorf("got %v", err)
			}
		}
		return nil
	})
	if !strings.Contains(l.String(), "tls: certificate required") {
		t.Errorf("logged: %s", l)
	}
}
