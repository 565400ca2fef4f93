package socket_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Small output is sent together, in one buffer, with that of other sizes between;
// its memory stays the caller's.
func TestSmallOutput(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	_, fd := s.started()
	p := newPipe(n, fd)
	large := strings.Repeat("L", socket.GatherSize+1)
	small := []byte("....")
	s.do(func(c *service.Context) error { return socket.Write(c, fd, []byte("first")) })
	receive(t, p.begun)
	s.do(func(c *service.Context) error {
		for _, text := range []string{"aaaa", "bbbb", large, "cccc", "dddd"} {
			b := []byte(text)
			if len(text) == len(small) {
				copy(small, text)
				b = small
			}
			if err := socket.Write(c, fd, b); err != nil {
				return err
			}
		}
		return nil
	})
	p.wantWrite(t, "first")
	receive(t, p.begun)
	p.allow <- nil
	got := receive(t, p.writes)
	if strings.Join(got, " ") != "aaaabbbb "+large+" ccccdddd" {
		t.Errorf("%.60q", got)
	}
}

// Much small output does not stand in one buffer.
func TestMuchSmallOutput(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	const count = 1 << 18
	s.do(func(c *service.Context) error {
		var b [8]byte
		for i := range count {
			binary.BigEndian.PutUint64(b[:], uint64(i))
			if err := socket.Write(c, fd, b[:]); err != nil {
				return err
			}
		}
		return socket.Close(c, fd)
	})
	all, err := io.ReadAll(cl)
	if err != nil || len(all) != 8*count {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	for i := range count {
		if got := binary.BigEndian.Uint64(all[8*i:]); got != uint64(i) {
			t.Fatalf("%d at %d", got, i)
		}
	}
}

// WriteNow needs no writer goroutine when nothing waits, and keeps its place when
// something does.
func TestWriteNow(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the writer goroutine does it")
	}
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	p := newPipe(n, fd)
	write := func(f func(*service.Context, socket.FD, ...[]byte) error, text string) {
		s.do(func(c *service.Context) error { return f(c, fd, []byte(text)) })
	}
	write(socket.WriteNow, "at once")
	got := make([]byte, len("at once"))
	if _, err := io.ReadFull(cl, got); err != nil || string(got) != "at once" {
		t.Fatalf("%q, %v", got, err)
	}
	if st := stat(n, fd); st.Writes != 1 || st.Written != 7 || st.Pending != 0 {
		t.Errorf("%+v", st)
	}
	write(socket.Write, "first")
	receive(t, p.begun)
	write(socket.WriteNow, "second")
	write(socket.WriteLow, "low")
	p.wantWrite(t, "first")
	p.wantWrite(t, "second", "low")
	write(socket.WriteNow, strings.Repeat("x", socket.GatherSize+1))
	p.wantWrite(t, strings.Repeat("x", socket.GatherSize+1))
	large := strings.Repeat("x", socket.GatherSize+1)
	s.do(func(c *service.Context) error { return socket.WriteNow(c, fd, []byte(large), []byte("small")) })
	p.wantWrite(t, large, "small")
}

// What the system does not take at once goes out in order, without anyone waiting.
func TestWriteNowToOneWhoDoesNotRead(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	const size, count = 1000, 20_000
	s.do(func(c *service.Context) error {
		for i := range count {
			if err := socket.WriteNow(c, fd, bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				return err
			}
		}
		return nil
	})
	if stat(n, fd).Pending == 0 {
		t.Error("all has gone")
	}
	got := make([]byte, size)
	for i := range count {
		if _, err := io.ReadFull(cl, got); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, size)) {
			t.Fatalf("%d: %.10q, %v", i, got, err)
		}
	}
}

// The memory that small frames share is no way from one to the next.
func TestFramesDoNotTouch(t *testing.T) {
	in := socket.NewFrames()
	stream := append(packet("one"), append(packet("two"), packet("three")...)...)
	if _, err := in.Fill(bytes.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	first, _ := in.Next()
	second, _ := in.Next()
	_ = append(first, "........"...)
	third, _ := in.Next()
	if string(first)+string(second)+string(third) != "onetwothree" {
		t.Errorf("%q %q %q", first, second, third)
	}
}

// A packet written now goes out with a system call of the handler's, but for one
// after which others are already in line.
func TestWritePacketNow(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.client()
	p := newPipe(n, fd) // which stands in the way of the writer goroutine only
	first, release, more := make(chan struct{}), make(chan struct{}), make(chan bool, 3)
	service.Install(n, service.Def("agent", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeClient, func(c *service.Context, m service.Message) {
			if err := socket.WritePacketNow(c, fd, m.Data.([]byte)); err != nil {
				t.Error(err)
			}
			if more <- c.MoreWaits(); first != nil {
				close(first)
				first = nil
				<-release
			}
		})
		return nil
	}))
	agent, err := service.Launch(n, "agent")
	if err != nil {
		t.Fatal(err)
	}
	send := func(text string) {
		if err := n.Send(agent, service.Message{Type: service.PTypeClient, Data: []byte(text)}); err != nil {
			t.Error(err)
		}
	}
	begun := first
	send("one")
	receive(t, begun)
	want := string(packet("one"))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(cl, got); err != nil || string(got) != want {
		t.Fatalf("%q, %v", got, err)
	}
	send("two")
	send("three")
	close(release)
	for _, want := range []bool{false, true, false} {
		if receive(t, more) != want {
			t.Errorf("MoreWaits: want %v", want)
		}
	}
	receive(t, p.begun)
	p.allow <- nil
	p.allow <- nil
	if out := strings.Join(append(receive(t, p.writes), ""), ""); !strings.HasPrefix(out, string(packet("two"))) {
		t.Errorf("%q", out)
	}
	err = nil
	s.do(func(c *service.Context) error { err = socket.WritePacketNow(c, 99, nil); return nil })
	if !errors.Is(err, socket.ErrClosed) {
		t.Error(err)
	}
}
