package launcher_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/launcher"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// def is a service whose start function is f.
func def(name string, f func(c *service.Context, args []any) error) *service.Definition {
	return service.Def(name, func(c *service.Context, args ...any) error { return f(c, args) })
}

func list(c *service.Context) (map[string]string, error) {
	t, err := service.Call[*lualike.Table](c, launcher.Name, "LIST")
	if err != nil {
		return nil, err
	}
	return lualike.As[map[string]string](t)
}

func TestNewServiceReturnsOnceTheStartFunctionHas(t *testing.T) {
	started := make(chan struct{})
	n := nodetest.Start(t, nodetest.Isolate(false), nodetest.Services(def("slow", func(c *service.Context, _ []any) error {
		if err := c.Sleep(1e6); err != nil {
			return err
		}
		close(started)
		return nil
	})))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("slow", "a", 1, nil, []int{1})
		if err != nil {
			return err
		}
		select {
		case <-started:
		default:
			return errors.New("NewService returned before the start function")
		}
		n.Log.Wait(t, fmt.Sprintf("[%s] LAUNCH snlua slow a 1 <nil> []int", h))
		all, err := list(c)
		if err != nil {
			return err
		}
		if got := all[h.String()]; got != "snlua slow a 1 <nil> []int" {
			return fmt.Errorf("LIST shows %q in %v", got, all)
		}
		return nil
	})
}

func TestLaunchLineOfServiceWithoutArguments(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(def("plain", func(*service.Context, []any) error { return nil })))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("plain")
		if err != nil {
			return err
		}
		want := fmt.Sprintf("[%s] LAUNCH snlua plain", h)
		if line := n.Log.Wait(t, "snlua plain"); line != want {
			return fmt.Errorf("got %q, want %q", line, want)
		}
		return nil
	})
}

func TestArgumentsGoByReference(t *testing.T) {
	type thing struct{ n int }
	var got []any
	keep := def("keep", func(_ *service.Context, args []any) error {
		got = args
		if len(args) > 0 {
			if x, ok := args[0].(*thing); ok {
				x.n++ // its owner now; the launcher must not look at it
			}
		}
		return nil
	})
	n := nodetest.Start(t, nodetest.Isolate(false), nodetest.Services(keep))
	n.Run(func(c *service.Context) error {
		x := &thing{1}
		if _, err := c.NewService("keep", x, 2, nil, "two words", ""); err != nil {
			return err
		}
		if len(got) != 5 || got[0] != any(x) || got[1] != 2 || got[2] != nil || got[3] != "two words" || got[4] != "" {
			return fmt.Errorf("the service got %v", got)
		}
		if x.n != 2 {
			return errors.New("the service got a copy")
		}
		return nil
	})
}

func TestArgumentsAreCopiedUnderIsolate(t *testing.T) {
	var got []any
	keep := def("keep", func(_ *service.Context, args []any) error { got = args; return nil })
	n := nodetest.Start(t, nodetest.Services(keep), nodetest.Env("isolate", "true"))
	n.Run(func(c *service.Context) error {
		mine := lualike.Array("a")
		if _, err := c.NewService("keep", mine); err != nil {
			return err
		}
		if len(got) != 1 || got[0] == any(mine) || fmt.Sprint(got[0]) != fmt.Sprint(mine) {
			return fmt.Errorf("the service got %v, the table sent: %t", got, got[0] == any(mine))
		}
		if _, err := c.NewService("keep", func() {}); err == nil || !strings.Contains(err.Error(), "func") {
			return fmt.Errorf("a function as argument: %v", err)
		}
		return nil
	})
}

// errStart is what failing start functions return.
var errStart = errors.New("no luck")

