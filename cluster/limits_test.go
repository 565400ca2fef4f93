package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
)

// fakePeer accepts connections and gives each to serve, which ends when the
// connection does.
func fakePeer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String()
}

// silent reads and never answers, as a stopped process does.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// answering answers each request with what answer makes of it.
func answering(t *testing.T, answer func(wire.Request) []byte) func(net.Conn) {
	return func(conn net.Conn) {
		for {
			frame, err := readFrame(conn)
			if err != nil {
				return
			}
			r, err := wire.ParseRequest(frame[2:])
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := conn.Write(answer(r)); err != nil {
				return
			}
		}
	}
}

// linkTo starts a node that knows the peer as "srv", with options of the table.
func linkTo(t *testing.T, addr string, options cluster.Table) *nodetest.Node {
	t.Helper()
	table := cluster.Table{"srv": addr}
	for name, value := range options {
		table[name] = value
	}
	return client(t, table)
}

func TestProbeTakesASilentLinkDown(t *testing.T) {
	n := linkTo(t, fakePeer(t, silent), cluster.Table{"__probe": 0.02})
	n.Run(func(c *service.Context) error {
		_, err := cluster.Call(c.WithTimeout(service.Forever), "srv", "@sdb", "echo")
		var down *cluster.DownError
		if !errors.As(err, &down) || !down.Left || !strings.Contains(err.Error(), "no sign of life for 40ms") {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
	n.Log.Wait(t, "Cluster node [srv] is down : ")
}

// An idle link whose node answers stays: each probe is an ordinary name query.
func TestProbeIsAnswered(t *testing.T) {
	probes := make(chan wire.Request, 100)
	peer := fakePeer(t, answering(t, func(r wire.Request) []byte {
		probes <- r
		frame, _ := wire.AppendResponse(nil, r.Session, false, []byte(cluster.TextNameNotFound))
		return frame
	}))
	n := linkTo(t, peer, cluster.Table{"__probe": 0.1})
	n.Run(func(c *service.Context) error { return cluster.Send(c, "srv", "@sdb", "hello") })
	<-probes
	for range 3 {
		if r := <-probes; r.Addr != wire.NumAddr(0) || r.Push {
			t.Errorf("the probe is %+v", r)
		}
	}
	if s := cluster.LinkTo(n.Node, "srv").Status(); s.State != cluster.LinkUp {
		t.Errorf("%+v", s)
	}
}

func TestTooManyRequests(t *testing.T) {
	n := linkTo(t, fakePeer(t, silent), cluster.Table{"__maxrequests": 2})
	n.Run(func(c *service.Context) error {
		call := func(timeout time.Duration) error {
			_, err := cluster.Call(c.WithTimeout(timeout), "srv", "@sdb", "echo")
			return err
		}
		waiting := make(chan error, 2)
		for range 2 {
			c.Fork(func(c *service.Context) {
				_, err := cluster.Call(c.WithTimeout(service.Forever), "srv", "@sdb", "echo")
				waiting <- err
			})
		}
		if err := c.Yield(); err != nil {
			return err
		}
		if err := call(time.Minute); !errors.Is(err, service.ErrOverload) {
			return fmt.Errorf("a third request: %v", err)
		}
		if err := cluster.Reload(c, cluster.Table{"__maxrequests": 3}); err != nil {
			return err
		}
		// Those whose callers have given up do not count, soon after.
		for gone := 0; gone < 5; {
			switch err := call(time.Millisecond); {
			case errors.Is(err, service.ErrOverload) && gone > 0:
			case errors.Is(err, service.ErrTimeout) && strings.Contains(err.Error(), "the link to node srv is up"):
				gone++
			default:
				return fmt.Errorf("with one more allowed: %v", err)
			}
		}
		return nil
	})
	if late := n.Drops().Late; late < 4 { // the fifth still counts
		t.Errorf("%d requests were answered to callers that had given up, want 4", late)
	}
}

// Skynet says nothing to a call of "sdb" where "@sdb" was meant (B174).
func TestTimeoutOfANameWithoutPrefix(t *testing.T) {
	n := linkTo(t, fakePeer(t, silent), nil)
	n.Run(func(c *service.Context) error {
		call := func(addr any) string {
			_, err := cluster.Call(c.WithTimeout(time.Millisecond), "srv", addr, "echo")
			return fmt.Sprint(err)
		}
		for !strings.Contains(call("@sdb"), "is up") { // so that the others leave
		}
		const hint = `a name without @ or . in front: "sdb"`
		if text := call("sdb"); !strings.HasSuffix(text, hint) {
			t.Error(text)
		}
		for _, addr := range []any{"@sdb", ".sdb", ":8", service.Handle(8)} {
			if text := call(addr); !strings.HasSuffix(text, "is up") {
				t.Errorf("%v: %s", addr, text)
			}
		}
		return nil
	})
}

func TestTooMuchOutput(t *testing.T) {
	stalled := make(chan struct{})
	peer := fakePeer(t, func(net.Conn) { <-stalled })
	t.Cleanup(func() { close(stalled) })
	n := linkTo(t, peer, cluster.Table{"__maxoutput": 4 << 20})
	l := cluster.LinkTo(n.Node, "srv")
	text := strings.Repeat("x", 256<<10)
	n.Run(func(c *service.Context) error {
		// Once a request has left, what follows does not wait for the connection.
		for left := false; !left; {
			_, err := cluster.Call(c.WithTimeout(time.Millisecond), "srv", "@sdb", "echo")
			if left = strings.Contains(fmt.Sprint(err), "the link to node srv is up"); !errors.Is(err, service.ErrTimeout) {
				return err
			}
		}
		// The first that is too much is dropped by the sender, and then some are
		// refused at once.
		for refused := false; !refused || l.Status().Dropped[cluster.DropOverload] < 2; {
			err := cluster.Send(c, "srv", "@sdb", "note", text)
			if refused = errors.Is(err, service.ErrOverload); err != nil && !refused {
				return err
			}
			if err := c.Yield(); err != nil {
				return err
			}
		}
		_, err := cluster.Call(c, "srv", "@sdb", "echo", strings.Repeat(text, 16))
		if !errors.Is(err, service.ErrOverload) {
			return fmt.Errorf("a call: %v", err)
		}
		return nil
	})
	n.Log.Wait(t, "push to node [srv] is lost: ") // is written once it has been counted
	if l.Status().Dropped[cluster.DropOverload] < 2 {
		t.Errorf("%v are counted", l.Status().Dropped)
	}
	n.Log.Wait(t, "WARNING: ")
}

func TestMessageTooLarge(t *testing.T) {
	answer := make([]byte, 70_000)
	large := func(r wire.Request) []byte {
		frame, parts := wire.AppendResponse(nil, r.Session, true, answer)
		for i := range parts {
			frame = wire.AppendResponsePart(frame, r.Session, answer, i)
		}
		return frame
	}
	n := linkTo(t, fakePeer(t, answering(t, large)), cluster.Table{"__maxmessage": 60_000})
	n.Run(func(c *service.Context) error {
		if _, err := cluster.Call(c, "srv", "@sdb", strings.Repeat("x", 60_000)); !errors.Is(err, cluster.ErrTooLarge) {
			return fmt.Errorf("a request: %v", err)
		}
		for range 2 {
			if _, err := cluster.Call(c, "srv", "@sdb", "echo"); !errors.Is(err, cluster.ErrTooLarge) {
				return fmt.Errorf("an answer: %v", err)
			}
		}
		return nil
	})
}

// The error says whether the request had left.
func TestErrorSaysWhetherTheRequestHadLeft(t *testing.T) {
	peer := fakePeer(t, func(conn net.Conn) { _, _ = readFrame(conn) })
	n := linkTo(t, peer, cluster.Table{"gone": unused(t)})
	n.Run(func(c *service.Context) error {
		for node, left := range map[string]bool{"srv": true, "gone": false} {
			_, err := cluster.Call(c, node, "@sdb", "echo")
			var down *cluster.DownError
			if !errors.As(err, &down) || down.Left != left {
				return fmt.Errorf("%s: %v", node, err)
			}
		}
		return nil
	})
}

// unused returns an address that nobody listens at.
func unused(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// Sends to a node that nobody names yet are bounded too.
func TestQueueForAnUnknownNode(t *testing.T) {
	n := linkTo(t, unused(t), cluster.Table{"__maxoutput": 1 << 20})
	text := strings.Repeat("x", 100_000)
	n.Run(func(c *service.Context) error {
		for i := range 12 {
			err := cluster.Send(c, "nobody", "@sdb", "note", text)
			if (i >= 10) != errors.Is(err, service.ErrOverload) {
				return fmt.Errorf("send %d: %v", i, err)
			}
		}
		return nil
	})
	if got := cluster.LinkTo(n.Node, "nobody").Status().Dropped[cluster.DropOverload]; got != 2 {
		t.Errorf("%d are counted", got)
	}
}

// Answers whose last part does not come are bounded: the link goes down.
func TestUnfinishedAnswers(t *testing.T) {
	answer := make([]byte, 100_000)
	unfinished := func(r wire.Request) []byte {
		frame, parts := wire.AppendResponse(nil, r.Session, true, answer)
		for i := range parts - 1 {
			frame = wire.AppendResponsePart(frame, r.Session, answer, i)
		}
		return frame
	}
	n := linkTo(t, fakePeer(t, answering(t, unfinished)), cluster.Table{"__maxpartbytes": 300_000})
	n.Run(func(c *service.Context) error {
		results := make(chan error, 4)
		for range cap(results) {
			c.Fork(func(c *service.Context) {
				_, err := cluster.Call(c.WithTimeout(service.Forever), "srv", "@sdb", "echo")
				results <- err
			})
		}
		_, err := cluster.Call(c.WithTimeout(service.Forever), "srv", "@sdb", "echo")
		if !errors.Is(err, cluster.ErrNodeDown) || !strings.Contains(err.Error(), "unfinished answers take") {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
}

// What another node says does not write lines of its own into the log.
func TestErrorTextsAreOneLine(t *testing.T) {
	peer := fakePeer(t, answering(t, func(r wire.Request) []byte {
		frame, _ := wire.AppendResponse(nil, r.Session, false, []byte("one\n[:00000001] two\x1b[2J"))
		return frame
	}))
	n := linkTo(t, peer, nil)
	n.Run(func(c *service.Context) error {
		if _, err := cluster.Call(c, "srv", "@sdb", "echo"); err == nil {
			return errors.New("no error")
		}
		return nil
	})
	n.Log.Wait(t, "one?[:00000001] two?[2J")
}

// A probe that a reload switches on holds for the link that stands.
func TestProbeSwitchedOn(t *testing.T) {
	n := linkTo(t, fakePeer(t, silent), nil)
	n.Run(func(c *service.Context) error {
		if err := cluster.Send(c, "srv", "@sdb", "hello"); err != nil {
			return err
		}
		c.Fork(func(c *service.Context) { _ = cluster.Reload(c, cluster.Table{"__probe": 0.02}) })
		_, err := cluster.Call(c.WithTimeout(service.Forever), "srv", "@sdb", "echo")
		if !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
}
