package service_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

func TestAddresses(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		h := serve(t, n, "named", func(c *service.Context) {
			handlers(c)
			if err := c.Register(".named"); err != nil {
				t.Error(err)
			}
			if err := c.Register(".named"); !errors.Is(err, service.ErrNameTaken) {
				t.Errorf("a taken name: %v", err)
			}
			if err := c.Name(".second", c.Self()); err != nil {
				t.Error(err)
			}
		})
		do(t, n, func(c *service.Context) {
			for _, addr := range []any{h, ".named", ".second", h.String(), fmt.Sprintf(":%X", uint32(h)), int(h), int64(h), uint32(h)} {
				if v, err := service.Call[string](c, addr, "F0"); err != nil || v != "none" {
					t.Errorf("call %v: %q, %v", addr, v, err)
				}
				if err := c.Send(addr, "F0"); err != nil {
					t.Errorf("send %v: %v", addr, err)
				}
			}
			for _, tc := range []struct {
				addr any
				want error
				text string
			}{
				{service.Handle(0xfff0), service.ErrNoService, "call :0000fff0 GET: "},
				{".nosuch", service.ErrNoService, "call .nosuch GET: "},
				{":fff0", service.ErrNoService, "call :fff0 GET: "},
				{int64(h) + 1<<32, service.ErrNoService, "call 42949"},
				{-1, service.ErrNoService, "call -1 GET: "},
				{":xyz", service.ErrMisuse, "call :xyz GET: "},
				{0, service.ErrMisuse, "Invalid service address 0"},
				{nil, service.ErrMisuse, "dest address type"},
				{1.5, service.ErrMisuse, "dest address type"},
			} {
				_, err := c.Call(tc.addr, "GET", "a")
				if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("call %v: %v", tc.addr, err)
				}
				if _, err := service.Call[int](c, tc.addr, "GET"); !errors.Is(err, tc.want) {
					t.Errorf("typed call %v: %v", tc.addr, err)
				}
				if err := c.Send(tc.addr, "GET"); !errors.Is(err, tc.want) || !strings.HasPrefix(err.Error(), "send ") {
					t.Errorf("send %v: %v", tc.addr, err)
				}
				if err := c.RawSend(tc.addr, service.PTypeLua, nil); !errors.Is(err, tc.want) {
					t.Errorf("rawsend %v: %v", tc.addr, err)
				}
				if err := c.Redirect(tc.addr, 1, service.PTypeLua, 0, nil); !errors.Is(err, tc.want) {
					t.Errorf("redirect %v: %v", tc.addr, err)
				}
			}
			if got := c.LocalName(".named"); got != h {
				t.Errorf("LocalName: %s", got)
			}
			for _, name := range []string{".nosuch", "named", h.String()} { // B027
				if got := c.LocalName(name); got != 0 {
					t.Errorf("LocalName(%q) = %s", name, got)
				}
			}
			if got := c.Address(h); got != h.String() {
				t.Errorf("Address: %s", got)
			}
			// B053: a call to oneself.
			if _, err := c.Call(c.Self(), "X"); !errors.Is(err, service.ErrCallFailed) {
				t.Errorf("a call to oneself, who knows no commands: %v", err)
			}
		})
	})
}

