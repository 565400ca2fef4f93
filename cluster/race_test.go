package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// eventually waits until ok, giving way to everything that is ready meanwhile.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// connections counts the sockets of a node by who opened them.
func connections(n *nodetest.Node) (opened, accepted int) {
	for _, s := range socket.Info(n.Node) {
		owner := n.Find(s.Owner)
		switch {
		case owner == nil || s.Type != socket.TypeTCP:
		case owner.Name() == "clustersender":
			opened++
		case owner.Name() == "gate":
			accepted++
		}
	}
	return opened, accepted
}

// await blocks a coroutine until ch is closed.
func await(c *service.Context, ch <-chan struct{}) error {
	_, err := service.Await(c, func(ctx context.Context) (any, error) {
		select {
		case <-ch:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	return err
}

func TestSocketClosesWhileItsAgentStarts(t *testing.T) {
	starting, closed := make(chan struct{}), make(chan struct{})
	exited := make(chan struct{})
	slow := service.Def("clusteragent", func(c *service.Context, _ ...any) error {
		c.Handle("exit", service.P0(func(c *service.Context) error { close(exited); c.Exit(); return nil }))
		close(starting)
		return await(c, closed)
	})
	n, addr, _ := server(t, nodetest.Services(slow))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	<-starting
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node sees the end of the connection", func() bool { _, accepted := connections(n); return accepted == 0 })
	close(closed)
	<-exited
	eventually(t, "the agent is gone", func() bool { return count(n, "clusteragent") == 0 })
}

func TestAgentThatFailsToStartClosesItsSocket(t *testing.T) {
	broken := service.Def("clusteragent", func(*service.Context, ...any) error { return errors.New("broken") })
	n, addr, _ := server(t, nodetest.Services(broken))
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection stayed open")
	}
	eventually(t, "the socket is gone", func() bool { _, accepted := connections(n); return accepted == 0 })
}

func TestCallersShareOneAttempt(t *testing.T) {
	srv, addr, _ := server(t)
	caller := service.Def("caller", func(c *service.Context, _ ...any) error {
		c.Handle("go", service.P0(func(c *service.Context) error {
			_, err := cluster.Call(c, "srv", "@sdb", "echo")
			return err
		}))
		return nil
	})
	n := client(t, cluster.Table{"srv": addr}, nodetest.Services(caller))
	const callers = 10
	answers := make(chan error, callers)
	n.Run(func(c *service.Context) error {
		for range callers {
			h, err := c.NewService("caller")
			if err != nil {
				return err
			}
			c.Fork(func(c *service.Context) { _, err := c.Call(h, "go"); answers <- err })
		}
		return nil
	})
	for range callers {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if senders, agents := count(n, "clustersender"), count(srv, "clusteragent"); senders != 1 || agents != 1 {
		t.Errorf("%d senders and %d agents, want 1 and 1", senders, agents)
	}
	n.Log.Wait(t, "LAUNCH snlua clustersender")
	n.WaitIdle()
	if launched := n.Log.Count("LAUNCH snlua clustersender"); launched != 1 {
		t.Errorf("%d senders were launched, want 1", launched)
	}
}

// slowSender is a clustersender that tells of each changenode and answers it
// when the test says so.
func slowSender(changes chan<- string, proceed <-chan struct{}) *service.Definition {
	return service.Def("clustersender", func(c *service.Context, _ ...any) error {
		cluster.ChangeNodeCmd.Handle(c, func(c *service.Context, to cluster.NodeChange) (any, error) {
			changes <- to.Addr
			return nil, await(c, proceed)
		})
		cluster.ReqCmd.Handle(c, func(*service.Context, *cluster.Request) (service.Packed, error) { return nil, nil })
		return nil
	})
}

func TestAddressChangesWhileConnecting(t *testing.T) {
	changes, proceed := make(chan string, 2), make(chan struct{})
	n := client(t, cluster.Table{"srv": "127.0.0.1:1"}, nodetest.Services(slowSender(changes, proceed)))
	answer := make(chan error, 1)
	n.Run(func(c *service.Context) error {
		c.Fork(func(c *service.Context) { _, err := cluster.Call(c, "srv", "@sdb", "echo"); answer <- err })
		return nil
	})
	if got := <-changes; got != "127.0.0.1:1" {
		t.Fatalf("connected to %s first", got)
	}
	// The reload does not wait for the connection.
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": "127.0.0.1:2"}) })
	close(proceed)
	if got := <-changes; got != "127.0.0.1:2" {
		t.Fatalf("connected to %s after the reload", got)
	}
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

// What one service sends and calls while the sender is being started leaves in
// the order made, before anything later.
func TestOrderWhileTheSenderStarts(t *testing.T) {
	const early = 20
	var got []string
	proceed := make(chan struct{})
	recorder := service.Def("clustersender", func(c *service.Context, _ ...any) error {
		record := func(r cluster.Request) error {
			args, err := lualike.Unpack(r.Payload)
			got = append(got, fmt.Sprint(args...))
			return err
		}
		cluster.ChangeNodeCmd.Handle(c, func(c *service.Context, _ cluster.NodeChange) (any, error) { return nil, await(c, proceed) })
		cluster.ReqCmd.Handle(c, func(_ *service.Context, r *cluster.Request) (service.Packed, error) { return nil, record(*r) })
		cluster.PushCmd.Handle(c, func(_ *service.Context, r cluster.Request) (any, error) { return nil, record(r) })
		return nil
	})
	n := client(t, cluster.Table{"srv": "127.0.0.1:1"}, nodetest.Services(recorder))
	done := make(chan error, early)
	var order []string
	n.Run(func(c *service.Context) error {
		for i := range early {
			order = append(order, fmt.Sprint(i))
			if i%3 == 0 {
				c.Fork(func(c *service.Context) { _, err := cluster.Call(c, "srv", "@sdb", i); done <- err })
			} else {
				c.Fork(func(c *service.Context) { done <- cluster.Send(c, "srv", "@sdb", i) })
			}
		}
		c.Fork(func(*service.Context) { close(proceed) })
		return nil
	})
	for range early {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	n.Run(func(c *service.Context) error { _, err := cluster.Call(c, "srv", "@sdb", "late"); return err })
	if order = append(order, "late"); fmt.Sprint(got) != fmt.Sprint(order) {
		t.Errorf("left as %v\nmade as %v", got, order)
	}
}

func TestOtherSocketEventsAreLogged(t *testing.T) {
	n := client(t, cluster.Table{})
	n.Run(func(c *service.Context) error {
		d, err := c.QueryService("clusterd")
		if err != nil {
			return err
		}
		return c.Send(d, "socket", "warning", 3, 1025)
	})
	n.Log.Wait(t, "socket warning 3 1025")
}

// A connection may end at any moment of a call, of which the caller sees only
// that the node was down.
func TestConnectionEndsWhileCalled(t *testing.T) {
	peer := fakePeer(t, func(conn net.Conn) {
		_, _ = io.CopyN(io.Discard, conn, 1)
		_ = conn.(*net.TCPConn).SetLinger(0)
	})
	n := linkTo(t, peer, cluster.Table{"__backoff": 0})
	n.Run(func(c *service.Context) error {
		const callers, calls = 300, 50
		errs := make(chan error, callers)
		for range callers {
			c.Fork(func(c *service.Context) {
				c = c.WithTimeout(service.Forever)
				var err error
				for k := 0; k < calls && err == nil; k++ {
					if _, e := cluster.Call(c, "srv", "@sdb", "echo"); !errors.Is(e, cluster.ErrNodeDown) {
						err = fmt.Errorf("call %d: %w", k, e)
					}
				}
				errs <- err
			})
		}
		for range callers {
			err, _ := service.Await(c, func(context.Context) (error, error) { return <-errs, nil })
			if err != nil {
				return err
			}
		}
		return nil
	})
}
