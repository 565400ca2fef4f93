package socket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// failingListener fails the first Accepts.
type failingListener struct {
	net.Listener
	left int
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.left > 0 {
		l.left--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

// pipe replaces the write call of a connection: each waits for permission, and
// what it writes is kept.
type pipe struct {
	begun  chan struct{}
	allow  chan error
	writes chan []string // the buffers of each call
}

func newPipe(n *service.Node, fd socket.FD) *pipe {
	p := &pipe{begun: make(chan struct{}, 1024), allow: make(chan error, 1024), writes: make(chan []string, 1024)}
	socket.SetWriter(n, fd, func(b *net.Buffers) (int64, error) {
		var bufs []string
		size := 0
		for _, buf := range *b {
			bufs = append(bufs, string(buf))
			size += len(buf)
		}
		p.begun <- struct{}{}
		if err := <-p.allow; err != nil {
			return 0, err
		}
		p.writes <- bufs
		return int64(size), nil
	})
	return p
}

// wantWrite lets one write call end and checks what it wrote, in however many
// buffers.
func (p *pipe) wantWrite(t *testing.T, want ...string) {
	t.Helper()
	p.allow <- nil
	if got, want := strings.Join(receive(t, p.writes), ""), strings.Join(want, ""); got != want {
		t.Fatalf("written: %.60q, want %.60q", got, want)
	}
}

func TestWritesAreGathered(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	_, fd := s.started()
	p := newPipe(n, fd)
	write := func(bufs ...[]byte) {
		s.do(func(c *service.Context) error { return socket.Write(c, fd, bufs...) })
	}
	write([]byte("first"))
	receive(t, p.begun)
	for range 4 {
		write([]byte("a"), []byte("b"))
	}
	p.wantWrite(t, "first")
	p.wantWrite(t, "a", "b", "a", "b", "a", "b", "a", "b")
	eventually(t, func() bool {
		st := stat(n, fd)
		return st.Written == 13 && st.Writes == 2 && st.Pending == 0
	})
}

func TestHighPriorityFirst(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	_, fd := s.started()
	p := newPipe(n, fd)
	part := strings.Repeat("p", 128<<10)
	s.do(func(c *service.Context) error { // three parts, each a header and a payload
		for i := range 3 {
			if err := socket.WriteLow(c, fd, []byte{'0' + byte(i)}, []byte(part)); err != nil {
				return err
			}
		}
		return nil
	})
	receive(t, p.begun) // the first part is being written
	s.do(func(c *service.Context) error {
		_ = socket.WriteLow(c, fd, []byte("low"))
		_ = socket.WriteLow(c, fd, []byte("lower"))
		_ = socket.Write(c, fd, []byte("h"), []byte("igh"))
		return socket.Write(c, fd, []byte("high"))
	})
	p.wantWrite(t, "0", part)
	p.wantWrite(t, "h", "igh", "high")
	p.wantWrite(t, "1", part)
	p.wantWrite(t, "2", part)
	p.wantWrite(t, "low", "lower")
	for range 4 {
		receive(t, p.begun)
	}

	s.do(func(c *service.Context) error { return socket.Write(c, fd, []byte("alone")) })
	receive(t, p.begun)
	s.do(func(c *service.Context) error {
		_ = socket.WriteLow(c, fd, []byte("low"))
		return socket.Write(c, fd, []byte("high"))
	})
	p.wantWrite(t, "alone")
	p.wantWrite(t, "high", "low")
}

// High output goes between the frames of one WriteLowFrames, not into one.
func TestWriteLowFrames(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	_, fd := s.started()
	p := newPipe(n, fd)
	head, part := "\xf0\x01-", strings.Repeat("p", 0xf000)
	frames := [][]byte{[]byte("\x00\x01b")}
	for range 4 {
		frames = append(frames, []byte(head), []byte(part))
	}
	s.do(func(c *service.Context) error { return socket.WriteLowFrames(c, fd, frames...) })
	receive(t, p.begun)
	s.do(func(c *service.Context) error { return socket.Write(c, fd, []byte("high")) })
	p.wantWrite(t, "\x00\x01b", head, part, head, part)
	p.wantWrite(t, "high", head, part, head, part)
}

// On a real connection small writes go between the parts of a large message,
// never into one.
func TestPriorityOnTheWire(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	const parts, size = 200, 0x8000
	for _, err := range []error{cl.SetReadBuffer(size), socket.NetConn(n, fd).(*net.TCPConn).SetWriteBuffer(size)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.do(func(c *service.Context) error {
		for range parts {
			if err := socket.WriteLow(c, fd, []byte("<"), bytes.Repeat([]byte("p"), size), []byte(">")); err != nil {
				return err
			}
		}
		return nil
	})
	s.want("warning", fd, "1025")
	s.do(func(c *service.Context) error { return socket.Write(c, fd, []byte("["), []byte("]")) })
	small := make(chan error, 1)
	go func() {
		small <- service.Run(context.Background(), n, func(c *service.Context) error {
			for range 100 {
				_ = socket.Write(c, fd, []byte("["), []byte("]"))
				_ = c.Yield()
			}
			return socket.Close(c, fd)
		})
	}()
	got := cl.rest()
	if i := strings.Index(got, "[]"); i < 0 || i > len(got)/2 {
		t.Errorf("the first small write came at %d of %d", i, len(got))
	}
	got = strings.ReplaceAll(got, "[]", "")
	if want := strings.Repeat("<"+strings.Repeat("p", size)+">", parts); got != want {
		t.Error("a small write went into a part")
	}
	if err := receive(t, small); err != nil {
		t.Error(err)
	}
	cl.close()
}

func TestPendingAndWarnings(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	_, fd := s.started()
	p := newPipe(n, fd)
	total := 0
	write := func(size, pending int) {
		t.Helper()
		s.do(func(c *service.Context) error {
			if err := socket.WriteLow(c, fd, make([]byte, size)); err != nil {
				return err
			}
			if got := socket.Pending(c, fd); got != pending {
				t.Errorf("%d pending, want %d", got, pending)
			}
			return nil
		})
		total = pending
	}
	const mib = 1 << 20
	write(mib-1, mib-1)
	s.nothing()
	write(2, mib+1)
	s.want("warning", fd, "1025")
	write(mib/2, total+mib/2)
	s.nothing()
	write(mib/2, total+mib/2)
	s.want("warning", fd, "2049")
	write(mib, total+mib)
	s.nothing()
	write(mib, total+mib)
	s.want("warning", fd, "4097")
	write(mib, total+mib)
	s.nothing()
	close(p.allow)
	s.want("warning", fd, "0")
	s.do(func(c *service.Context) error {
		if got := socket.Pending(c, fd); got != 0 {
			t.Errorf("%d pending at last", got)
		}
		return socket.Write(c, fd, make([]byte, mib)) // it starts anew
	})
	s.want("warning", fd, "1024")
	s.want("warning", fd, "0")
	s.nothing()
}

func TestWriteError(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	p := newPipe(n, fd)
	s.do(func(c *service.Context) error { return socket.Write(c, fd, []byte("x")) })
	receive(t, p.begun)
	s.do(func(c *service.Context) error { return socket.Write(c, fd, []byte("y")) })
	p.allow <- &net.OpError{Op: "write", Err: syscall.EPIPE}
	s.want("error", fd, "Broken pipe")
	s.want("close", fd, "")
	s.do(func(c *service.Context) error {
		if err := socket.Write(c, fd, []byte("z")); !errors.Is(err, socket.ErrClosed) {
			t.Errorf("Write after the failure: %v", err)
		}
		if got := socket.Pending(c, fd); got != 0 {
			t.Errorf("%d pending", got)
		}
		return nil
	})
	cl.wantEnd()
	s.gone(fd)
	s.nothing()
}

// A write that fails after Close is no Error: Close was the last word.
func TestWriteErrorAfterClose(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	_, fd := s.started()
	p := newPipe(n, fd)
	s.do(func(c *service.Context) error {
		_ = socket.Write(c, fd, []byte("x"))
		return socket.Close(c, fd)
	})
	s.want("close", fd, "")
	p.allow <- syscall.ECONNRESET
	s.gone(fd)
	s.nothing()
}

// A peer that reads nothing does not keep a closed connection for ever.
func TestCloseGivesUp(t *testing.T) {
	n, _ := newNode(t)
	socket.SetFlush(n, 1)
	s := newServer(t, n)
	_, fd := s.started()
	s.do(func(c *service.Context) error {
		_ = socket.Write(c, fd, make([]byte, 1<<26))
		return socket.Close(c, fd)
	})
	s.gone(fd)
}

// Many services write at once; every Write stays in one piece.
func TestManyWriters(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	const writers, each = 8, 500
	var left atomic.Int32
	left.Store(writers)
	service.Install(n, service.Def("writer", func(c *service.Context, args ...any) error {
		name := args[0].(string)
		for i := range each {
			if i%3 == 0 {
				_ = c.Yield()
			}
			bufs := [][]byte{[]byte("("), []byte(name), []byte(name), []byte(")")}
			if i%2 == 0 {
				_ = socket.WriteLow(c, fd, bufs...)
			} else {
				_ = socket.Write(c, fd, bufs...)
			}
		}
		if left.Add(-1) == 0 {
			return socket.Close(c, fd)
		}
		return nil
	}))
	for i := range writers {
		if _, err := service.Launch(n, "writer", string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
	}
	got := cl.rest()
	for i := range writers {
		name := string(rune('a' + i))
		if k := strings.Count(got, "("+name+name+")"); k != each {
			t.Errorf("%d whole writes of %s", k, name)
		}
	}
	if len(got) != writers*each*4 {
		t.Errorf("%d bytes", len(got))
	}
	cl.close()
}

func TestErrorText(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{fmt.Errorf("read: %w", syscall.ECONNRESET), "Connection reset by peer"},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "Connection refused"},
		{syscall.EPIPE, "Broken pipe"},
		{syscall.EHOSTUNREACH, "No route to host"},
		{syscall.ETIMEDOUT, "Connection timed out"},
		{service.ErrTimeout, "Connection timed out"},
		{&net.DNSError{IsNotFound: true}, "Name or service not known"},
		{&net.DNSError{IsTimeout: true}, "Temporary failure in name resolution"},
		{errors.New("else"), "else"},
	} {
		if got := socket.ErrorText(test.err); got != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}
