package socket_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

func TestListen(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	if s.fd != 1 || !strings.HasPrefix(s.addr, "127.0.0.1:") || strings.HasSuffix(s.addr, ":0") {
		t.Errorf("Listen: fd %d at %s", s.fd, s.addr)
	}
	s.do(func(c *service.Context) error {
		_, _, err := socket.Listen(c, s.addr, nil)
		if got := socket.ErrorText(err); got != "Address already in use" {
			t.Errorf("Listen on a used port: %q", got)
		}
		fd, addr, err := socket.Listen(c, "localhost:0", nil)
		if err != nil || fd != 2 || strings.Contains(addr, "localhost") {
			t.Errorf("Listen on a name: %d, %q, %v", fd, addr, err)
		}
		_, addr, err = socket.Listen(c, "0.0.0.0:0", nil)
		if err != nil || !strings.HasPrefix(addr, "0.0.0.0:") {
			t.Errorf("Listen on all addresses: %q, %v", addr, err)
		}
		if _, _, err = socket.Listen(c, "no such host.invalid:0", nil); err == nil {
			t.Error("Listen on an unknown host: no error")
		}
		return nil
	})
}

func TestNumbersAreNotUsedAgainSoon(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	for want := socket.FD(2); want < 5; want++ {
		cl, fd := s.client()
		if fd != want {
			t.Fatalf("fd %d, want %d", fd, want)
		}
		cl.close()
		s.want("close", fd, "")
		s.gone(fd)
	}
	socket.SetLastFD(n, math.MaxInt32-1)
	_, last := s.client()
	_, next := s.client()
	if last != math.MaxInt32 || next != 2 { // 1 is the listener
		t.Errorf("fds %d and %d", last, next)
	}
}

func TestFramesComeWholeAndInOrder(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	var want []string
	var stream []byte
	for i := range 300 {
		size := i
		switch i % 50 {
		case 0:
			size = 0
		case 1:
			size = socket.MaxFrame
		case 2:
			size = 5000
		}
		want = append(want, strings.Repeat(string(rune('a'+i%26)), size))
		stream = append(stream, packet(want[i])...)
	}
	go func() {
		for len(stream) > 0 {
			k := min(len(stream), 1+rand.IntN(9000))
			if _, err := cl.Write(stream[:k]); err != nil {
				return
			}
			stream = stream[k:]
		}
	}()
	for _, frame := range want {
		s.want("data", fd, frame)
	}
}

func TestFramesBelongToTheReceiver(t *testing.T) {
	n, _ := newNode(t)
	frames := make(chan []byte, 3)
	run(t, n, func(c *service.Context) error {
		h := &socket.Handler{
			Open: func(c *service.Context, fd socket.FD, _ string) { _ = socket.Start(c, fd) },
			Data: func(_ *service.Context, _ socket.FD, frame []byte) { frames <- frame },
		}
		_, addr, err := socket.Listen(c, "127.0.0.1:0", h)
		if err == nil {
			dial(t, addr).send(append(append(packet("one"), packet("two")...), packet("")...))
		}
		return err
	})
	one := receive(t, frames)
	_ = append(one, "XXXXXXXX"...)
	copy(one, "xxx")
	if two := receive(t, frames); string(two) != "two" {
		t.Errorf("the second frame is %q", two)
	}
	if empty := receive(t, frames); empty == nil || len(empty) != 0 {
		t.Errorf("the empty frame is %#v", empty)
	}
}

func TestNothingIsDeliveredBeforeStart(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.client()
	cl.send(append(packet("early"), 0, 9, 'h'))
	eventually(t, func() bool { return stat(n, fd).Read == 10 })
	s.nothing()
	s.do(func(c *service.Context) error { return socket.Start(c, fd) })
	s.want("data", fd, "early")
	cl.send([]byte("alf here"))
	s.want("data", fd, "half here")
}

func TestFewBytesAreReadBeforeStart(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.client()
	text := strings.Repeat("x", 10000)
	cl.send(packet(text))
	cl.send(packet(text))
	eventually(t, func() bool { return stat(n, fd).Read > 0 })
	if got := stat(n, fd).Read; got > 4<<10 {
		t.Errorf("%d bytes were read", got)
	}
	s.do(func(c *service.Context) error { return socket.Start(c, fd) })
	s.want("data", fd, text)
	s.want("data", fd, text)
}

// collector is a service that puts its messages of type client into a channel.
func collector(t *testing.T, n *service.Node) (service.Handle, <-chan service.Message) {
	t.Helper()
	got := make(chan service.Message, 1024)
	service.Install(n, service.Def("collector", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeClient, func(_ *service.Context, m service.Message) { got <- m })
		return nil
	}))
	h, err := service.Launch(n, "collector")
	if err != nil {
		t.Fatal(err)
	}
	return h, got
}

func TestForward(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	one, toOne := collector(t, n)
	two, toTwo := collector(t, n)
	cl, fd := s.client()
	forward := func(to service.Handle) {
		s.do(func(c *service.Context) error { return socket.Forward(c, fd, to, service.PTypeClient, 77) })
	}
	want := func(ch <-chan service.Message, text string) {
		t.Helper()
		m := receive(t, ch)
		data, _ := m.Data.([]byte)
		if m.Type != service.PTypeClient || m.Session != service.Session(fd) || m.Source != 77 || string(data) != text || m.Cmd != "" {
			t.Fatalf("got %v, want %q", m, text)
		}
	}
	cl.send(packet("early"))
	forward(one)
	want(toOne, "early")
	cl.send(packet("one"))
	want(toOne, "one")
	forward(two)
	cl.send(packet("two"))
	want(toTwo, "two")
	s.do(func(c *service.Context) error { return socket.Start(c, fd) })
	cl.send(packet("owner"))
	s.want("data", fd, "owner")

	s.do(func(c *service.Context) error { return c.Kill(one) })
	<-done(n, one)
	forward(one)
	before := n.Drops().NoService
	cl.send(packet("lost"))
	eventually(t, func() bool { return n.Drops().NoService == before+1 })
	forward(two)
	cl.send(packet("last"))
	cl.close()
	want(toTwo, "last")
	s.want("close", fd, "")
	s.nothing()
}

