package socket_test

import (
	"net"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

func TestDial(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	w := newWatcher(t)
	var fd socket.FD
	run(t, n, func(c *service.Context) (err error) {
		fd, err = socket.Dial(c, s.addr, w.Handler)
		return err
	})
	far := s.next().fd
	run(t, n, func(c *service.Context) error {
		if err := socket.Write(c, far, packet("hello")); err != nil {
			return err
		}
		return socket.Start(c, fd)
	})
	w.want("data", fd, "hello")
	run(t, n, func(c *service.Context) error { return socket.Close(c, far) })
	w.want("close", fd, "")
	s.want("close", far, "")
}

func TestDialFails(t *testing.T) {
	n, _ := newNode(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	full := hanging(t)
	begin := time.Now()
	run(t, n, func(c *service.Context) error {
		for _, test := range []struct{ addr, text string }{
			{ln.Addr().String(), "Connection refused"},
			{full, "Connection timed out"},
		} {
			_, err := socket.Dial(c.WithTimeout(50*time.Millisecond), test.addr, nil)
			if got := socket.ErrorText(err); got != test.text {
				t.Errorf("Dial %s: %q", test.addr, got)
			}
		}
		return nil
	})
	if took := time.Since(begin); took > socket.DialTimeout/2 {
		t.Errorf("a deadline of 50 ms took %v", took)
	}
	if left := socket.Info(n); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestOptions(t *testing.T) {
	n, _ := newNode(t)
	for _, test := range []struct {
		silence       time.Duration
		pause, probes int
	}{
		{0, 15, 9},
		{25 * time.Second, 2, 11},
		{time.Second, 1, 1},
		{time.Hour, 360, 9},
		{-1, 0, 0},
	} {
		cfg := mutual(t, nodetest.NewAuthority(t), nil)
		cfg.Silence = test.silence
		for _, scheme := range []string{"", socket.TLSScheme} {
			s, dialled := newWatcher(t), socket.FD(0)
			run(t, n, func(c *service.Context) error {
				_, addr, err := cfg.Listen(c, scheme+"127.0.0.1:0", s.Handler)
				if err == nil {
					dialled, err = cfg.Dial(c, scheme+addr, nil)
				}
				return err
			})
			for _, fd := range []socket.FD{dialled, s.next().fd} {
				checkOptions(t, socket.NetConn(n, fd), test.pause, test.probes)
			}
		}
	}
}

// A service's sockets end with it, though it closed none.
func TestOwnerEnds(t *testing.T) {
	for _, how := range []string{"exit", "kill"} {
		t.Run(how, func(t *testing.T) {
			n, _ := newNode(t)
			s := newServer(t, n)
			s.do(func(c *service.Context) error { return c.Register(".launcher") }) // takes what is sent there
			before := n.Drops()
			w := newWatcher(t)
			addr := make(chan string, 1)
			service.Install(n, service.Def("owner", func(c *service.Context, _ ...any) error {
				if _, err := socket.Dial(c, s.addr, w.Handler); err != nil {
					return err
				}
				_, a, err := socket.Listen(c, "127.0.0.1:0", w.Handler)
				addr <- a
				c.Handle("exit", service.P0(func(c *service.Context) error {
					fd := socket.FD(0)
					for _, st := range socket.Info(n) {
						if st.Owner == c.Self() && st.Type == socket.TypeTCP && st.Peer != s.addr {
							fd = st.FD
						}
					}
					_ = socket.Write(c, fd, []byte("last words"))
					c.Exit()
					return nil
				}))
				return err
			}))
			h, err := service.Launch(n, "owner")
			if err != nil {
				t.Fatal(err)
			}
			far := s.next()
			at := receive(t, addr)
			cl := dial(t, at)
			w.next() // open
			if how == "exit" {
				run(t, n, func(c *service.Context) error { return c.Send(h, "exit") })
				if got := cl.rest(); got != "last words" {
					t.Errorf("got %q", got)
				}
			} else {
				run(t, n, func(c *service.Context) error { return c.Kill(h) })
				cl.wantEnd()
			}
			s.want("close", far.fd, "")
			s.gone(far.fd)
			eventually(t, func() bool { return len(socket.Info(n)) == 1 })
			if nc, err := net.Dial("tcp", at); err == nil {
				nc.Close()
				t.Error("it listens still")
			}
			w.nothing()
			if after := n.Drops(); after != before {
				t.Errorf("drops: %+v, before: %+v", after, before)
			}
		})
	}
}

func TestOwnerEndsWhileDialling(t *testing.T) {
	n, _ := newNode(t)
	full := hanging(t)
	dialling := make(chan struct{})
	service.Install(n, service.Def("dialler", func(c *service.Context, _ ...any) error {
		close(dialling)
		_, err := socket.Dial(c, full, nil)
		t.Errorf("Dial came back: %v", err)
		return nil
	}))
	h, err := service.Launch(n, "dialler")
	if err != nil {
		t.Fatal(err)
	}
	receive(t, dialling)
	ended := done(n, h)
	run(t, n, func(c *service.Context) error { return c.Kill(h) })
	receive(t, ended)
}
