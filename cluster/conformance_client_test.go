package cluster_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/internal/freeport"
	"github.com/skynetgo/skynet/service"
)

// In Skynet the caller sees no more than call failed; here the error says what
// the log does.
func TestB170FailedCallAndItsReason(t *testing.T) {
	srv := recordedServer(t, "")
	n := client(t, cluster.Table{"srv": srv.addr})
	for reason, call := range map[string]func(c *service.Context) error{
		"Invalid name":            calls("@nosuch", "echo"),
		"name not found":          func(c *service.Context) error { _, err := cluster.Query(c, "srv", "nosuch"); return err },
		"call to invalid address": calls(srv.known[recordedDead], "echo"),
		"call failed":             calls("@sdb", "fail"),
	} {
		n.Run(func(c *service.Context) error {
			err := call(c)
			var remote *cluster.RemoteError
			if !errors.Is(err, service.ErrCallFailed) || !errors.As(err, &remote) || remote.Text != reason {
				return fmt.Errorf("%s: got %w", reason, err)
			}
			return nil
		})
		sender := n.Log.Wait(t, "LAUNCH snlua clustersender")[:len("[:00000000]")]
		if line := n.Log.Wait(t, sender+" "+reason); line != sender+" "+reason {
			t.Errorf("logged %q", line)
		}
	}
	lost := make(chan error, 1)
	n.Run(func(c *service.Context) error {
		c.Fork(func(c *service.Context) { lost <- calls("@sdb", "hold")(c) })
		return nil
	})
	n.WaitIdle()
	srv.Stop()
	if err := <-lost; !errors.Is(err, cluster.ErrNodeDown) {
		t.Errorf("the call whose connection was lost: %v", err)
	}
	n.Log.Wait(t, "[Error: socket]")
}

// calls makes a call to node srv.
func calls(addr any, args ...any) func(c *service.Context) error {
	return func(c *service.Context) error { _, err := cluster.Call(c, "srv", addr, args...); return err }
}

// rawServer accepts connections of a client of ours, on which a test reads
// frames itself.
func rawServer(t *testing.T) (addr string, accept func() rawClient) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String(), func() rawClient {
		t.Helper()
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return newRawClient(t, conn)
	}
}

// request reads the first frame of a request.
func (r rawClient) request() (wire.Request, []byte) {
	r.t.Helper()
	frame, err := readFrame(r)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := wire.ParseRequest(frame[2:])
	if err != nil {
		r.t.Fatal(err)
	}
	return req, frame
}

func (r rawClient) answer(session uint32, args ...any) {
	r.t.Helper()
	frame, _ := wire.AppendResponse(nil, session, true, pack(args...))
	r.send(frame)
}

func TestB177RequestSizes(t *testing.T) {
	addr, accept := rawServer(t)
	n := client(t, cluster.Table{"srv": addr})
	send := func(size int) {
		n.Run(func(c *service.Context) error { return cluster.Send(c, "srv", "@sdb", strings.Repeat("x", size-3)) })
	}
	send(0x7ffe)
	r := accept()
	for i, test := range []struct {
		size   int
		frames []int
	}{
		{0x7ffe, []int{0x7ffe + 10}},
		{0x7fff, []int{0x7fff + 10}},
		{0x8000, []int{14, 0x8000 + 5}},
		{0x8001, []int{14, 0x8000 + 5, 1 + 5}},
		{0x10000, []int{14, 0x8000 + 5, 0x8000 + 5}},
	} {
		if i > 0 {
			send(test.size)
		}
		for _, want := range test.frames {
			if _, frame := r.request(); len(frame)-2 != want {
				t.Fatalf("push of %#x bytes: a frame of %d bytes, want %d", test.size, len(frame)-2, want)
			}
		}
	}
}

