package gate_test

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
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// patience is how long a test waits for what must happen at last.
const patience = 30 * time.Second

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// log keeps what a node logs.
type log struct {
	mu    sync.Mutex
	lines []string
	seen  func(text string) // called with each line by the service that logs it
}

func (l *log) Log(_ actor.Handle, text string) {
	l.mu.Lock()
	l.lines = append(l.lines, text)
	seen := l.seen
	l.mu.Unlock()
	if seen != nil {
		seen(text)
	}
}

func (l *log) setSeen(f func(text string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = f
}

func (l *log) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if line == text {
			return true
		}
	}
	return false
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// world is a node with a gate and a watchdog, which is also who commands it.
type world struct {
	t        testing.TB
	node     *service.Node
	log      *log
	gate     service.Handle
	watchdog service.Handle
	events   chan string          // what the watchdog is told, as Lua would print it
	packets  chan service.Message // forwarded to the watchdog, as an agent
	addr     string
}

// tests run in the watchdog's coroutines.
type task struct {
	f    func(c *service.Context)
	done chan struct{}
}

func newWorld(t testing.TB, change ...func(*actor.Config)) *world {
	t.Helper()
	w := &world{t: t, log: &log{}, events: make(chan string, 1<<12), packets: make(chan service.Message, 1<<12)}
	cfg := actor.DefaultConfig()
	cfg.Logger, cfg.Pool, cfg.Isolate = w.log, actor.GoPool{}, service.Isolate
	for _, f := range change {
		f(&cfg)
	}
	n, err := actor.NewNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.node = n
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := socket.Wait(ctx, n); err != nil {
			t.Error(err)
		}
	})
	service.Install(n, gate.Definition(), service.Def("watchdog", func(c *service.Context, _ ...any) error {
		c.Handle(gate.EventName, service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
			words := []string{gate.EventName}
			for _, a := range args {
				words = append(words, fmt.Sprint(a))
			}
			w.events <- strings.Join(words, " ")
			return nil, nil
		}))
		c.Dispatch(service.PTypeClient, func(_ *service.Context, m service.Message) { w.packets <- m })
		c.Dispatch(service.PTypeSystem, func(c *service.Context, m service.Message) {
			job := m.Data.(task)
			defer close(job.done)
			job.f(c)
		})
		return nil
	}))
	if w.gate, err = service.Launch(n, gate.Name); err != nil {
		t.Fatal(err)
	}
	if w.watchdog, err = service.Launch(n, "watchdog"); err != nil {
		t.Fatal(err)
	}
	return w
}

// do runs f in the watchdog.
func (w *world) do(f func(c *service.Context)) {
	w.t.Helper()
	job := task{f, make(chan struct{})}
	if err := w.node.Send(w.watchdog, service.Message{Type: service.PTypeSystem, Data: job}); err != nil {
		w.t.Fatal(err)
	}
	select {
	case <-job.done:
	case <-time.After(patience):
		w.t.Fatal("the watchdog does not come back")
	}
}

// call sends the gate a command.
func (w *world) call(args ...any) (out lualike.Args, err error) {
	w.t.Helper()
	w.do(func(c *service.Context) { out, err = c.Call(w.gate, args...) })
	return out, err
}

// command is call of what must succeed.
func (w *world) command(args ...any) lualike.Args {
	w.t.Helper()
	out, err := w.call(args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// open opens the gate at a port of the system's choice.
func (w *world) open(conf gate.OpenConfig) {
	w.t.Helper()
	conf.Port = new(int)
	out := w.command(gate.CmdOpen, conf)
	w.addr = fmt.Sprintf("%v:%v", out.At(0), out.At(1))
}

// want checks what the watchdog is told next.
func (w *world) want(format string, args ...any) {
	w.t.Helper()
	want := fmt.Sprintf(format, args...)
	select {
	case got := <-w.events:
		if got != want {
			w.t.Fatalf("got %.80q, want %.80q", got, want)
		}
	case <-time.After(patience):
		w.t.Fatalf("nothing came, want %.80q", want)
	}
}

// nothing checks that the watchdog was told nothing more.
func (w *world) nothing() {
	w.t.Helper()
	select {
	case e := <-w.events:
		w.t.Fatalf("unexpected %.80q", e)
	default:
	}
}

// packet returns the next packet that was forwarded to the watchdog.
func (w *world) packet() service.Message {
	w.t.Helper()
	select {
	case m := <-w.packets:
		return m
	case <-time.After(patience):
		w.t.Fatal("no packet came")
		return service.Message{}
	}
}

// client is the far end of a connection, ordinary Go.
type client struct {
	*net.TCPConn
	w *world
}

func (w *world) connect() *client {
	w.t.Helper()
	nc, err := net.DialTimeout("tcp", w.addr, patience)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	return &client{nc.(*net.TCPConn), w}
}

// client connects and waits until the watchdog knows it as fd.
func (w *world) client(fd int) *client {
	w.t.Helper()
	cl := w.connect()
	w.want("socket open %d %s", fd, cl.LocalAddr())
	return cl
}

func (cl *client) send(packets ...string) {
	cl.w.t.Helper()
	var b []byte
	for _, p := range packets {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(p))), p...)
	}
	if _, err := cl.Write(b); err != nil {
		cl.w.t.Fatal(err)
	}
}

// wantEOF checks that the gate ends the stream, without a reset.
func (cl *client) wantEOF() {
	cl.w.t.Helper()
	if n, err := cl.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		cl.w.t.Fatalf("read %d, %v", n, err)
	}
}

// wantEnd checks that the gate ends the connection, however.
func (cl *client) wantEnd() {
	cl.w.t.Helper()
	_, err := io.Copy(io.Discard, cl)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		cl.w.t.Fatal(err)
	}
}

func (cl *client) close() { _ = cl.Close() }

func (cl *client) reset() {
	cl.w.t.Helper()
	if err := cl.SetLinger(0); err != nil {
		cl.w.t.Fatal(err)
	}
	cl.close()
}