// done is closed when h has ended.
func done(n *service.Node, h service.Handle) <-chan struct{} {
	if s := n.Find(h); s != nil {
		return s.Done()
	}
	ch := make(chan struct{})
	close(ch)
	return ch
}

func TestUnknownFD(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	s.do(func(c *service.Context) error {
		for _, fd := range []socket.FD{0, -1, 99, s.fd} {
			if err := socket.Write(c, fd, []byte("x")); !errors.Is(err, socket.ErrClosed) {
				t.Errorf("Write to %d: %v", fd, err)
			}
			if err := socket.Window(c, fd, 1); !errors.Is(err, socket.ErrClosed) {
				t.Errorf("Window of %d: %v", fd, err)
			}
			if got := socket.Pending(c, fd); got != 0 {
				t.Errorf("Pending of %d: %d", fd, got)
			}
		}
		if err := socket.Close(c, 99); !errors.Is(err, socket.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
		return nil
	})
}

func TestCloseOfAListener(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	s.do(func(c *service.Context) error { return socket.Close(c, s.fd) })
	s.gone(s.fd)
	if nc, err := net.Dial("tcp", s.addr); err == nil {
		nc.Close()
		t.Error("it listens still")
	}
	cl.send(packet("on"))
	s.want("data", fd, "on")
	cl.close()
	s.want("close", fd, "")
	s.nothing()
}

func TestInfo(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	began := time.Now()
	cl, fd := s.started()
	cl.send(packet("four"))
	s.want("data", fd, "four")
	var self service.Handle
	s.do(func(c *service.Context) error {
		self = c.Self()
		return socket.Write(c, fd, []byte("12"), []byte("345"))
	})
	b := make([]byte, 5)
	if _, err := cl.Read(b); err != nil {
		t.Fatal(err)
	}
	ran := n.Uptime()
	since := stat(n, fd).Since
	if since.Before(began) || since.After(time.Now()) {
		t.Errorf("since %v", since)
	}
	want := []socket.Stat{
		{FD: s.fd, Type: socket.TypeListen, Peer: s.addr, Owner: self, Read: 1},
		{FD: fd, Type: socket.TypeTCP, Peer: cl.LocalAddr().String(), Owner: self, Since: since, Read: 6, Packets: 1, Written: 5, Writes: 1, Reading: true},
	}
	eventually(t, func() bool {
		got := socket.Info(n)
		for i := range got {
			st := &got[i]
			if st.LastRead <= 0 || st.LastRead > ran || st.Type == socket.TypeTCP && (st.LastWrite < st.LastRead || st.LastWrite > n.Uptime()) {
				return false
			}
			st.LastRead, st.LastWrite = 0, 0
		}
		return len(got) == 2 && got[0] == want[0] && got[1] == want[1]
	})
}

// Another service may write to and close what it does not own.
func TestOtherServicesUseTheFD(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	service.Install(n, service.Def("agent", func(c *service.Context, _ ...any) error {
		if err := socket.Write(c, fd, []byte("from the agent")); err != nil {
			t.Error(err)
		}
		if err := socket.Close(c, fd); err != nil {
			t.Error(err)
		}
		c.Exit()
		return nil
	}))
	if _, err := service.Launch(n, "agent"); err != nil {
		t.Fatal(err)
	}
	if got := cl.rest(); got != "from the agent" {
		t.Errorf("got %q", got)
	}
	cl.close()
	s.want("close", fd, "")
}

func TestAcceptErrorPasses(t *testing.T) {
	n, _ := newNode(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := newWatcher(t)
	var fd socket.FD
	run(t, n, func(c *service.Context) (err error) {
		fd, err = socket.Serve(c, &failingListener{Listener: ln, left: 2}, w.Handler)
		return err
	})
	w.want("error", fd, "Too many open files")
	w.want("error", fd, "Too many open files")
	dial(t, ln.Addr().String())
	if e := w.next(); e.kind != "open" {
		t.Errorf("got %v", e)
	}
}

// A Handler without functions, and none at all, are told of everything.
func TestHandlerWithoutFunctions(t *testing.T) {
	n, l := newNode(t, func(cfg *actor.Config) { cfg.CallTimeout = 0 })
	for _, h := range []*socket.Handler{nil, {}} {
		run(t, n, func(c *service.Context) error {
			_, addr, err := socket.Listen(c, "127.0.0.1:0", h)
			if err != nil {
				return err
			}
			fd, err := socket.Dial(c, addr, h)
			if err != nil {
				return err
			}
			return socket.Start(c, fd)
		})
	}
	eventually(t, func() bool { return len(socket.Info(n)) == 6 })
	run(t, n, func(c *service.Context) error {
		for _, st := range socket.Info(n) {
			_ = socket.Write(c, st.FD, packet("x"), make([]byte, 2<<20))
			_ = socket.Close(c, st.FD)
		}
		return nil
	})
	eventually(t, func() bool { return len(socket.Info(n)) == 0 })
	if strings.Contains(l.String(), "] lua call") {
		t.Error(l)
	}
}
