package guide_test

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/internal/freeport"
	"github.com/skynetgo/skynet/service"
)

// reward gives gold to a player, who must not get it twice.
func reward(c *service.Context, player string, gold int) error {
	var err error
	for range 3 {
		if _, err = cluster.Call(c, "bank", "@bank", "GIVE", player, gold); err == nil {
			return nil
		}
		var down *cluster.DownError
		if !errors.As(err, &down) || down.Left {
			return err // it may have been done: look before you do it again
		}
		if err := c.Sleep(50 * time.Millisecond); err != nil {
			return err
		}
	}
	return err
}

// balance calls a service of another node as if it were one of this node.
func balance(c *service.Context, player string) (int, error) {
	bank, err := cluster.Proxy(c, "bank", "@bank")
	if err != nil {
		return 0, err
	}
	return service.Call[int](c, bank, "BALANCE", player)
}

func TestReward(t *testing.T) {
	bank := service.Def("bank", func(c *service.Context, _ ...any) error {
		gold := map[string]int{}
		c.Handle("GIVE", service.P2(func(_ *service.Context, player string, n int) error {
			if n < 0 {
				return service.Errorf("a bank does not take")
			}
			gold[player] += n
			return nil
		}))
		c.Handle("BALANCE", service.F1(func(_ *service.Context, player string) (int, error) { return gold[player], nil }))
		return cluster.Register(c, "bank", 0)
	})
	server := nodetest.Start(t, nodetest.Services(bank))
	var addr string
	server.Run(func(c *service.Context) (err error) {
		if _, err = c.NewService("bank"); err != nil {
			return err
		}
		addr, err = cluster.Open(c, 0)
		return err
	})
	closed, err := freeport.Addr()
	if err != nil {
		t.Fatal(err)
	}
	client := nodetest.Start(t)
	client.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"bank": closed}); err != nil {
			return err
		}
		began := c.Now()
		if err := reward(c, "alice", 3); !errors.Is(err, cluster.ErrNodeDown) || c.Now()-began < 100*time.Millisecond {
			return fmt.Errorf("got %v after %v", err, c.Now()-began)
		}
		if err := cluster.Reload(c, cluster.Table{"bank": addr}); err != nil {
			return err
		}
		if err := reward(c, "alice", 3); err != nil {
			return err
		}
		var remote *cluster.RemoteError
		if err := reward(c, "alice", -1); !errors.As(err, &remote) || remote.Text != "a bank does not take" {
			return fmt.Errorf("got %v", err)
		}
		n, err := balance(c, "alice")
		if err != nil || n != 3 {
			return fmt.Errorf("balance %d, %w", n, err)
		}
		return nil
	})
}

// TestRewardIsGivenOnce has a bank that is lost with the request.
func TestRewardIsGivenOnce(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests := make(chan int)
	go func() {
		defer close(requests)
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				requests <- n - 1
				return
			}
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
	}()
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"bank": l.Addr().String()}); err != nil {
			return err
		}
		if err := reward(c, "bob", 3); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
	_ = l.Close()
	if n := <-requests; n != 1 {
		t.Errorf("%d requests", n)
	}
}
