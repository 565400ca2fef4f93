package service_test

import (
	"fmt"
	"testing"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// A service that defines no command of its own takes them all the same.
func TestHandleUnknownAlone(t *testing.T) {
	n := newNode(t, false)
	h := serve(t, n, "all", func(c *service.Context) {
		c.HandleUnknown(func(_ *service.Context, cmd string, args lualike.Args) (lualike.Args, error) {
			return append(lualike.Args{cmd}, args...), nil
		})
	})
	do(t, n, func(c *service.Context) {
		if got, err := c.Call(h, "ANY", 1); err != nil || fmt.Sprint(got) != "[ANY 1]" {
			t.Errorf("got %v, %v", got, err)
		}
		if got, err := service.Debug(c, h, "SUPPORT", "lua"); err != nil || got.At(0) != true {
			t.Errorf("SUPPORT: %v, %v", got, err)
		}
	})
}
