package socket_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

func TestPeerEnds(t *testing.T) {
	ends := map[string]struct {
		end  func(cl *client)
		text string // of the error
	}{
		"close":            {func(cl *client) { cl.close() }, ""},
		"half-close":       {func(cl *client) { _ = cl.CloseWrite() }, ""},
		"unfinished frame": {func(cl *client) { cl.send([]byte{0, 9, 'x'}); cl.close() }, ""},
		"reset":            {func(cl *client) { cl.reset() }, "Connection reset by peer"},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t)
			s := newServer(t, n)
			for _, start := range []bool{true, false} {
				cl, fd := s.client()
				if start {
					s.do(func(c *service.Context) error { return socket.Start(c, fd) })
					cl.send(packet("last"))
					s.want("data", fd, "last")
				}
				end.end(cl)
				if end.text != "" {
					s.want("error", fd, end.text)
				}
				s.want("close", fd, "")
				cl.close()
				s.gone(fd)
				s.nothing()
			}
		})
	}
}

// leftBehind are frames that a peer sends before it leaves: one that is read
// ahead whole, one that is not.
var leftBehind = []string{"a", strings.Repeat("long", 5000)}

// What a peer has sent and left behind is not lost when Start comes later.
func TestPeerLeavesFramesBehind(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	for _, text := range leftBehind {
		cl, fd := s.client()
		cl.send(append(packet(text), packet("b")...))
		cl.close()
		eventually(t, func() bool { return stat(n, fd).Read >= uint64(min(len(text), 2048)) })
		s.nothing()
		s.do(func(c *service.Context) error { return socket.Start(c, fd) })
		s.want("data", fd, text)
		s.want("data", fd, "b")
		s.want("close", fd, "")
	}
}

func TestPeerLeavesFramesBehindForEver(t *testing.T) {
	n, _ := newNode(t)
	socket.SetHold(n, time.Millisecond)
	s := newServer(t, n)
	for _, text := range leftBehind {
		cl, fd := s.client()
		cl.send(packet(text))
		cl.close()
		s.want("close", fd, "")
		s.gone(fd)
	}
}

// A write fails while the reader does not read.
func TestWriteErrorBeforeStart(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	for name, prepare := range map[string]func(cl *client){
		"nothing came": func(*client) {},
		"much came":    func(cl *client) { cl.send(packet(leftBehind[1])) },
		"the peer left": func(cl *client) {
			cl.send(packet(leftBehind[0]))
			_ = cl.CloseWrite()
		},
	} {
		cl, fd := s.client()
		prepare(cl)
		p := newPipe(n, fd)
		p.allow <- syscall.EPIPE
		s.do(func(c *service.Context) error { return socket.Write(c, fd, []byte("x")) })
		t.Log(name)
		s.want("error", fd, "Broken pipe")
		s.want("close", fd, "")
		s.gone(fd)
	}
}
