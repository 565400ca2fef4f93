package socket_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// newLimited is newServer with limits.
func newLimited(t testing.TB, l socket.Limits, change ...func(*actor.Config)) *server {
	t.Helper()
	n, _ := newNode(t, change...)
	s := &server{watcher: newWatcher(t), node: n}
	run(t, n, func(c *service.Context) (err error) {
		s.fd, s.addr, err = socket.Config{Limits: l}.Listen(c, "127.0.0.1:0", s.Handler)
		return err
	})
	return s
}

// wantFailure checks that fd ends with err.
func (s *server) wantFailure(fd socket.FD, err error) {
	s.t.Helper()
	s.want("error", fd, err.Error())
	s.want("close", fd, "")
	s.gone(fd)
	s.nothing()
}

// A packet that is too large is noticed when it is announced, those before it
// come.
func TestMaxPacket(t *testing.T) {
	s := newLimited(t, socket.Limits{MaxPacket: 4})
	cl, fd := s.client()
	cl.send(append(append(packet("four"), packet("last")...), 0, 5))
	s.start(fd)
	s.want("data", fd, "four")
	s.want("data", fd, "last")
	s.wantFailure(fd, socket.ErrPacketSize)
	cl.wantEnd()

	// Frames that come together are no way around it.
	s = newLimited(t, socket.Limits{MaxPacket: 4}, noIsolate)
	cl, fd = s.client()
	cl.send(append(packet("four"), packet("five!")...))
	s.do(func(c *service.Context) error {
		if err := socket.Join(c, fd); err != nil {
			return err
		}
		return socket.Start(c, fd)
	})
	s.want("data", fd, "four")
	s.wantFailure(fd, socket.ErrPacketSize)
	cl.wantEnd()
}

func TestIdle(t *testing.T) {
	for name, test := range map[string]struct {
		limits socket.Limits
		send   []byte
	}{
		"never anything":       {socket.Limits{Idle: 20 * time.Millisecond}, nil},
		"nothing more":         {socket.Limits{Idle: 20 * time.Millisecond}, packet("x")},
		"no whole first":       {socket.Limits{FirstPacket: 20 * time.Millisecond}, []byte("\x00\x02x")},
		"no first, not idle":   {socket.Limits{FirstPacket: 20 * time.Millisecond, Idle: time.Hour}, nil},
		"idle after the first": {socket.Limits{FirstPacket: time.Hour, Idle: 20 * time.Millisecond}, packet("x")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newLimited(t, test.limits)
			cl, fd := s.client()
			cl.send(test.send)
			s.wantFailure(fd, socket.ErrIdle)
			cl.wantEnd()
		})
	}
}

// Who sends something now and then is not idle, and asked for a sign of life only
// while silent.
func TestHeartbeat(t *testing.T) {
	const pause = 200 * time.Millisecond
	s := newLimited(t, socket.Limits{FirstPacket: pause, Idle: pause, Heartbeat: pause / 4})
	cl, fd := s.started()
	cl.send(packet("first"))
	s.want("data", fd, "first")
	began := time.Now()
	for time.Since(began) < 3*pause {
		beat := make([]byte, 2)
		if _, err := io.ReadFull(cl, beat); err != nil || beat[0]+beat[1] != 0 {
			t.Fatalf("%q, %v", beat, err)
		}
		cl.send(packet("here"))
		s.want("data", fd, "here")
	}
	s.wantFailure(fd, socket.ErrIdle)

	// It does not come inside a frame that is written in pieces.
	s = newLimited(t, socket.Limits{Heartbeat: pause / 4})
	cl, fd = s.started()
	for _, piece := range []string{"\x00", "\x05he", "llo"} {
		s.do(func(c *service.Context) error { return errors.Join(socket.Write(c, fd, []byte(piece)), c.Sleep(pause)) })
	}
	frame := make([]byte, 2)
	for frame[1] == 0 { // perhaps one before the first piece
		if _, err := io.ReadFull(cl, frame); err != nil {
			t.Fatal(err)
		}
	}
	frame = append(frame, make([]byte, len("hello\x00\x00"))...)
	if _, err := io.ReadFull(cl, frame[2:]); err != nil || string(frame) != "\x00\x05hello\x00\x00" {
		t.Fatalf("got %q, %v", frame, err)
	}
	if err := cl.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	s.want("close", fd, "")

	// A browser answers a ping by itself.
	w := newWebServer(t, socket.Config{Limits: socket.Limits{Idle: pause, Heartbeat: pause / 4}})
	p, fd := w.browse()
	ended := p.CloseRead(p.ctx)
	before := stat(w.node, fd).Read
	eventually(t, func() bool { return stat(w.node, fd).Read > before+3*6 })
	w.nothing()
	_ = p.CloseNow()
	<-ended.Done()
	w.want("close", fd, "")
}

