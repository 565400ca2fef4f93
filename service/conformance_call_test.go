package service_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// callee answers in every way there is.
var callee = def("callee", func(c *service.Context) {
	var held []*service.Response
	c.Handle("ECHO", service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) { return args, nil }))
	c.Handle("SESSION", service.F0(func(c *service.Context) (service.Session, error) { return c.Message().Session, nil }))
	c.Handle("FAIL", service.P0(func(*service.Context) error { return errOwn }))
	c.Handle("PANIC", service.P0(func(*service.Context) error { panic("the text") }))
	c.Handle("HOLD", service.P0(func(c *service.Context) error { held = append(held, c.Response()); return nil }))
	c.Handle("WAIT", service.P0(func(c *service.Context) error { return c.Wait("token") }))
	c.Handle("PENDING", service.F0(func(*service.Context) (bool, error) { return held[0].Pending(), nil }))
	c.Handle("ANSWER", service.F0(func(*service.Context) (bool, error) {
		r := held[0]
		held = held[1:]
		return r.Ret("late")
	}))
	c.Handle("EXIT", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
	c.Handle("RETEXIT", service.P0(func(c *service.Context) error {
		_, _ = c.Ret("last")
		c.Exit()
		return nil
	}))
	c.Dispatch(100, func(*service.Context, service.Message) {})
})

// withCallee runs f with a callee.
func withCallee(t *testing.T, f func(n *nodetest.Node, c *service.Context, h service.Handle)) {
	t.Helper()
	onNode(t, func(n *nodetest.Node, c *service.Context) { f(n, c, launched(t, c, "callee")) }, callee)
}

func TestB030RegisterProtocol(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		f := func(*service.Context, service.Message) {}
		want(t, "the first", c.RegisterProtocol(service.Protocol{Name: "mine", Type: 100, Dispatch: f}), nil)
		for _, p := range []service.Protocol{
			{Name: "mine", Type: 101, Dispatch: f}, {Name: "other", Type: 100, Dispatch: f},
			{Name: "lua", Type: 102, Dispatch: f}, {Name: "x", Type: service.PTypeLua, Dispatch: f},
		} {
			wantErr(t, fmt.Sprint(p.Name, p.Type), c.RegisterProtocol(p), service.ErrMisuse, "is in use")
		}
	})
}

func TestB040Sessions(t *testing.T) {
	var sessions []service.Session
	counts := service.Def("counts", func(c *service.Context, args ...any) error {
		for i := range 3 {
			s, err := service.Call[service.Session](c, args[0], "SESSION")
			if err != nil {
				return err
			}
			sessions = append(sessions, s)
			if i == 0 {
				_ = c.Yield() // takes a number too
			}
		}
		return nil
	})
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		launched(t, c, "counts", launched(t, c, "callee"))
		want(t, "sessions", sessions, "[2 4 5]")
	}, counts, callee)
}

func TestB041Send(t *testing.T) {
	withCallee(t, func(_ *nodetest.Node, c *service.Context, h service.Handle) {
		want(t, "to the living", c.Send(h, "ECHO"), nil)
		wantErr(t, "to the dead", c.Send(0xfff0, "ECHO"), service.ErrNoService, "send :0000fff0 ECHO")
		wantErr(t, "to an unknown name", c.Send(".nosuch", "ECHO"), service.ErrNoService, "send .nosuch ECHO")
	})
}

func TestB042CallToNobody(t *testing.T) {
	withCallee(t, func(_ *nodetest.Node, c *service.Context, h service.Handle) {
		c = c.WithTimeout(service.Forever)
		for _, tt := range []struct {
			addr any
			is   error
			text string
		}{
			{0xfff0, service.ErrNoService, ":0000fff0"},
			{".nosuch", service.ErrNoService, ".nosuch"},
			{0, service.ErrMisuse, "Invalid service address 0"},
			{nil, service.ErrMisuse, "dest address type (<nil>) must be"},
		} {
			_, err := c.Call(tt.addr, "ECHO")
			wantErr(t, fmt.Sprint(tt.addr), err, tt.is, tt.text)
		}
	})
}

// failureLine is the line of a failed handler, up to the text.
func failureLine(c *service.Context, h service.Handle, session int, text string) string {
	return fmt.Sprintf("[%s] lua call [%x to :%x : %d msgsz = 0] error : \x1b[31m%s", h, uint32(c.Self()), uint32(h), session, text)
}