func TestRetRules(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		sent := make(chan bool, 1)
		h := serve(t, n, "ret", func(c *service.Context) {
			if _, err := c.Ret(1); !errors.Is(err, service.ErrMisuse) { // B047
				t.Errorf("Ret outside of a handler: %v", err)
			}
			if _, err := c.Response().Ret(1); !errors.Is(err, service.ErrMisuse) {
				t.Errorf("Response outside of a handler: %v", err)
			}
			c.Handle("TWICE", service.P0(func(c *service.Context) error { // B046
				if ok, err := c.Ret("first", 2); !ok || err != nil {
					t.Errorf("first Ret: %v, %v", ok, err)
				}
				_, err := c.Ret("second")
				return err
			}))
			c.Handle("NOTHING", service.F0(func(c *service.Context) (string, error) {
				_, err := c.Ret()
				return "not sent", err
			}))
			c.Handle("SEND", service.P0(func(c *service.Context) error { // B048
				ok, err := c.Ret("nobody")
				sent <- ok
				return err
			}))
			c.Handle("FAIL", service.P0(func(c *service.Context) error {
				c.Fail(errOwn)
				c.Fail(errOwn)
				return nil
			}))
			c.Handle("FAILNIL", service.P0(func(c *service.Context) error { c.Fail(nil); return nil }))
			c.Dispatch(100, func(c *service.Context, m service.Message) { // B045
				if m.Data == "ignore" {
					c.IgnoreRet()
				}
			})
		})
		do(t, n, func(c *service.Context) {
			got, err := c.Call(h, "TWICE")
			if err != nil || !reflect.DeepEqual(got, lualike.Args{"first", int64(2)}) {
				t.Errorf("TWICE: %v, %v", got, err)
			}
			if got, err := c.Call(h, "NOTHING"); err != nil || len(got) != 0 {
				t.Errorf("NOTHING: %v, %v", got, err)
			}
			if err := c.Send(h, "SEND"); err != nil {
				t.Error(err)
			}
			for _, cmd := range []string{"FAIL", "FAILNIL"} {
				if _, err := c.Call(h, cmd); !errors.Is(err, service.ErrCallFailed) || errors.Is(err, errOwn) != (cmd == "FAIL") {
					t.Errorf("%s: %v", cmd, err)
				}
			}
			if _, err := c.RawCall(h, 100, "forget"); !errors.Is(err, service.ErrCallFailed) {
				t.Errorf("forgotten: %v", err)
			}
			if _, err := c.WithTimeout(time.Millisecond).RawCall(h, 100, "ignore"); !errors.Is(err, service.ErrTimeout) {
				t.Errorf("ignored: %v", err)
			}
		})
		if receive(t, sent) {
			t.Error("a send was answered")
		}
		n.expectLog(t, "error : \x1b[31mactor: misuse: No session\x1b[0m")
		n.expectLog(t, "Maybe forgot response session ")
	})
}

func TestResponse(t *testing.T) { // B049
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		var held []*service.Response
		checked := make(chan struct{})
		h := serve(t, n, "holds", func(c *service.Context) {
			c.Handle("HOLD", service.Raw(func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
				held = append(held, c.Response())
				return lualike.Args{"not sent"}, nil
			}))
			c.Handle("COUNT", service.F0(func(*service.Context) (int, error) { return len(held), nil }))
			c.Handle("ANSWER", service.P0(func(*service.Context) error {
				defer close(checked)
				for i, r := range held {
					if !r.Pending() {
						t.Errorf("%d: not pending", i)
					}
					var ok bool
					var err error
					switch i {
					case 0:
						ok, err = r.Ret("a", 2)
					case 1:
						ok, err = r.Fail(errOwn)
					case 2:
						ok, err = r.Fail(nil)
					case 3:
						ok, err = r.RetRaw(nil)
					}
					if !ok || err != nil {
						t.Errorf("%d: %v, %v", i, ok, err)
					}
					if r.Pending() {
						t.Errorf("%d: pending after the answer", i)
					}
					_, again := r.Ret()
					_, failed := r.Fail(errOwn)
					if !errors.Is(again, service.ErrMisuse) || !errors.Is(failed, service.ErrMisuse) ||
						!strings.Contains(again.Error(), "Can't response more than once") {
						t.Errorf("%d: a second answer: %v, %v", i, again, failed)
					}
				}
				return nil
			}))
		})
		do(t, n, func(c *service.Context) {
			left := 4
			for i := range left {
				c.Fork(func(c *service.Context) {
					got, err := c.Call(h, "HOLD")
					switch {
					case i == 0 && (err != nil || !reflect.DeepEqual(got, lualike.Args{"a", int64(2)})),
						i == 1 && !(errors.Is(err, errOwn) && errors.Is(err, service.ErrCallFailed)),
						i == 2 && !errors.Is(err, service.ErrCallFailed),
						i == 3 && (err != nil || len(got) != 0):
						t.Errorf("%d: %v, %v", i, got, err)
					}
					left--
				})
			}
			until(c, func() bool {
				count, err := service.Call[int](c, h, "COUNT")
				return count == 4 || err != nil
			})
			if err := c.Send(h, "ANSWER"); err != nil {
				t.Error(err)
			}
			until(c, func() bool { return left == 0 })
		})
		receive(t, checked)
	})
}