func TestFailedStarts(t *testing.T) {
	fail := []*service.Definition{
		def("error", func(*service.Context, []any) error { return fmt.Errorf("wrapped: %w", errStart) }),
		def("late", func(c *service.Context, _ []any) error {
			if err := c.Sleep(1e6); err != nil {
				return err
			}
			return errStart
		}),
		def("panic", func(*service.Context, []any) error { panic("ouch") }),
		def("killed", func(c *service.Context, _ []any) error {
			if err := c.Kill(c.Self()); err != nil {
				return err
			}
			return c.Sleep(1)
		}),
	}
	for name, test := range map[string]struct {
		is   error
		text string
		log  string
	}{
		"error":   {errStart, "wrapped: no luck", "init service failed: wrapped: no luck"},
		"late":    {errStart, "no luck", "init service failed: no luck"},
		"panic":   {service.ErrCallFailed, "panic: ouch", "init service failed: panic: ouch\n"},
		"killed":  {service.ErrExited, "killed during its start", "KILL :"},
		"unknown": {service.ErrNoDefinition, "no such definition: unknown", ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := nodetest.Start(t, nodetest.Services(fail...))
			n.Run(func(c *service.Context) error {
				before, err := list(c)
				if err != nil {
					return err
				}
				h, err := c.NewService(name)
				if h != 0 || !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.text) {
					return fmt.Errorf("got %s, %v", h, err)
				}
				if strings.Contains(err.Error(), "\n") {
					return fmt.Errorf("the error has several lines: %v", err)
				}
				after, err := list(c)
				if err != nil {
					return err
				}
				if len(after) != len(before) {
					return fmt.Errorf("LIST keeps it: %v", after)
				}
				return nil
			})
			if test.log != "" {
				n.Log.Wait(t, test.log)
			}
			for _, s := range n.Services() {
				if s.Name() == name {
					<-s.Done()
				}
			}
		})
	}
}

func TestFailedStartEndsWithKillSelf(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(def("bad", func(*service.Context, []any) error { return errStart })))
	n.Run(func(c *service.Context) error {
		_, err := c.NewService("bad")
		if err == nil {
			return errors.New("no error")
		}
		return nil
	})
	h, _, _ := strings.Cut(n.Log.Wait(t, "LAUNCH snlua bad"), " ")
	n.Log.Wait(t, h+" init service failed: no luck")
	n.Log.Wait(t, h+" KILL self")
}

func TestExitInStartIsNoError(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(def("brief", func(c *service.Context, _ []any) error {
		c.Exit()
		return errors.New("went on after Exit")
	})))
	n.Run(func(c *service.Context) error {
		vals, err := c.Call(launcher.Name, "LAUNCH", "snlua", "brief")
		if err != nil || len(vals) != 0 {
			return fmt.Errorf("LAUNCH: %v, %v", vals, err)
		}
		if h, err := c.NewService("brief"); h != 0 || err != nil {
			return fmt.Errorf("NewService: %s, %v", h, err)
		}
		return nil
	})
}

// stuck is a service that says its handle and stays in its start until told.
func stuck(self chan<- service.Handle) *service.Definition {
	return def("stuck", func(c *service.Context, _ []any) error {
		c.Handle("GO", service.P0(func(c *service.Context) error { c.Wakeup("go"); return nil }))
		self <- c.Self()
		return c.Wait("go")
	})
}

func TestKilledDuringStart(t *testing.T) {
	for name, kill := range map[string]func(*service.Context, service.Handle) error{
		"by Kill":     func(c *service.Context, h service.Handle) error { return c.Kill(h) },
		"by the node": func(c *service.Context, h service.Handle) error { return c.Node().Kill(c.Self(), h) },
		"by KILL": func(c *service.Context, h service.Handle) error {
			killed, err := service.Call[map[string]string](c, launcher.Name, "KILL", h)
			if err == nil && killed[h.String()] != "snlua stuck" {
				err = fmt.Errorf("KILL answered %v", killed)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			self := make(chan service.Handle, 1)
			n := nodetest.Start(t, nodetest.Services(stuck(self)))
			n.Run(func(c *service.Context) error {
				failed := make(chan error, 1)
				c.Fork(func(c *service.Context) {
					_, err := c.WithTimeout(service.Forever).NewService("stuck")
					failed <- err
				})
				h, err := service.Await(c, func(context.Context) (service.Handle, error) { return <-self, nil })
				if err != nil {
					return err
				}
				if err := kill(c, h); err != nil {
					return err
				}
				err, awaitErr := service.Await(c, func(context.Context) (error, error) { return <-failed, nil })
				if awaitErr != nil {
					return awaitErr
				}
				if !errors.Is(err, service.ErrExited) {
					return fmt.Errorf("NewService: %v", err)
				}
				return nil
			})
		})
	}
}

