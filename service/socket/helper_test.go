package socket_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// patience is how long a test waits for what must happen at last.
const patience = 30 * time.Second

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// log keeps what a node logs.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) Log(_ actor.Handle, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, text)
}

// count returns how many lines are exactly text.
func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.lines {
		if line == text {
			n++
		}
	}
	return n
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// newNode makes a node that ends, and must leave no socket, with the test.
func newNode(t testing.TB, change ...func(*actor.Config)) (*service.Node, *log) {
	t.Helper()
	l := &log{}
	cfg := actor.DefaultConfig()
	cfg.Logger, cfg.Pool, cfg.StopTimeout = l, actor.GoPool{}, 0
	cfg.Isolate = service.Isolate
	for _, f := range change {
		f(&cfg)
	}
	n, err := actor.NewNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	socket.SetLinger(n, patience)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := socket.Wait(ctx, n); err != nil {
			t.Error(err, socket.Info(n))
		}
	})
	return n, l
}

// run runs f in a service of n; an error ends the test.
func run(t testing.TB, n *service.Node, f func(c *service.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := service.Run(ctx, n, f); err != nil {
		t.Fatal(err)
	}
}

// happening is one call of a Handler.
type happening struct {
	kind string
	fd   socket.FD
	text string
}

// watcher is a Handler that keeps what it is told.
type watcher struct {
	*socket.Handler
	t      testing.TB
	events chan happening
}

func newWatcher(t testing.TB) *watcher {
	w := &watcher{t: t, events: make(chan happening, 1<<16)}
	put := func(kind string, fd socket.FD, text string) { w.events <- happening{kind, fd, text} }
	w.Handler = &socket.Handler{
		Open:  func(_ *service.Context, fd socket.FD, peer string) { put("open", fd, peer) },
		Data:  func(_ *service.Context, fd socket.FD, frame []byte) { put("data", fd, string(frame)) },
		Close: func(_ *service.Context, fd socket.FD) { put("close", fd, "") },
		Error: func(_ *service.Context, fd socket.FD, err error) {
			put("error", fd, socket.ErrorText(err))
		},
		Warning: func(_ *service.Context, fd socket.FD, kb int) { put("warning", fd, fmt.Sprint(kb)) },
	}
	return w
}

// next returns the next happening.
func (w *watcher) next() happening {
	w.t.Helper()
	select {
	case e := <-w.events:
		return e
	case <-time.After(patience):
		w.t.Fatal("nothing happened")
		return happening{}
	}
}

// want checks the next happening.
func (w *watcher) want(kind string, fd socket.FD, text string) {
	w.t.Helper()
	if got, want := w.next(), (happening{kind, fd, text}); got != want {
		w.t.Fatalf("got %.80v, want %.80v", got, want)
	}
}

// nothing checks that nothing has happened that was not looked at.
func (w *watcher) nothing() {
	w.t.Helper()
	select {
	case e := <-w.events:
		w.t.Fatalf("unexpected %.80v", e)
	default:
	}
}

// server is a listening service and its node.
type server struct {
	*watcher
	node *service.Node
	fd   socket.FD
	addr string
}

func newServer(t testing.TB, n *service.Node) *server {
	t.Helper()
	s := &server{watcher: newWatcher(t), node: n}
	run(t, n, func(c *service.Context) (err error) {
		s.fd, s.addr, err = socket.Listen(c, "127.0.0.1:0", s.Handler)
		return err
	})
	return s
}

// client connects and returns both ends.
func (s *server) client() (*client, socket.FD) {
	s.t.Helper()
	cl := dial(s.t, s.addr)
	e := s.next()
	if e.kind != "open" || e.text != cl.LocalAddr().String() {
		s.t.Fatalf("got %v, want open from %v", e, cl.LocalAddr())
	}
	return cl, e.fd
}

// started is client whose frames are delivered.
func (s *server) started() (*client, socket.FD) {
	s.t.Helper()
	cl, fd := s.client()
	s.do(func(c *service.Context) error { return socket.Start(c, fd) })
	return cl, fd
}

// do runs f in the service that listens.
func (s *server) do(f func(c *service.Context) error) {
	s.t.Helper()
	run(s.t, s.node, f)
}

// gone waits until fd is in no table any more.
func (s *server) gone(fd socket.FD) {
	s.t.Helper()
	eventually(s.t, func() bool { return stat(s.node, fd).FD == 0 })
}

// client is the far end of a connection, ordinary Go.
type client struct {
	*net.TCPConn
	t testing.TB
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &client{nc.(*net.TCPConn), t}
}

func (cl *client) send(b []byte) {
	cl.t.Helper()
	if _, err := cl.Write(b); err != nil {
		cl.t.Fatal(err)
	}
}

// rest returns everything up to the end of the stream.
func (cl *client) rest() string {
	cl.t.Helper()
	b, err := io.ReadAll(cl)
	if err != nil {
		cl.t.Fatal(err)
	}
	return string(b)
}

// wantEnd waits until the connection has ended, however.
func (cl *client) wantEnd() {
	cl.t.Helper()
	_, err := io.Copy(io.Discard, cl)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		cl.t.Fatal(err)
	}
}

func (cl *client) close() { _ = cl.Close() }

// reset ends the connection with a reset.
func (cl *client) reset() {
	cl.t.Helper()
	if err := cl.SetLinger(0); err != nil {
		cl.t.Fatal(err)
	}
	cl.close()
}

// packet is text as a frame.
func packet(text string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(text))), text...)
}

func stat(n *service.Node, fd socket.FD) socket.Stat {
	for _, s := range socket.Info(n) {
		if s.FD == fd {
			return s
		}
	}
	return socket.Stat{}
}

// eventually waits until f is true.
func eventually(t testing.TB, f func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it did not come about")
		}
	}
}

// receive returns the next value of ch.
func receive[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
