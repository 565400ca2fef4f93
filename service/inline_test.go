package service_test

import (
	"errors"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// TestInline: a service that passes on what it gets, without blocking.
func TestInline(t *testing.T) {
	n := newNode(t, false,
		service.Def("target", func(c *service.Context, _ ...any) error {
			c.Handle("ECHO", service.F1(func(_ *service.Context, s string) (string, error) { return s, nil }))
			c.Handle("FAIL", service.P0(func(*service.Context) error { return service.Errorf("no") }))
			return nil
		}),
		service.Def("relay", func(c *service.Context, _ ...any) error {
			to, err := c.NewService("target")
			if err != nil {
				return err
			}
			c.Dispatch(service.PTypeLua, func(c *service.Context, m service.Message) {
				if _, err := c.RawCall(to, service.PTypeLua, m.Data); !errors.Is(err, service.ErrMisuse) {
					t.Errorf("a call that blocks: %v", err)
				}
				answer := c.Response()
				err := c.RawCallThen(to, service.PTypeLua, m.Data, service.Forever, func(c *service.Context, data any, err error) {
					if c.Self() == 0 || c.Yield() == nil {
						t.Error("not a Context of an inline service")
					}
					if err != nil {
						_, _ = answer.Fail(err)
						return
					}
					_, _ = answer.RetRaw(data)
				})
				if err != nil {
					t.Error(err)
				}
			})
			return nil
		}, service.Inline))
	relay := start(t, n, "relay")
	do(t, n, func(c *service.Context) {
		if s, err := service.Call[string](c, relay, "ECHO", "x"); err != nil || s != "x" {
			t.Errorf("%q, %v", s, err)
		}
		if err := c.RawCallThen(service.Handle(0xffff), service.PTypeLua, nil, service.Forever, nil); !errors.Is(err, service.ErrNoService) {
			t.Error(err)
		}
		_, err := c.Call(relay, "FAIL")
		if text, ok := service.ErrorText(err); !ok || text != "no" {
			t.Errorf("%v", err)
		}
	})
}

func TestRawSendAll(t *testing.T) {
	n := newNode(t, false, service.Def("target", func(c *service.Context, _ ...any) error {
		var got []string
		c.Handle("TAKE", service.P1(func(_ *service.Context, s string) error { got = append(got, s); return nil }))
		c.Handle("GOT", service.F0(func(*service.Context) (int, error) { return len(got), nil }))
		return nil
	}))
	target := start(t, n, "target")
	do(t, n, func(c *service.Context) {
		ms := make([]service.Message, 3)
		for i := range ms {
			ms[i] = service.Message{Type: service.PTypeLua, Data: lualike.Args{"TAKE", "x"}}
		}
		if err := c.RawSendAll(target, ms); err != nil {
			t.Error(err)
		}
		if n, err := service.Call[int](c, target, "GOT"); err != nil || n != 3 {
			t.Errorf("%d came, %v", n, err)
		}
		ms[2].Type = actor.PTypeResponse
		if err := c.RawSendAll(target, ms); !errors.Is(err, service.ErrMisuse) {
			t.Errorf("an answer is sent: %v", err)
		}
		old := c
		c.Fork(func(*service.Context) {
			if err := old.RawSendAll(target, ms[:2]); !errors.Is(err, service.ErrMisuse) {
				t.Errorf("used outside its coroutine: %v", err)
			}
		})
		_ = c.Yield()
	})
}