func TestB043ErrorInAHandler(t *testing.T) {
	withCallee(t, func(n *nodetest.Node, c *service.Context, h service.Handle) {
		before, _ := service.Call[int](c, h, "SESSION")
		for i, tt := range []struct{ cmd, text, end string }{{"FAIL", errOwn.Error(), errOwn.Error() + "\x1b[0m"}, {"PANIC", "the text\ngoroutine ", "\x1b[0m"}} {
			_, err := c.Call(h, tt.cmd)
			wantErr(t, tt.cmd, err, service.ErrCallFailed, "call "+h.String()+" "+tt.cmd)
			if line := n.Log.Wait(t, failureLine(c, h, before+1+i, tt.text)); !strings.HasSuffix(line, tt.end) {
				t.Errorf("%s: the line is %q", tt.cmd, line)
			}
		}
		_, err := c.Call(h, "ECHO")
		want(t, "the service goes on", err, nil)
	})
}

func TestB044ErrorInTheHandlerOfASend(t *testing.T) {
	withCallee(t, func(n *nodetest.Node, c *service.Context, h service.Handle) {
		want(t, "send", c.Send(h, "FAIL"), nil)
		n.Log.Wait(t, failureLine(c, h, 0, errOwn.Error()))
	})
}

func TestB045NoAnswer(t *testing.T) {
	withCallee(t, func(n *nodetest.Node, c *service.Context, h service.Handle) {
		before, _ := service.Call[int](c, h, "SESSION")
		_, err := c.RawCall(h, 100, "x")
		wantErr(t, "the caller", err, service.ErrCallFailed, "gave no answer")
		n.Log.Wait(t, fmt.Sprintf("[%s] Maybe forgot response session %d from %s : callee", h, before+1, c.Self()))
	})
}

func TestB046SecondRet(t *testing.T) {
	twice := def("twice", func(c *service.Context) {
		c.Handle("TWICE", service.P0(func(c *service.Context) error {
			_, _ = c.Ret("first")
			_, err := c.Ret("second")
			return err
		}))
	})
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		h := launched(t, c, "twice")
		got, err := c.Call(h, "TWICE")
		want(t, "the caller", fmt.Sprint(got, err), "[first] <nil>")
		if line := n.Log.Wait(t, "lua call ["); !strings.Contains(line, "No session") {
			t.Errorf("the line is %q", line)
		}
	}, twice)
}

func TestB047RetOutsideOfAHandler(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		done := false
		c.Fork(func(c *service.Context) {
			_, err := c.Ret(1)
			wantErr(t, "ret", err, service.ErrMisuse, "No session")
			_, err = c.Response().Ret(1)
			wantErr(t, "response", err, service.ErrMisuse, "no session")
			done = true
		})
		until(c, func() bool { return done })
	})
}

func TestB048RetOfNothing(t *testing.T) {
	reached := make(chan bool, 2)
	rets := def("rets", func(c *service.Context) {
		c.Handle("RET", service.P0(func(c *service.Context) error {
			ok, err := c.Ret()
			reached <- ok
			return err
		}))
	})
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		h := launched(t, c, "rets")
		got, err := c.Call(h, "RET")
		want(t, "a call", fmt.Sprint(len(got), err, receive(t, reached)), "0 <nil> true")
		_ = c.Send(h, "RET")
		_, _ = c.Call(h, "RET")
		want(t, "a send", receive(t, reached), false)
	}, rets)
}

func TestB049Response(t *testing.T) {
	withCallee(t, func(_ *nodetest.Node, c *service.Context, h service.Handle) {
		handled := 0
		c.Handle("LATER", service.P0(func(c *service.Context) error {
			r := c.Response()
			want(t, "pending", r.Pending(), true)
			c.Fork(func(*service.Context) {
				ok, err := r.Ret(1, nil, "x")
				want(t, "the answer", fmt.Sprint(ok, err), "true <nil>")
				want(t, "pending afterwards", r.Pending(), false)
				_, err = r.Ret(2)
				wantErr(t, "a second answer", err, service.ErrMisuse, "Can't response more than once")
				handled++
			})
			return nil
		}))
		c.Handle("REFUSE", service.P0(func(c *service.Context) error {
			ok, err := c.Response().Fail(nil)
			want(t, "the refusal", fmt.Sprint(ok, err), "true <nil>")
			return nil
		}))
		got, err := c.Call(c.Self(), "LATER")
		want(t, "the caller", fmt.Sprint(got, err), "[1 <nil> x] <nil>")
		_, err = c.Call(c.Self(), "REFUSE")
		wantErr(t, "refused", err, service.ErrCallFailed, "")
		want(t, "handled", handled, 1)
	})
}