// A small push does not use up a session number, a large one does.
func TestB178PushesAndSessions(t *testing.T) {
	addr, accept := rawServer(t)
	n := client(t, cluster.Table{"srv": addr})
	done := make(chan error, 1)
	n.Run(func(c *service.Context) error {
		c.Fork(func(c *service.Context) {
			err := calls("@sdb", "first")(c)
			err = errors.Join(err, cluster.Send(c, "srv", "@sdb", "small"), cluster.Send(c, "srv", "@sdb", strings.Repeat("x", 0x8000)))
			done <- errors.Join(err, calls("@sdb", "last")(c))
		})
		return nil
	})
	r := accept()
	large := uint32(0)
	for {
		req, _ := r.request()
		switch {
		case req.Kind == wire.KindBegin:
			large = req.Session
		case req.Kind != wire.KindRequest:
		case req.Push && req.Session != 0:
			t.Errorf("the small push has session %d", req.Session)
		case req.Push:
		default:
			r.answer(req.Session)
			if req.Session == 1 {
				continue
			}
			if req.Session != 3 {
				t.Errorf("the last call has session %d, not 3", req.Session)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			for large == 0 { // it may be overtaken by the call
				req, _ := r.request()
				large = req.Session
			}
			if large != 2 {
				t.Errorf("the large push has session %d, not 2", large)
			}
			return
		}
	}
}

func TestB182PendingCallsFailWhenTheNodeMoves(t *testing.T) {
	addr, accept := rawServer(t)
	elsewhere, acceptElsewhere := rawServer(t)
	n := client(t, cluster.Table{"srv": addr})
	pending := make(chan error, 1)
	n.Run(func(c *service.Context) error {
		c.Fork(func(c *service.Context) { pending <- calls("@sdb", "sleep")(c) })
		return nil
	})
	old := accept()
	old.request()
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": elsewhere}) })
	if err := <-pending; !errors.Is(err, cluster.ErrNodeDown) {
		t.Errorf("the pending call: %v", err)
	}
	acceptElsewhere() // at once, without a call
	if frame, err := readFrame(old); err == nil {
		t.Errorf("the old connection got %x", frame)
	}
	n.Log.Wait(t, "Cluster node [srv] moved : "+elsewhere)
}

func TestB184RefusedConnection(t *testing.T) {
	addr, err := freeport.Addr()
	if err != nil {
		t.Fatal(err)
	}
	n := client(t, cluster.Table{"srv": addr, "__backoff": 0})
	for range 2 {
		n.Run(func(c *service.Context) error {
			if err := calls("@sdb", "echo")(c); !errors.Is(err, cluster.ErrNodeDown) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		})
	}
	n.Log.Wait(t, "Connect failed Connection refused "+addr+" nil")
	n.Log.Wait(t, fmt.Sprintf("changenode [srv] (%s) failed", addr))
	recordedServer(t, addr) // the next call tries again
	n.Run(calls("@sdb", "echo"))
}

// A bare port is one of the loopback interface, where Skynet takes all.
func TestB185Open(t *testing.T) {
	n := client(t, cluster.Table{"self": "127.0.0.1:0"})
	for _, where := range []any{0, "self"} {
		n.Run(func(c *service.Context) error {
			addr, err := cluster.Open(c, where)
			if err != nil {
				return err
			}
			host, port, err := net.SplitHostPort(addr)
			if err != nil || host != "127.0.0.1" || port == "0" {
				return fmt.Errorf("open %v gave %s, %v", where, addr, err)
			}
			return nil
		})
	}
	n.Run(func(c *service.Context) error {
		if _, err := cluster.Open(c, "nosuch"); !errors.Is(err, cluster.ErrNodeDown) || !strings.Contains(err.Error(), "nosuch is down") {
			return fmt.Errorf("open of an unknown name: %w", err)
		}
		return nil
	})
	n.Log.Wait(t, "Listen on 127.0.0.1:0 nil")
}

func TestB189Reload(t *testing.T) {
	_, addr, _ := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"other": false, "__nowaiting": true}); err != nil {
			return err
		}
		if err := calls("@sdb", "echo")(c); err != nil {
			return fmt.Errorf("a node that the second table does not name: %w", err)
		}
		if _, err := cluster.Call(c, "other", "@sdb", "echo"); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("a node that is off: %w", err)
		}
		if err := cluster.Reload(c, cluster.Table{"srv": 5}); err == nil {
			return errors.New("a number was taken for an address")
		}
		return nil
	})
	n.Log.Wait(t, "Config nowaiting = true")
}

// Two services share a connection and one run of sessions, which goes on over a
// loss of the connection; answers may come in any order.
func TestB190Sessions(t *testing.T) {
	caller := service.Def("caller", func(c *service.Context, _ ...any) error {
		c.Handle("go", service.F1(func(c *service.Context, what string) (string, error) {
			return cluster.CallAs[string](c, "srv", "@sdb", what)
		}))
		return nil
	})
	addr, accept := rawServer(t)
	n := client(t, cluster.Table{"srv": addr, "__backoff": 0}, nodetest.Services(caller))
	answers := make(chan string, 2)
	both := func() {
		n.Run(func(c *service.Context) error {
			for _, what := range []string{"one", "two"} {
				h, err := c.NewService("caller")
				if err != nil {
					return err
				}
				c.Fork(func(c *service.Context) {
					got, err := service.Call[string](c, h, "go", what)
					if err != nil {
						got = "failed"
					}
					answers <- got
				})
			}
			return nil
		})
	}
	both()
	r := accept()
	asked := make(map[uint32]any)
	for range 2 {
		req, _ := r.request()
		args, err := service.Unpack[string](req.Payload)
		if err != nil {
			t.Fatal(err)
		}
		asked[req.Session] = args
	}
	for _, session := range []uint32{2, 1} { // in the other order
		r.answer(session, asked[session])
		if got := <-answers; got != asked[session] {
			t.Errorf("the answer to %d was %q, not %q", session, got, asked[session])
		}
	}
	both()
	r.request()
	r.request()
	_ = r.Close()
	if one, two := <-answers, <-answers; one != "failed" || two != "failed" {
		t.Errorf("calls over a lost connection: %q, %q", one, two)
	}
	both()
	r = accept()
	for range 2 {
		req, _ := r.request()
		if req.Session != 5 && req.Session != 6 {
			t.Errorf("session %d on the new connection", req.Session)
		}
		r.answer(req.Session, "again")
		if got := <-answers; got != "again" {
			t.Errorf("answer on the new connection: %q", got)
		}
	}
}