// What comes too fast comes later, in order and in full.
func TestRates(t *testing.T) {
	for name, limits := range map[string]socket.Limits{
		"packets": {PacketRate: 100},
		"joined":  {PacketRate: 100},
		"bytes":   {ByteRate: 400},
		"both":    {PacketRate: 100, ByteRate: 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := newLimited(t, limits, noIsolate)
			cl, fd := s.started()
			if name == "joined" {
				s.do(func(c *service.Context) error { return socket.Join(c, fd) })
			}
			began := time.Now()
			const count = 120 // of four bytes: 100 in the first second's allowance
			var all []byte
			for i := range count {
				all = append(all, packet(string([]byte{'a', 'b', 'c', byte(i)}))...)
			}
			cl.send(all)
			for i := range count {
				s.want("data", fd, string([]byte{'a', 'b', 'c', byte(i)}))
			}
			if d := time.Since(began); d < 190*time.Millisecond {
				t.Errorf("it took %v", d)
			}
			cl.close()
			s.want("close", fd, "")
		})
	}
	// Less than nothing is no limit, as nothing is.
	s := newLimited(t, socket.Limits{PacketRate: -1, ByteRate: -1, MaxPending: -1, MaxPacket: -1})
	cl, fd := s.started()
	cl.send(packet("x"))
	s.want("data", fd, "x")
	s.do(func(c *service.Context) error { return socket.WritePacket(c, fd, []byte("y")) })
	if _, err := io.ReadFull(cl, make([]byte, 3)); err != nil {
		t.Error(err)
	}
	cl.close()
	s.want("close", fd, "")
	// Who has to wait is not idle.
	s = newLimited(t, socket.Limits{PacketRate: 50, Idle: 100 * time.Millisecond})
	cl, fd = s.started()
	cl.send(bytes.Repeat(packet("x"), 80))
	for range 80 {
		s.want("data", fd, "x")
	}
	s.wantFailure(fd, socket.ErrIdle)
	// One that is closed while it has to wait does so at once.
	s = newLimited(t, socket.Limits{ByteRate: 1})
	cl, fd = s.started()
	cl.send(append(packet("first"), packet("second")...))
	s.want("data", fd, "first")
	s.do(func(c *service.Context) error { return socket.Shutdown(c, fd) })
	s.want("close", fd, "")
	s.nothing()
}

// flood writes 1 KiB packets until an error or until much more than a connection
// takes is written.
func (s *server) flood(fd socket.FD) (written int, err error) {
	s.t.Helper()
	s.do(func(c *service.Context) error {
		for err == nil && written < 64<<20 {
			if err = socket.WritePacket(c, fd, make([]byte, 1022)); err == nil {
				written += 1024
			}
		}
		return nil
	})
	return written, err
}

