package clusteragent_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// patience is how long a test waits for what must happen at last.
const patience = 30 * time.Second

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// sdb is the service that the tests call.
func sdb() *service.Definition {
	return service.Def("sdb", func(c *service.Context, _ ...any) error {
		var held []*service.Response
		finish := func(*service.Context) {}
		timer := new(service.Timer)
		c.Handle("echo", service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) { return args, nil }))
		c.Handle("fail", service.P0(func(*service.Context) error { return errors.New("boom") }))
		c.Handle("big", service.F1(func(_ *service.Context, n int) (string, error) { return strings.Repeat("x", n), nil }))
		c.Handle("panicking", service.F0(func(*service.Context) (*panicking, error) { return new(panicking), nil }))
		c.Handle("len", service.F1(func(_ *service.Context, s string) (int, error) { return len(s), nil }))
		// Each chain ends the one before; the last ends after a while.
		c.Handle("chain", service.F1(func(c *service.Context, n int) (any, error) {
			before, answer := finish, c.Response()
			timer.Cancel()
			finish = func(*service.Context) { _, _ = answer.Ret(n) }
			timer = c.Timeout(300*time.Millisecond, finish)
			c.Fork(before)
			return nil, nil
		}))
		c.Handle("channel", service.F0(func(*service.Context) (any, error) { return make(chan int), nil }))
		c.Handle("hold", service.P0(func(c *service.Context) error { held = append(held, c.Response()); return nil }))
		c.Handle("held", service.F0(func(*service.Context) (int, error) { return len(held), nil }))
		c.Handle("release", service.P0(func(*service.Context) error {
			for _, r := range held {
				_, _ = r.Ret("released")
			}
			held = nil
			return nil
		}))
		return nil
	})
}

// server starts a node with an sdb registered as "sdb" that listens with the
// settings of a table, and returns where.
func server(t testing.TB, table cluster.Table, options ...nodetest.Option) (*nodetest.Node, string) {
	t.Helper()
	n := nodetest.Start(t, append(options, nodetest.Services(sdb()))...)
	var addr string
	n.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, table); err != nil {
			return err
		}
		h, err := c.NewService("sdb")
		if err != nil {
			return err
		}
		if err = c.Name(".sdb", h); err != nil {
			return err
		}
		if err = cluster.Register(c, "sdb", h); err != nil {
			return err
		}
		addr, err = cluster.Open(c, 0)
		return err
	})
	return n, addr
}

// peer is the other node's side of a connection, ordinary Go.
type peer struct {
	net.Conn
	t testing.TB
}

func connect(t testing.TB, addr string) *peer {
	t.Helper()
	nc, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{nc, t}
}

// send writes a frame. When the node has closed the connection, reading tells.
func (p *peer) send(frame []byte) { _, _ = p.Write(frame) }

// message makes the frames of a request to "@sdb": the first, and the parts.
func message(t testing.TB, session uint32, args ...any) [][]byte {
	t.Helper()
	payload, err := lualike.Pack(args...)
	if err != nil {
		t.Fatal(err)
	}
	first, parts, err := wire.AppendRequest(nil, wire.NameAddr("@sdb"), session, payload)
	if err != nil {
		t.Fatal(err)
	}
	frames := [][]byte{first}
	for i := range parts {
		frames = append(frames, wire.AppendPart(nil, session, payload, i))
	}
	return frames
}

// call sends a request.
func (p *peer) call(session uint32, args ...any) {
	p.t.Helper()
	for _, frame := range message(p.t, session, args...) {
		p.send(frame)
	}
}

// unfinished sends the beginning of a message of size bytes, and the first of
// its parts.
func (p *peer) unfinished(session, size uint32) { p.send(unfinished(session, size)) }

func unfinished(session, size uint32) []byte {
	frame, _, _ := wire.AppendRequest(nil, wire.NameAddr("@sdb"), session, make([]byte, wire.PartSize))
	binary.LittleEndian.PutUint32(frame[len(frame)-4:], size)
	return wire.AppendPart(frame, session, make([]byte, 2*wire.PartSize), 0)
}

func (p *peer) frame() (wire.Response, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(p, head); err != nil {
		return wire.Response{}, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head))
	if _, err := io.ReadFull(p, body); err != nil {
		return wire.Response{}, err
	}
	return wire.ParseResponse(body)
}

// want checks the next answer: of a result its first value, of an error its
// text.
func (p *peer) want(session uint32, value any) {
	p.t.Helper()
	r, err := p.frame()
	if err != nil {
		p.t.Fatal(err)
	}
	got := any("error " + string(r.Payload))
	if r.Kind == wire.KindOK {
		if got, err = service.Unpack[any](r.Payload); err != nil {
			p.t.Fatal(err)
		}
	}
	if r.Session != session || fmt.Sprint(got) != fmt.Sprint(value) {
		p.t.Fatalf("answer %d: %.80v, want %d: %v", r.Session, got, session, value)
	}
}

// wantEnd checks that the node ends the connection, without an answer before.
func (p *peer) wantEnd() {
	p.t.Helper()
	if r, err := p.frame(); err == nil {
		p.t.Fatalf("answer %d %s %.80q", r.Session, r.Kind, r.Payload)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatal(err)
	}
}
