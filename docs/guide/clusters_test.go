package guide_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
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
			return err // it may have arrived: look before you do it again
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
	client := nodetest.Start(t)
	client.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"bank": false}); err != nil {
			return err
		}
		if err := reward(c, "alice", 3); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("got %v", err)
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
