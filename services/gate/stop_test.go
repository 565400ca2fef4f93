package gate_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// While handlers finish, a node that stops lets no client in, and serves those it
// has.
func TestStopClosesTheDoorFirst(t *testing.T) {
	n := nodetest.Start(t, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = patience }))
	var h service.Handle
	n.Run(func(c *service.Context) (err error) { h, err = c.NewService(gate.Name); return err })
	dog := n.Probe("watchdog") // started after the gate, so it ends before it
	var addr string
	n.Run(func(c *service.Context) error {
		out, err := c.Call(h, gate.CmdOpen, gate.OpenConfig{Port: new(int), Watchdog: dog.Handle()})
		addr = fmt.Sprintf("%v:%v", out.At(0), out.At(1))
		return err
	})
	cl, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	dog.Expect(t, gate.EventName, gate.EventOpen, 2, cl.LocalAddr().String())
	n.Run(func(c *service.Context) error { _, err := c.Call(h, gate.CmdAccept, 2); return err })

	finish := make(chan struct{})
	dog.Answer("WORK", func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
		return service.Await(c, func(ctx context.Context) (lualike.Args, error) {
			select {
			case <-finish:
			case <-ctx.Done():
			}
			return nil, ctx.Err()
		})
	})
	n.Run(func(c *service.Context) error { return c.Send(dog.Handle(), "WORK") })
	dog.Expect(t, "WORK")

	stopped := make(chan error, 1)
	go func() { stopped <- n.Shutdown(t.Context()) }()
	listens := func(s socket.Stat) bool { return s.Type == socket.TypeListen }
	for end := time.Now().Add(patience); slices.ContainsFunc(socket.Info(n.Node), listens); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it listens still")
		}
	}
	if nc, err := net.Dial("tcp", addr); err == nil {
		nc.Close()
		t.Error("a client was let in")
	}
	if _, err := cl.Write([]byte("\x00\x02on")); err != nil {
		t.Fatal(err)
	}
	dog.Expect(t, gate.EventName, gate.EventData, 2, "on")
	select {
	case err := <-stopped:
		t.Fatalf("the node has stopped in the middle of a handler: %v", err)
	default:
	}
	close(finish)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	var rest bytes.Buffer
	if _, err := io.Copy(&rest, cl); err != nil || rest.Len() > 0 {
		t.Errorf("the client got %q, %v", &rest, err)
	}
	dog.ExpectNothing(t)
}