func TestUnknownType(t *testing.T) { // B051
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		h := serve(t, n, "nothing", func(*service.Context) {})
		do(t, n, func(c *service.Context) {
			if _, err := c.Call(h, "X"); !errors.Is(err, service.ErrCallFailed) || !strings.HasSuffix(err.Error(), " type lua") {
				t.Errorf("no dispatch function: %v", err)
			}
			if _, err := c.RawCall(h, 100, "X"); !errors.Is(err, service.ErrCallFailed) || !strings.HasSuffix(err.Error(), " type 100") {
				t.Errorf("an unknown type: %v", err)
			}
			if n.logged("Unknown request") {
				t.Error("a call was logged")
			}
			for _, err := range []error{
				c.RawSend(h, service.PTypeLua, []byte("bytes")), c.RawSend(h, 100, "X"),
				c.Redirect(h, 0xa, service.PTypeClient, 7, "of a client"),
			} {
				if err != nil {
					t.Error(err)
				}
			}
			n.expectLog(t, fmt.Sprintf("Unknown session : 0 from %x\x1b[0m", uint32(c.Self())))
		})
		n.expectLog(t, fmt.Sprintf("[%s] Unknown request (lua): ", h))
		n.expectLog(t, "Unknown request (100): X\n")
		n.expectLog(t, "Unknown request (3): of a client\n")
		n.expectLog(t, "Unknown session : 7 from a\x1b[0m")
	})
}

func TestRawMessages(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		got := make(chan service.Message, 4)
		h := serve(t, n, "raw", func(c *service.Context) {
			c.Dispatch(service.PTypeText, func(c *service.Context, m service.Message) { t.Error("replaced") })
			c.Dispatch(service.PTypeText, func(c *service.Context, m service.Message) {
				if cm := c.Message(); cm != m {
					t.Errorf("Message: %+v", cm)
				}
				got <- m
				if _, err := c.RetRaw("raw " + m.Data.(string)); err != nil {
					t.Error(err)
				}
			})
			c.Dispatch(service.PTypeClient, func(_ *service.Context, m service.Message) { got <- m })
		})
		// forward passes requests on, so that h answers its caller itself.
		forward := serve(t, n, "forward", func(c *service.Context) {
			c.Dispatch(service.PTypeText, func(c *service.Context, m service.Message) {
				c.IgnoreRet()
				if err := c.Redirect(h, m.Source, m.Type, m.Session, m.Data); err != nil {
					t.Error(err)
				}
			})
		})
		do(t, n, func(c *service.Context) {
			for _, addr := range []service.Handle{h, forward} {
				v, err := c.RawCall(addr, service.PTypeText, "q")
				if err != nil || v != "raw q" {
					t.Errorf("RawCall: %v, %v", v, err)
				}
				if m := <-got; m.Source != c.Self() || m.Session == 0 || m.Type != service.PTypeText {
					t.Errorf("the request: %+v", m)
				}
			}
			if err := c.RawSend(h, service.PTypeText, "s"); err != nil {
				t.Error(err)
			}
			if m := <-got; m.Session != 0 || m.Data != "s" || m.Source != c.Self() {
				t.Errorf("the send: %+v", m)
			}
			if err := c.Redirect(h, 0x77, service.PTypeClient, 5, "packet"); err != nil {
				t.Error(err)
			}
			if m := <-got; m != (service.Message{Type: service.PTypeClient, Session: 5, Source: 0x77, Data: "packet"}) {
				t.Errorf("redirected: %+v", m)
			}
			if m := c.Message(); m.Type != service.PType(4) {
				t.Errorf("the message of Run: %+v", m)
			}
		})
	})
}