func TestOverflow(t *testing.T) {
	const most = 256 << 10
	t.Run("kick", func(t *testing.T) {
		s := newLimited(t, socket.Limits{MaxPending: most})
		cl, fd := s.started()
		if n, err := s.flood(fd); !errors.Is(err, socket.ErrOverflow) || !errors.Is(err, socket.ErrClosed) || n < most {
			t.Errorf("%d, %v", n, err)
		}
		s.wantFailure(fd, socket.ErrOverflow)
		cl.wantEnd()
	})
	t.Run("drop", func(t *testing.T) {
		s := newLimited(t, socket.Limits{MaxPending: most, Overflow: socket.OverflowDrop})
		cl, fd := s.started()
		n, err := s.flood(fd)
		if !errors.Is(err, socket.ErrOverflow) || errors.Is(err, socket.ErrClosed) {
			t.Errorf("%d, %v", n, err)
		}
		if st := stat(s.node, fd); st.Dropped != 1024 || st.Pending > most {
			t.Errorf("%+v", st)
		}
		if _, err := io.ReadFull(cl, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { return stat(s.node, fd).Pending == 0 })
		s.do(func(c *service.Context) error { return socket.WritePacket(c, fd, []byte("on")) })
		if got := make([]byte, 4); true {
			if _, err := io.ReadFull(cl, got); err != nil || string(got) != "\x00\x02on" {
				t.Errorf("%q, %v", got, err)
			}
		}
		s.nothing()
	})
	t.Run("warn", func(t *testing.T) {
		s := newLimited(t, socket.Limits{MaxPending: most, Overflow: socket.OverflowWarn, HighWater: 1 << 30})
		_, fd := s.started()
		p := newPipe(s.node, fd)
		s.write(fd, make([]byte, most))
		receive(t, p.begun)
		s.nothing()
		s.write(fd, []byte{0})
		s.want("warning", fd, "257")
		s.write(fd, make([]byte, most))
		s.nothing()
		p.allow <- nil
		receive(t, p.begun)
		s.nothing()
		p.allow <- nil
		s.want("warning", fd, "0")
	})
}

func TestWaterMarks(t *testing.T) {
	const high, low = 64 << 10, 32 << 10
	n, _ := newNode(t)
	s := &server{watcher: newWatcher(t), node: n}
	run(t, n, func(c *service.Context) (err error) {
		cfg := socket.Config{Limits: socket.Limits{HighWater: high, LowWater: low}}
		s.fd, s.addr, err = cfg.Listen(c, "127.0.0.1:0", s.Handler)
		return err
	})
	_, fd := s.started()
	p := newPipe(n, fd)
	write := func(size int) { s.write(fd, make([]byte, size)) }
	write(high - 1)
	receive(t, p.begun)
	s.nothing()
	write(2 << 10)
	s.want("warning", fd, "66")
	write(high)
	s.want("warning", fd, "130")
	p.allow <- nil
	receive(t, p.writes)
	receive(t, p.begun)
	if st := stat(n, fd); st.Pending <= low {
		t.Fatalf("%+v", st)
	}
	s.nothing()
	write(low - 1) // is left when the rest has gone
	p.allow <- nil
	receive(t, p.writes)
	s.want("warning", fd, "0")
	if st := stat(n, fd); st.Pending != low-1 {
		t.Errorf("%+v", st)
	}
	p.allow <- nil
	receive(t, p.writes)
	eventually(t, func() bool { return stat(n, fd).Pending == 0 })
	s.nothing()
}

func TestHostOf(t *testing.T) {
	for peer, want := range map[string]string{
		"10.1.2.3:4":               "10.1.2.3",
		"[::ffff:10.1.2.3]:4":      "10.1.2.3",
		"[2001:db8:1:2:3:4:5:6]:7": "2001:db8:1:2::",
		"[2001:db8:1:2:9:9:9:9]:7": "2001:db8:1:2::",
		"[2001:db8:1:3::1]:7":      "2001:db8:1:3::",
		"[fe80::1:2%eth0]:7":       "fe80::",
	} {
		if got := socket.HostOf(peer).String(); got != want {
			t.Errorf("%s: %s, want %s", peer, got, want)
		}
	}
}
