package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

func TestMerge(t *testing.T) {
	older, newer := Player{Name: "a", Score: 5, N: 3, X: 1}, Player{Name: "a", Score: 4, N: 7, X: 2}
	want := Player{Name: "a", Score: 5, N: 7, X: 2}
	if got := older.merge(newer); got != want {
		t.Errorf("got %+v", got)
	}
	if got := newer.merge(older); got != want {
		t.Errorf("got %+v", got)
	}
}

// What center has answered is there after a restart.
func TestCenter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "game.db")
	run := func(f func(c *service.Context, center service.Handle) error) {
		t.Helper()
		n := nodetest.Start(t, nodetest.Services(service.Def("center", startCenter)), nodetest.Env("data", path))
		n.Run(func(c *service.Context) error {
			h, err := c.NewService("center")
			if err != nil {
				return err
			}
			return f(c, h)
		})
		n.Stop()
	}
	alice := Player{Name: "alice", Score: 7, N: 2, X: 10.5, Y: 20}
	run(func(c *service.Context, center service.Handle) error {
		p, err := service.Call[Player](c, center, "LOAD", "alice")
		if err != nil || p != (Player{Name: "alice"}) {
			return fmt.Errorf("a new player is %+v, %v", p, err)
		}
		_, err = c.Call(center, "SAVE", []Player{alice, {Name: "bob", Score: 9}})
		return err
	})
	run(func(c *service.Context, center service.Handle) error {
		p, err := service.Call[Player](c, center, "LOAD", "alice")
		if err != nil || p != alice {
			return fmt.Errorf("loaded %+v, %v", p, err)
		}
		top, err := service.Call[[]Player](c, center, "TOP", 1)
		if err != nil || len(top) != 1 || top[0].Name != "bob" || top[0].Score != 9 {
			return fmt.Errorf("top is %+v, %v", top, err)
		}
		return nil
	})
}