func TestStartGoesOnWhenItsCallerHasTimedOut(t *testing.T) {
	self := make(chan service.Handle, 1)
	n := nodetest.Start(t, nodetest.Services(stuck(self)))
	n.Run(func(c *service.Context) error {
		if _, err := c.WithTimeout(1).NewService("stuck"); !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("NewService: %v", err)
		}
		h, err := service.Await(c, func(context.Context) (service.Handle, error) { return <-self, nil })
		if err != nil {
			return err
		}
		if _, err := c.Call(h, "GO"); err != nil {
			return fmt.Errorf("the service does not live: %w", err)
		}
		all, err := list(c)
		if err == nil && all[h.String()] != "snlua stuck" {
			err = fmt.Errorf("LIST: %v", all)
		}
		return err
	})
}

func TestServiceThatEndsLeavesTheList(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(def("leaver", func(c *service.Context, _ []any) error {
		c.Handle("LEAVE", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
		return nil
	})))
	n.Run(func(c *service.Context) error {
		for _, end := range []func(h service.Handle) error{
			func(h service.Handle) error { return c.Send(h, "LEAVE") },
			func(h service.Handle) error { return c.Kill(h) },
			func(h service.Handle) error { _, err := c.Call(launcher.Name, "KILL", h); return err },
		} {
			h, err := c.NewService("leaver")
			if err != nil {
				return err
			}
			svc := n.Find(h)
			if err := end(h); err != nil {
				return err
			}
			if _, err := service.Await(c, func(context.Context) (any, error) { <-svc.Done(); return nil, nil }); err != nil {
				return err
			}
			all, err := list(c)
			if err != nil {
				return err
			}
			if _, ok := all[h.String()]; ok {
				return fmt.Errorf("LIST has the dead %s: %v", h, all)
			}
		}
		return nil
	})
}

func TestKillOfNobody(t *testing.T) {
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		killed, err := service.Call[map[string]string](c, launcher.Name, "KILL", service.Handle(0xfff0))
		if err != nil || len(killed) != 1 || killed[":0000fff0"] != "nil" {
			return fmt.Errorf("got %v, %v", killed, err)
		}
		return nil
	})
	n.Log.Wait(t, "KILL :fff0")
}

func TestUnknownCommand(t *testing.T) {
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		vals, err := c.Call(launcher.Name, "NOSUCH", 1)
		if err != nil || len(vals) != 1 || fmt.Sprint(vals[0]) != fmt.Sprint(lualike.Array("Unknown command")) {
			return fmt.Errorf("got %v, %v", vals, err)
		}
		return nil
	})
}

func TestWrongLaunches(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(def("plain", func(*service.Context, []any) error { return nil })))
	n.Run(func(c *service.Context) error {
		for _, args := range [][]any{{}, {"snlua"}, {"gate", "x"}, {"snlua", 7}, {7, "plain"}} {
			if vals, err := c.Call(launcher.Name, append([]any{"LAUNCH"}, args...)...); err == nil || strings.Contains(err.Error(), "panic") {
				return fmt.Errorf("LAUNCH %v: %v, %v", args, vals, err)
			}
		}
		return nil
	})
}

// Another node asks in bytes and gets bytes.
func TestLaunchInPackedForm(t *testing.T) {
	var got []any
	keep := def("keep", func(_ *service.Context, args []any) error { got = args; return nil })
	n := nodetest.Start(t, nodetest.Services(keep))
	n.Run(func(c *service.Context) error {
		ask := func(args ...any) (lualike.Args, error) {
			b, err := lualike.Pack(args...)
			if err != nil {
				return nil, err
			}
			answer, err := c.RawCall(launcher.Name, service.PTypeLua, b)
			if err != nil {
				return nil, err
			}
			if b, err = service.Pack(answer); err != nil {
				return nil, err
			}
			return lualike.Unpack(b)
		}
		vals, err := ask("LAUNCH", "snlua", "keep", "a", 2)
		if err != nil || len(vals) != 1 {
			return fmt.Errorf("LAUNCH: %v, %v", vals, err)
		}
		h, err := lualike.As[service.Handle](vals[0])
		if err != nil || n.Find(h) == nil || len(got) != 2 || got[0] != "a" || got[1] != int64(2) {
			return fmt.Errorf("LAUNCH answered %v (%v), the service got %v", vals, err, got)
		}
		vals, err = ask("LIST")
		if err != nil || len(vals) != 1 {
			return fmt.Errorf("LIST: %v, %v", vals, err)
		}
		all, err := lualike.As[map[string]string](vals[0])
		if err != nil || all[h.String()] != "snlua keep a 2" {
			return fmt.Errorf("LIST: %v, %v", all, err)
		}
		return nil
	})
}