func TestB050CallerThatIsGone(t *testing.T) {
	for how, pending := range map[string]bool{"exit": false, "exit in select": false, "kill": true} {
		t.Run(how, func(t *testing.T) {
			caller := service.Def("caller", func(c *service.Context, args ...any) error {
				c.Fork(func(c *service.Context) {
					if how == "exit in select" {
						for range c.Select(service.Req(args[0], "HOLD")) {
							continue
						}
					}
					_, _ = c.Call(args[0], "HOLD")
				})
				c.Handle("EXIT", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
				return nil
			})
			onNode(t, func(n *nodetest.Node, c *service.Context) {
				h := launched(t, c, "callee")
				gone := n.Find(launched(t, c, "caller", h))
				until(c, func() bool { return n.Find(h).Stat().Requests > 0 })
				if !pending {
					_ = c.Send(gone.Handle(), "EXIT")
				} else {
					_ = c.Kill(gone.Handle())
				}
				until(c, func() bool { return n.Find(gone.Handle()) == nil })
				receive(t, gone.Done())
				got, err := service.Call[bool](c, h, "PENDING")
				want(t, "pending", fmt.Sprint(got, err), fmt.Sprint(pending, " <nil>"))
				got, err = service.Call[bool](c, h, "ANSWER")
				want(t, "the answer", fmt.Sprint(got, err), "false <nil>")
			}, caller, callee)
		})
	}
}

func TestB051UnknownTypes(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		h := launched(t, c, "empty")
		for _, tt := range []struct {
			t    service.PType
			name string
		}{{service.PTypeLua, "lua"}, {200, "200"}} {
			_, err := c.RawCall(h, tt.t, "bytes")
			wantErr(t, "a call", err, service.ErrCallFailed, "")
			want(t, "a send", c.RawSend(h, tt.t, "bytes"), nil)
			n.Log.Wait(t, fmt.Sprintf("[%s] Unknown request (%s): bytes", h, tt.name))
			n.Log.Wait(t, fmt.Sprintf("Unknown session : 0 from %x", uint32(c.Self())))
		}
	}, def("empty", func(*service.Context) {}))
}

// TestB052UnknownTypeName: a type is a number here; that nobody knows the number
// is the callee's to say.
func TestB052UnknownTypeName(t *testing.T) {
	withCallee(t, func(_ *nodetest.Node, c *service.Context, h service.Handle) {
		_, err := c.RawCall(h, 222, "x")
		wantErr(t, "a call", err, service.ErrCallFailed, "type 222")
	})
}

func TestB053CallToOneself(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		c.Handle("SELF", service.F0(func(c *service.Context) (string, error) { return "self", c.Yield() }))
		got, err := service.Call[string](c, c.Self(), "SELF")
		want(t, "result", fmt.Sprint(got, " ", err), "self <nil>")
		others := 0
		for range 2 {
			c.Fork(func(*service.Context) { others++ })
		}
		_, _ = c.Call(c.Self(), "SELF")
		want(t, "others ran", others, 2)
	})
}

func TestB054Order(t *testing.T) {
	var got []int
	list := def("list", func(c *service.Context) {
		c.Handle("ADD", service.P1(func(_ *service.Context, i int) error { got = append(got, i); return nil }))
	})
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		h := launched(t, c, "list")
		for i := range 1000 {
			_ = c.Send(h, "ADD", i)
		}
		_, _ = c.Call(h, "ADD", 1000)
		for i, v := range got {
			if v != i {
				t.Errorf("%d came as number %d", v, i)
				break
			}
		}
		want(t, "messages", len(got), 1001)
	}, list)
}

// waitUntilIn waits until h is in a handler or holds a request.
func waitUntilIn(c *service.Context, h service.Handle) {
	until(c, func() bool { return c.Node().Find(h).Stat().Requests > 0 })
}

func TestB060Exit(t *testing.T) {
	wrong := make(chan string, 10)
	leaver := service.Def("leaver", func(c *service.Context, _ ...any) error {
		c.Handle("LEAVE", service.P0(func(c *service.Context) error {
			c.Fork(func(*service.Context) { wrong <- "fork" })
			c.Timeout(0, func(*service.Context) { wrong <- "timer" })
			c.Exit()
			wrong <- "after"
			return nil
		}))
		return nil
	})
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		h := launched(t, c, "leaver")
		s := n.Find(h)
		_ = c.Send(h, "LEAVE")
		n.Log.Wait(t, fmt.Sprintf("[%s] KILL self", h))
		receive(t, s.Done())
		want(t, "what ran", len(wrong), 0)
	}, leaver)
}

