package main

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// enterFunc has agent i, new if need be, ask for a room, and checks which it gets.
type enterFunc func(i int, kind, failed string, want Place) error

// withHall runs f on a node with a hall.
func withHall(t *testing.T, f func(c *service.Context, agents *[]service.Handle, enter enterFunc) error) {
	t.Helper()
	agent := service.Def("agent", func(c *service.Context, _ ...any) error {
		hall, err := c.UniqueService("hall")
		if err != nil {
			return err
		}
		c.Handle("ENTER", service.F2(func(c *service.Context, kind, failed string) (Place, error) {
			return service.Call[Place](c, hall, "ENTER", kind, failed)
		}))
		return c.Send(hall, "HELLO")
	})
	n := nodetest.Start(t, nodetest.Services(agent, service.Def("hall", startHall)), nodetest.Env("rooms", "room1 room2"))
	n.Run(func(c *service.Context) error {
		var agents []service.Handle
		return f(c, &agents, func(i int, kind, failed string, want Place) error {
			for len(agents) <= i {
				h, err := c.NewService("agent")
				if err != nil {
					return err
				}
				agents = append(agents, h)
			}
			got, err := service.Call[Place](c, agents[i], "ENTER", kind, failed)
			if err != nil || got != want {
				return fmt.Errorf("%d gets %+v, %v, want %+v", i, got, err, want)
			}
			return nil
		})
	})
}

// The hall fills a room before it opens the next, and spreads rooms over the nodes.
func TestHall(t *testing.T) {
	withHall(t, func(c *service.Context, agents *[]service.Handle, enter enterFunc) error {
		for i := range capacity {
			if err := enter(i, "ruby", "", Place{"room1", "ruby 1"}); err != nil {
				return err
			}
		}
		if err := enter(capacity, "ruby", "", Place{"room2", "ruby 2"}); err != nil {
			return err
		}
		if err := enter(0, "amber", "", Place{"room2", "amber 1"}); err != nil {
			return err
		}
		// There is a place in ruby 1 now, and again when an agent has ended.
		if err := enter(capacity+1, "ruby", "", Place{"room1", "ruby 1"}); err != nil {
			return err
		}
		if err := c.Kill((*agents)[1]); err != nil {
			return err
		}
		if err := c.Yield(); err != nil {
			return err
		}
		return enter(capacity+2, "ruby", "", Place{"room1", "ruby 1"})
	})
}

// The rooms of a node that has failed go elsewhere, each as a whole, and the node
// is left alone for a while: from the first who says so, not from those who notice late.
func TestNodeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withHall(t, func(c *service.Context, _ *[]service.Handle, enter enterFunc) error {
			steps := func(list ...func() error) (err error) {
				for _, f := range list {
					if err == nil {
						err = f()
					}
				}
				return err
			}
			to := func(i int, kind, failed, node string) func() error {
				return func() error { return enter(i, kind, failed, Place{node, kind + " 1"}) }
			}
			return steps(
				to(0, "ruby", "", "room1"), to(1, "ruby", "", "room1"),
				to(2, "emerald", "", "room2"), to(3, "emerald", "", "room2"),
				to(4, "amber", "", "room1"),
				to(0, "ruby", "room1", "room2"),
				to(5, "amber", "", "room2"), // it is as dead as ruby 1 was
				to(4, "amber", "room1", "room2"),
				func() error { return c.Sleep(avoid) },
				to(1, "ruby", "room1", "room2"), // this is no news: room1 is back
				to(6, "sapphire", "", "room1"),
			)
		})
	})
}
