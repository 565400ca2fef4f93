package socket_test

import (
	"testing"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// letters are frames of one letter each, from a on.
func letters(n int) (b []byte) {
	for i := range n {
		b = append(b, packet(string(rune('a'+i)))...)
	}
	return b
}

const letterCost = 1 + socket.FrameCost

// windowed starts a connection with room for three letters, of which ten were
// sent.
func windowed(t *testing.T) (*server, *client, socket.FD) {
	t.Helper()
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.client()
	cl.send(letters(10))
	eventually(t, func() bool { return stat(n, fd).Read == uint64(len(letters(10))) })
	s.do(func(c *service.Context) error {
		if err := socket.Window(c, fd, 3*letterCost); err != nil {
			return err
		}
		return socket.Start(c, fd)
	})
	for _, text := range []string{"a", "b", "c"} {
		s.want("data", fd, text)
	}
	s.do(func(*service.Context) error { return nil })
	s.nothing()
	return s, cl, fd
}

// Frames come as those before them are handled.
func TestWindow(t *testing.T) {
	s, cl, fd := windowed(t)
	handled := func(n int) {
		t.Helper()
		s.do(func(c *service.Context) error { return socket.Handled(c, fd, n) })
	}
	handled(letterCost)
	s.want("data", fd, "d")
	s.do(func(*service.Context) error { return nil })
	s.nothing()
	handled(2 * letterCost)
	s.want("data", fd, "e")
	s.want("data", fd, "f")
	handled(letterCost - 1)
	s.want("data", fd, "g")
	s.do(func(*service.Context) error { return nil })
	s.nothing()
	s.do(func(c *service.Context) error { return socket.Window(c, fd, 0) })
	handled(0)
	for _, text := range []string{"h", "i", "j"} {
		s.want("data", fd, text)
	}
	cl.close()
	s.want("close", fd, "")
}

// A connection ends also while its reader waits.
func TestWindowEnds(t *testing.T) {
	for name, end := range map[string]func(c *service.Context, fd socket.FD) error{
		"close": socket.Close, "shutdown": socket.Shutdown,
	} {
		t.Run(name, func(t *testing.T) {
			s, cl, fd := windowed(t)
			s.do(func(c *service.Context) error { return end(c, fd) })
			s.want("close", fd, "")
			cl.wantEnd()
			cl.close()
			s.gone(fd)
			s.nothing()
		})
	}
}