func TestB061CallersOfOneThatExits(t *testing.T) {
	withCallee(t, func(_ *nodetest.Node, c *service.Context, h service.Handle) {
		var failed []string
		for _, cmd := range []string{"WAIT", "HOLD"} {
			c.Fork(func(c *service.Context) {
				_, err := c.Call(h, cmd)
				wantErr(t, cmd, err, service.ErrExited, h.String())
				failed = append(failed, cmd)
			})
		}
		_ = c.Yield()
		_, err := c.Call(h, "EXIT")
		wantErr(t, "EXIT", err, service.ErrExited, h.String())
		until(c, func() bool { return len(failed) == 2 })
		got, err := c.Call(launched(t, c, "callee"), "RETEXIT")
		want(t, "an answer before the exit", fmt.Sprint(got, err), "[last] <nil>")
	})
}

func TestB062MailboxOfTheDead(t *testing.T) {
	gate := make(chan struct{})
	stuck := def("stuck", func(c *service.Context) {
		c.Handle("EXIT", service.P0(func(c *service.Context) error { <-gate; c.Exit(); return nil }))
	})
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		h := launched(t, c, "stuck")
		_ = c.Send(h, "EXIT")
		waitUntilIn(c, h)
		failed := 0
		for range 3 {
			c.Fork(func(c *service.Context) {
				_, err := c.Call(h, "EXIT")
				wantErr(t, "in the mailbox", err, service.ErrExited, h.String())
				failed++
			})
		}
		_ = c.Yield()
		close(gate)
		until(c, func() bool { return failed == 3 })
	}, stuck)
}

func TestB063Kill(t *testing.T) {
	withCallee(t, func(n *nodetest.Node, c *service.Context, h service.Handle) {
		var got error
		c.Fork(func(c *service.Context) { _, got = c.Call(h, "WAIT") })
		waitUntilIn(c, h)
		want(t, "kill", c.Kill(h), nil)
		until(c, func() bool { return got != nil })
		wantErr(t, "whose request was in hand", got, service.ErrExited, "was killed")
		n.Log.Wait(t, fmt.Sprintf("[%s] KILL :%x", c.Self(), uint32(h)))
		wantErr(t, "nobody", c.Kill(0xfff0), service.ErrNoService, "kill")
		n.Log.Wait(t, fmt.Sprintf("[%s] KILL :fff0", c.Self()))
	})
}

func TestB064Term(t *testing.T) {
	withCallee(t, func(_ *nodetest.Node, c *service.Context, h service.Handle) {
		var got error
		c.Fork(func(c *service.Context) { _, got = c.Call(h, "WAIT") })
		waitUntilIn(c, h)
		_, err := service.Debug(c, c.Self(), "TERM", h)
		want(t, "TERM", err, nil)
		until(c, func() bool { return got != nil })
		wantErr(t, "the call", got, service.ErrExited, h.String())
	})
}

func TestB065KillAddresses(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		for i, addr := range []func(h service.Handle) any{
			func(h service.Handle) any { return h },
			func(h service.Handle) any { return fmt.Sprintf(":%x", uint32(h)) },
			func(h service.Handle) any { _ = c.Name(".victim", h); return ".victim" },
		} {
			s := n.Find(launched(t, c, "fine"))
			want(t, fmt.Sprint("form ", i), c.Kill(addr(s.Handle())), nil)
			receive(t, s.Done())
		}
		for _, addr := range []string{"nosuch", ".nosuch"} {
			wantErr(t, addr, c.Kill(addr), service.ErrNoService, addr)
		}
		n.Log.Wait(t, fmt.Sprintf("[%s] error: Can't convert nosuch to handle", c.Self()))
		want(t, "lines of .nosuch", n.Log.Count("convert .nosuch"), 0)
	})
}

func TestB066Abort(t *testing.T) {
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		select {
		case <-n.Aborted():
			return errors.New("aborted without being told")
		default:
		}
		c.Abort()
		c.Abort()
		return nil
	})
	receive(t, n.Aborted())
	// The end of a start service is not the end of the node.
	leaves := service.Def("leaves", func(c *service.Context, _ ...any) error { c.Exit(); return nil })
	n = nodetest.Start(t, nodetest.Services(leaves), nodetest.Env("start", "leaves"))
	n.Run(func(c *service.Context) error { return c.Sleep(time.Millisecond) })
}
