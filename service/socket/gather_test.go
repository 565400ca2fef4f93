package socket_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
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

// Packets written now go out with a system call of the service's: at once, or when
// the messages that are already in line have been handled, though not all write.
func TestWritePacketNow(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.client()
	p := newPipe(n, fd) // which stands in the way of the writer goroutine only
	h := newLine(t, n, fd)
	expect := func(texts ...string) {
		t.Helper()
		want := ""
		for _, text := range texts {
			want += string(packet(text))
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(cl, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
	}
	before := writes(n, fd)
	h.line("one")
	expect("one")
	h.line("two", "three")
	expect("two", "three")
	h.line("four", "silence")
	expect("four")
	if n := writes(n, fd) - before; n != 3 {
		t.Errorf("%d system calls", n)
	}
	h.line("five", "exit", "never")
	expect("five")

	// Neither a long line nor much output waits.
	h = newLine(t, n, fd)
	h.line(slices.Concat([]string{"long"}, slices.Repeat([]string{"silence"}, 150), []string{"wait"})...)
	expect("long")
	close(h.release)
	h = newLine(t, n, fd)
	much := strings.Repeat("much", 1000)
	h.line(much, much, much, much, much, "wait")
	receive(t, p.begun)
	p.allow <- nil
	if out := strings.Join(receive(t, p.writes), ""); out != strings.Repeat(string(packet(much)), 5) {
		t.Errorf("%d bytes", len(out))
	}
	close(h.release)

	// What another service writes does not wait.
	_, fd = s.client()
	p = newPipe(n, fd)
	h = newLine(t, n, fd)
	h.line("six", "wait")
	receive(t, h.waits)
	s.do(func(c *service.Context) error { return socket.WritePacket(c, fd, []byte("seven")) })
	receive(t, p.begun)
	p.allow <- nil
	if out := strings.Join(receive(t, p.writes), ""); out != string(packet("six"))+string(packet("seven")) {
		t.Errorf("%q", out)
	}
	close(h.release)

	var err error
	s.do(func(c *service.Context) error { err = socket.WritePacketNow(c, 99, nil); return nil })
	if !errors.Is(err, socket.ErrClosed) {
		t.Error(err)
	}
}

// writes returns how many system calls have sent something.
func writes(n *service.Node, fd socket.FD) (count uint64) {
	for _, s := range socket.Info(n) {
		if s.FD == fd {
			count = s.Writes
		}
	}
	return count
}

// line is a service that writes the texts it gets.
type line struct {
	t       *testing.T
	n       *service.Node
	h       service.Handle
	waits   chan struct{}
	release chan struct{}
}

func newLine(t *testing.T, n *service.Node, fd socket.FD) *line {
	l := &line{t: t, n: n, waits: make(chan struct{}), release: make(chan struct{})}
	name := fmt.Sprintf("line %p", l)
	service.Install(n, service.Def(name, func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeClient, func(c *service.Context, m service.Message) {
			switch data := m.Data.(type) {
			case chan struct{}:
				<-data
			case string:
				l.write(c, fd, data)
			}
		})
		return nil
	}))
	var err error
	if l.h, err = service.Launch(n, name); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *line) write(c *service.Context, fd socket.FD, text string) {
	switch text {
	case "silence":
	case "exit":
		c.Exit()
	case "wait":
		select {
		case l.waits <- struct{}{}:
		case <-l.release:
		}
		<-l.release
	default:
		if err := socket.WritePacketNow(c, fd, []byte(text)); err != nil {
			l.t.Error(err)
		}
	}
}

// line sends texts, all of which are in line when the first one is handled.
func (l *line) line(texts ...string) {
	l.t.Helper()
	begin := make(chan struct{})
	defer close(begin)
	ms := []any{begin}
	for _, text := range texts {
		ms = append(ms, text)
	}
	for _, m := range ms {
		if err := l.n.Send(l.h, service.Message{Type: service.PTypeClient, Data: m}); err != nil {
			l.t.Error(err)
		}
	}
}
