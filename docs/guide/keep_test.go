package guide_test

import (
	"fmt"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// keep starts a service, and again whenever it has ended.
func keep(c *service.Context, name, definition string) error {
	h, err := c.NewService(definition)
	if err != nil {
		return err
	}
	if err := c.Name(name, h); err != nil {
		return err
	}
	_, err = service.Watch(c, h, func(c *service.Context, reason error) {
		c.Logf("%s ended: %v", name, reason)
		if err := keep(c, name, definition); err != nil {
			c.Error(err)
		}
	})
	return err
}

func TestKeep(t *testing.T) {
	shop := service.Def("shop", func(c *service.Context, _ ...any) error {
		open := 0
		c.Handle("PANIC", service.P0(func(*service.Context) error { panic("out of bread") }))
		c.Handle("CLOSE", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
		c.Handle("OPEN", service.F0(func(*service.Context) (int, error) { open++; return open, nil }))
		return nil
	})
	keeper := service.Def("keeper", func(c *service.Context, _ ...any) error { return keep(c, ".shop", "shop") })
	n := nodetest.Start(t, nodetest.Services(shop, keeper))
	ask := func(c *service.Context, want int) error {
		if got, err := service.Call[int](c, ".shop", "OPEN"); err != nil || got != want {
			return fmt.Errorf("open %d, %w", got, err)
		}
		return nil
	}
	n.Run(func(c *service.Context) error {
		if _, err := c.NewService("keeper"); err != nil {
			return err
		}
		if err := ask(c, 1); err != nil {
			return err
		}
		if _, err := c.Call(".shop", "PANIC"); err == nil {
			return fmt.Errorf("no panic")
		}
		if err := ask(c, 2); err != nil { // the same service
			return err
		}
		if _, err := c.Call(".shop", "CLOSE"); err == nil {
			return fmt.Errorf("not closed")
		}
		return nil
	})
	n.Log.Wait(t, ".shop ended: ")
	n.WaitIdle()
	n.Run(func(c *service.Context) error { return ask(c, 1) }) // another one
}
