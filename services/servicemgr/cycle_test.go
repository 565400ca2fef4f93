package servicemgr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// needs is a unique service whose start function needs others, one after the
// other.
func needs(name string, others ...string) *service.Definition {
	return service.Def(name, func(c *service.Context, _ ...any) error {
		for _, other := range others {
			if _, err := c.WithTimeout(service.Forever).UniqueService(other); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestStartsThatNeedEachOther(t *testing.T) {
	defs := []*service.Definition{
		plain, needs("hen", "egg"), needs("egg", "plain", "hen"), needs("self", "self"),
		needs("a", "b"), needs("b", "plain", "c"), needs("c", "a"), needs("outside", "plain", "a"),
	}
	for first, cycle := range map[string]string{
		"hen":     "egg -> hen -> egg",
		"egg":     "hen -> egg -> hen",
		"self":    "self -> self",
		"a":       "c -> a -> b -> c",
		"b":       "a -> b -> c -> a",
		"outside": "c -> a -> b -> c",
	} {
		t.Run(first, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := nodetest.Start(t, nodetest.Services(defs...))
				start := time.Now()
				n.Run(func(c *service.Context) error {
					h, err := c.UniqueService(first)
					if h != 0 || !errors.Is(err, service.ErrDeadlock) || !strings.Contains(err.Error(), "servicemgr: cycle: "+cycle+": ") {
						return fmt.Errorf("%s: %s, %v", first, h, err)
					}
					again, err := c.UniqueService(first)
					if again != 0 || !errors.Is(err, service.ErrDeadlock) {
						return fmt.Errorf("%s again: %s, %v", first, again, err)
					}
					_, err = c.UniqueService("plain")
					return err
				})
				if waited := time.Since(start); waited != 0 {
					t.Errorf("it took %v", waited)
				}
			})
		})
	}
}

// Both starts are under way when they ask for each other: both callers get the
// error that names the circle.
func TestStartsThatMeet(t *testing.T) {
	meet := func(name, other string) *service.Definition {
		return service.Def(name, func(c *service.Context, _ ...any) error {
			if err := c.Sleep(time.Minute); err != nil {
				return err
			}
			_, err := c.UniqueService(other)
			return err
		})
	}
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t, nodetest.Services(meet("left", "right"), meet("right", "left")))
		n.Run(func(c *service.Context) error {
			names := []string{"left", "right"}
			results, err := each(c, 2, func(c *service.Context, i int) (service.Handle, error) {
				return c.WithTimeout(service.Forever).UniqueService(names[i])
			}, func() error { return nil })
			for i, r := range results {
				text := fmt.Sprint(r.err) // it depends on who comes second
				if !errors.Is(r.err, service.ErrDeadlock) || !strings.Contains(text, "servicemgr: cycle: right -> left -> right: ") &&
					!strings.Contains(text, "servicemgr: cycle: left -> right -> left: ") {
					err = errors.Join(err, fmt.Errorf("%s: %w", names[i], r.err))
				}
			}
			return err
		})
	})
}

// A query for one that is being started waits for it too.
func TestQueryClosesACircle(t *testing.T) {
	queries := service.Def("queries", func(c *service.Context, _ ...any) error {
		_, err := c.WithTimeout(service.Forever).QueryService("launches")
		return err
	})
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t, nodetest.Services(queries, needs("launches", "queries")))
		n.Run(func(c *service.Context) error {
			_, err := c.UniqueService("launches")
			if !errors.Is(err, service.ErrDeadlock) || !strings.Contains(err.Error(), "cycle: queries -> launches -> queries") {
				return fmt.Errorf("got %w", err)
			}
			return nil
		})
	})
}

// These look like circles and are none: nobody waits for the end of what asks.
func TestNoCircle(t *testing.T) {
	// A fork waits for the other service, the start function does not.
	forks := service.Def("forks", func(c *service.Context, _ ...any) error {
		c.Fork(func(c *service.Context) {
			if h, err := c.WithTimeout(service.Forever).UniqueService("back"); err != nil || h == 0 {
				c.Error("fork:", h, err)
			}
			c.Error("fork done")
		})
		return c.Sleep(time.Hour)
	})
	// Another service of the same name asks, which is no unique one.
	twin := service.Def("twin", func(c *service.Context, args ...any) error {
		c.Handle("ASK", service.P0(func(c *service.Context) error {
			_, err := c.WithTimeout(service.Forever).UniqueService("waits")
			return err
		}))
		if len(args) == 0 {
			return c.Sleep(time.Hour)
		}
		return nil
	})
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t, nodetest.Services(forks, needs("back", "forks"), twin, needs("waits", "twin")))
		n.Run(func(c *service.Context) error {
			_, err := c.WithTimeout(service.Forever).UniqueService("forks")
			return err
		})
		n.Log.Wait(t, "fork done")
		if n.Log.Count("fork: ") != 0 {
			t.Error("the fork got an error")
		}
		n.Run(func(c *service.Context) error {
			h, err := c.NewService("twin", "args")
			if err != nil {
				return err
			}
			c.Fork(func(c *service.Context) { _, _ = c.WithTimeout(service.Forever).UniqueService("twin") })
			if err := c.Sleep(time.Second); err != nil {
				return err
			}
			_, err = c.WithTimeout(service.Forever).Call(h, "ASK")
			return err
		})
	})
}

// TestNeedThatWasGivenUp is no part of a circle any more, after its deadline or
// when the start function asks for something else.
func TestNeedThatWasGivenUp(t *testing.T) {
	for name, next := range map[string]func(c *service.Context) error{
		"sleeps": func(c *service.Context) error { return c.Sleep(2 * time.Second) },
		"asks": func(c *service.Context) error {
			_, err := c.UniqueService("slow")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			gaveUp := service.Def("gaveup", func(c *service.Context, _ ...any) error {
				if _, err := c.WithTimeout(10 * time.Millisecond).UniqueService("back"); !errors.Is(err, service.ErrTimeout) {
					return fmt.Errorf("back: %w", err)
				}
				return next(c)
			})
			back := service.Def("back", func(c *service.Context, _ ...any) error {
				if err := c.Sleep(time.Second); err != nil {
					return err
				}
				_, err := c.UniqueService("gaveup")
				return err
			})
			slow := service.Def("slow", func(c *service.Context, _ ...any) error { return c.Sleep(2 * time.Second) })
			synctest.Test(t, func(t *testing.T) {
				n := nodetest.Start(t, nodetest.Services(gaveUp, back, slow))
				n.Run(func(c *service.Context) error {
					_, err := c.UniqueService("gaveup")
					_, err2 := c.UniqueService("back")
					return errors.Join(err, err2)
				})
			})
		})
	}
}
