package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// enterFunc has agent i, new if need be, ask for a room, and checks which it gets.
type enterFunc func(i int, kind, failed string, want Place) error

// withHall runs f on a node with a hall.
func withHall(t *testing.T, f func(c *service.Context, agents *[]service.Handle, enter enterFunc) error) *nodetest.Node {
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
	return n
}

// The hall fills a room before it opens the next, and spreads rooms over the nodes.
func TestHall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
			if err := c.Sleep(time.Second); err != nil { // in a bubble: when nothing is left to do
				return err
			}
			return enter(capacity+2, "ruby", "", Place{"room1", "ruby 1"})
		})
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

// While no node works there is no room, which is no error: all players ask again
// and again. The log has one line for each node.
func TestAllNodesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := withHall(t, func(_ *service.Context, _ *[]service.Handle, enter enterFunc) error {
			for i, kind := range []string{"ruby", "emerald", "amber", "sapphire"} {
				if err := enter(i, kind, "", Place{[]string{"room1", "room2"}[i%2], kind + " 1"}); err != nil {
					return err
				}
			}
			return errors.Join(
				enter(0, "ruby", "room1", Place{"room2", "ruby 1"}), enter(1, "emerald", "room2", Place{}),
				enter(2, "amber", "room1", Place{}), enter(3, "sapphire", "room2", Place{}), enter(3, "sapphire", "room2", Place{}),
			)
		})
		synctest.Wait() // for the log
		var got []string
		for _, line := range n.Log.Lines() {
			if _, text, _ := strings.Cut(line, "] "); strings.HasPrefix(text, "room") || strings.Contains(text, "error") {
				got = append(got, text)
			}
		}
		const text = " does not answer or closes: its players go elsewhere"
		if want := []string{"room1" + text, "room2" + text}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
