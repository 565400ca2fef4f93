package socket_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

func TestCloseSendsWhatIsPending(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	text := strings.Repeat("0123456789abcdef", 1<<19) // far more than buffers hold
	s.do(func(c *service.Context) error {
		if err := socket.Write(c, fd, []byte(text)); err != nil {
			return err
		}
		if err := socket.Close(c, fd); err != nil {
			return err
		}
		for what, err := range map[string]error{
			"Write":          socket.Write(c, fd, []byte("x")),
			"WriteLow":       socket.WriteLow(c, fd),
			"WriteLowFrames": socket.WriteLowFrames(c, fd, []byte("low")),
			"Start":          socket.Start(c, fd),
			"Forward":        socket.Forward(c, fd, c.Self(), service.PTypeClient, 0),
			"Close":          socket.Close(c, fd),
		} {
			if !errors.Is(err, socket.ErrClosed) {
				t.Errorf("%s after Close: %v", what, err)
			}
		}
		return nil
	})
	s.want("warning", fd, "8192")
	s.want("close", fd, "")
	if got := cl.rest(); got != text {
		t.Errorf("%d bytes came, want %d", len(got), len(text))
	}
	cl.close()
	s.want("warning", fd, "0")
	s.gone(fd)
	s.nothing()
}

// The peer is still sending when it is closed: it gets what was sent to it, not
// a reset.
func TestCloseWhileThePeerSends(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		block := packet(strings.Repeat("x", 60000))
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if _, err := cl.Write(block); err != nil {
				stopped <- err
				return
			}
		}
	}()
	s.next()
	s.do(func(c *service.Context) error {
		_ = socket.Write(c, fd, []byte("good bye"))
		return socket.Close(c, fd)
	})
	if got := cl.rest(); got != "good bye" {
		t.Errorf("got %q", got)
	}
	close(stop)
	if err := receive(t, stopped); err != nil {
		t.Errorf("the peer's write: %v", err)
	}
	cl.close()
	s.gone(fd)
}

func TestNoFrameAfterClose(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	s.do(func(c *service.Context) error {
		// The frames are in the mailbox before the close.
		cl.send(append(packet("a"), packet("b")...))
		eventually(t, func() bool { return stat(n, fd).Read == 6 })
		return socket.Close(c, fd)
	})
	s.want("close", fd, "")
	cl.send(packet("c"))
	cl.close()
	s.gone(fd)
	s.nothing()
}

// A frame that was read together with others is delivered to nobody once the
// connection was closed, though its way does not lead through the owner.
func TestNoForwardedFrameAfterClose(t *testing.T) {
	sending, closed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	n, _ := newNode(t, func(cfg *actor.Config) {
		cfg.Isolate = func(m actor.Message) (actor.Message, error) {
			if m.Type == service.PTypeClient {
				once.Do(func() {
					close(sending)
					<-closed
				})
			}
			return m, nil
		}
	})
	s := newServer(t, n)
	to, got := collector(t, n)
	cl, fd := s.client()
	cl.send(append(packet("a"), packet("b")...))
	eventually(t, func() bool { return stat(n, fd).Read == 6 })
	s.do(func(c *service.Context) error { return socket.Forward(c, fd, to, service.PTypeClient, 77) })
	receive(t, sending)
	s.do(func(c *service.Context) error { return socket.Close(c, fd) })
	close(closed)
	s.want("close", fd, "")
	if m := receive(t, got); string(m.Data.([]byte)) != "a" {
		t.Errorf("got %v", m)
	}
	if len(got) > 0 {
		t.Errorf("then %v", <-got)
	}
	cl.close()
}

func TestShutdown(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	s.do(func(c *service.Context) error {
		_ = socket.Write(c, fd, make([]byte, 1<<26))
		return socket.Shutdown(c, fd)
	})
	s.want("warning", fd, fmt.Sprint(1<<16))
	s.want("close", fd, "")
	cl.wantEnd()
	s.gone(fd)
	s.nothing()
	s.do(func(c *service.Context) error {
		if err := socket.Shutdown(c, fd); !errors.Is(err, socket.ErrClosed) {
			t.Errorf("second Shutdown: %v", err)
		}
		return nil
	})
}
