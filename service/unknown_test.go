package service_test

import (
	"errors"
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

// A value of any kind may choose the handler, wherever it stands.
func TestHandleFirst(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		const typ = service.PTypeSnax
		const known = service.Cmd[string, string]("KNOWN")
		n := newNode(t, isolate)
		h := serve(t, n, "numbered", func(c *service.Context) {
			c.Dispatch(typ, service.HandleFirst(func(_ *service.Context, first any) (service.Handler, error) {
				if first == "no" {
					return service.Handler{}, errors.New("no handler")
				}
				return service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
					return append(lualike.Args{fmt.Sprintf("%T", first), fmt.Sprint(first)}, args...), nil
				}), nil
			}))
		})
		packed, err := lualike.Pack(5, "a")
		if err != nil {
			t.Fatal(err)
		}
		do(t, n, func(c *service.Context) {
			for _, tc := range []struct {
				payload any
				want    string
			}{
				{lualike.Args{int64(5), "a", true}, "[int64 5 a true]"},
				{packed, "[int64 5 a]"},
				{lualike.Args{uint8(5), "a"}, "[int64 5 a]"}, // as if it came from another node
				{lualike.Args{known}, "[string KNOWN]"},
				{lualike.Args{"name"}, "[string name]"},
				{lualike.Args{}, "[<nil> <nil>]"},
				{[]byte{}, "[<nil> <nil>]"},
				{nil, "[<nil> <nil>]"},
			} {
				answer, err := c.RawCall(h, typ, tc.payload)
				if err != nil {
					t.Errorf("%v: %v", tc.payload, err)
					continue
				}
				if got, err := service.Result[lualike.Args](answer); err != nil || fmt.Sprint(got) != tc.want {
					t.Errorf("%v: got %v, %v, want %s", tc.payload, got, err, tc.want)
				}
			}
			for _, payload := range []any{lualike.Args{"no"}, []byte{7}} {
				if _, err := c.RawCall(h, typ, payload); !errors.Is(err, service.ErrCallFailed) {
					t.Errorf("%v: %v", payload, err)
				}
			}
		})
	})
}

// A command may be of any type that is a string to Lua.
func TestCommandOfAStringType(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		const get = service.Cmd[string, string]("GET")
		h := serve(t, n, "db", func(c *service.Context) {
			get.Handle(c, func(_ *service.Context, key string) (string, error) { return "value of " + key, nil })
		})
		do(t, n, func(c *service.Context) {
			if got, err := c.Call(h, get, "a"); err != nil || fmt.Sprint(got) != "[value of a]" {
				t.Errorf("got %v, %v", got, err)
			}
		})
	})
}
