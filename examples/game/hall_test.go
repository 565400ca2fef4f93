package main

import (
	"fmt"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// The hall fills a room before it opens the next, spreads rooms over the nodes,
// and leaves a node alone that has failed.
func TestHall(t *testing.T) {
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
		enter := func(i int, kind, failed string, want Place) error {
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
		}
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
		if err := c.Kill(agents[1]); err != nil {
			return err
		}
		if err := c.Yield(); err != nil {
			return err
		}
		if err := enter(capacity+2, "ruby", "", Place{"room1", "ruby 1"}); err != nil {
			return err
		}
		// The node fails: the room goes elsewhere, once.
		for i := range 2 {
			if err := enter(2+i, "ruby", "room1", Place{"room2", "ruby 1"}); err != nil {
				return err
			}
		}
		return nil
	})
}