func TestRegisterProtocol(t *testing.T) { // B030
	n := newNode(t, true)
	h := serve(t, n, "protocols", func(c *service.Context) {
		answer := func(c *service.Context, m service.Message) { _, _ = c.RetRaw(m.Data) }
		if err := c.RegisterProtocol(service.Protocol{Name: "own", Type: 255, Dispatch: answer}); err != nil {
			t.Error(err)
		}
		for _, p := range []service.Protocol{
			{Name: "own", Type: 254, Dispatch: answer}, {Name: "other", Type: 255, Dispatch: answer},
			{Name: "lua", Type: 200, Dispatch: answer}, {Name: "mine", Type: service.PTypeLua, Dispatch: answer},
			{Name: "debug", Type: 200, Dispatch: answer}, {Name: "x", Type: 1, Dispatch: answer}, {Name: "x", Type: 7, Dispatch: answer},
			{Name: "none", Type: 200},
		} {
			if err := c.RegisterProtocol(p); !errors.Is(err, service.ErrMisuse) {
				t.Errorf("%s %d: %v", p.Name, p.Type, err)
			}
		}
	})
	do(t, n, func(c *service.Context) {
		if v, err := c.RawCall(h, 255, "v"); err != nil || v != "v" {
			t.Errorf("%v, %v", v, err)
		}
	})
}

func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, true)
		h := serve(t, n, "slow", func(c *service.Context) {
			c.Handle("SLEEP", service.F1(func(c *service.Context, seconds int) (string, error) {
				return "done", c.Sleep(time.Duration(seconds) * time.Second)
			}))
		})
		do(t, n, func(c *service.Context) {
			for _, tc := range []struct {
				with  *service.Context
				takes int
				want  time.Duration // 0: an answer
			}{
				{c, 9, 0},
				{c, 11, 10 * time.Second},
				{c.WithTimeout(3 * time.Second), 4, 3 * time.Second},
				{c.WithTimeout(3 * time.Second), 2, 0},
				{c.WithTimeout(service.Forever), 100_000, 0},
				{c.WithTimeout(1<<63 - 1), 100_000, 0},
				{c.WithTimeout(0), 1, 1},
				{c.WithTimeout(-5 * time.Second), 1, 1},
			} {
				began := c.Now()
				_, err := tc.with.Call(h, "SLEEP", tc.takes)
				took := c.Now() - began
				if tc.want == 0 && err != nil {
					t.Errorf("%ds: %v after %v", tc.takes, err, took)
				}
				if tc.want != 0 && (!errors.Is(err, service.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || took != tc.want) {
					t.Errorf("%ds: %v after %v, want a timeout after %v", tc.takes, err, took, tc.want)
				}
			}
			_, err := c.WithTimeout(3*time.Second).Call(h, "SLEEP", 9)
			if want := "call " + h.String() + " SLEEP: actor: call timed out after 3s, the callee has taken the request"; err == nil || err.Error() != want {
				t.Errorf("the text is %v, want %s", err, want)
			}
		})
	})
}

// TestDropsOfNames: only messages count as lost, for their sender too, by name as
// by handle.
func TestDropsOfNames(t *testing.T) {
	n := nodetest.Start(t)
	if got := n.Drops(); got != (actor.Drops{}) {
		t.Errorf("a fresh node: %+v", got)
	}
	n.Run(func(c *service.Context) error {
		for _, to := range []any{".nosuch", service.Handle(0xfff0)} {
			_ = c.Send(to, "X")
			_, _ = c.Call(to, "X")
			_ = c.Redirect(to, c.Self(), service.PTypeLua, 0, nil)
			for range c.Select(service.Req(to, "X")) {
				continue
			}
		}
		if _, err := service.Watch(c, ".nosuch", nil); err == nil {
			t.Error("nobody is watched")
		}
		if c.Kill(".nosuch") == nil || c.LogOff(".nosuch") == nil {
			t.Error("no error")
		}
		if got := c.Stat().Drops; got != (actor.Drops{NoService: 8}) || n.Drops() != got {
			t.Errorf("the service %+v, the node %+v", got, n.Drops())
		}
		return nil
	})
}

// TestRawAnswersAreRefused: a message that is an answer has nobody who waits.
func TestRawAnswersAreRefused(t *testing.T) {
	n := newNode(t, false)
	do(t, n, func(c *service.Context) {
		for _, ptype := range []service.PType{actor.PTypeResponse, actor.PTypeError} {
			if _, err := c.RawCall(c.Self(), ptype, nil); !errors.Is(err, service.ErrMisuse) {
				t.Errorf("a call of type %d: %v", ptype, err)
			}
			if err := c.RawSend(c.Self(), ptype, nil); !errors.Is(err, service.ErrMisuse) {
				t.Errorf("a send of type %d: %v", ptype, err)
			}
		}
	})
}
