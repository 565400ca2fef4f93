package service_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// starts are definitions whose start functions end in every way there is.
func starts() []*service.Definition {
	return []*service.Definition{
		service.Def("fine", func(c *service.Context, args ...any) error {
			c.Handle("ARGS", service.Values(func(*service.Context, []any) ([]any, error) { return args, nil }))
			c.Handle("EXIT", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
			return nil
		}),
		service.Def("fails", func(*service.Context, ...any) error { return errOwn }),
		service.Def("fails later", func(c *service.Context, _ ...any) error {
			_ = c.Yield()
			return errOwn
		}),
		service.Def("panics", func(*service.Context, ...any) error { panic("in the start") }),
		service.Def("goexits", func(*service.Context, ...any) error { runtime.Goexit(); return nil }),
		service.Def("exits", func(c *service.Context, _ ...any) error { c.Exit(); return nil }),
		service.Def("killed", func(c *service.Context, _ ...any) error {
			c.Fork(func(c *service.Context) { _ = c.Kill(c.Self()) })
			return c.Wait()
		}),
	}
}

func TestStarts(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate, starts()...)
		for _, tc := range []struct {
			name string
			ok   func(h service.Handle, err error) bool
			log  string
		}{
			{"fine", func(h service.Handle, err error) bool { return h != 0 && err == nil }, "LAUNCH snlua fine\n"},
			{"fails", func(h service.Handle, err error) bool { return h == 0 && errors.Is(err, errOwn) }, "init service failed: " + errOwn.Error()},
			{"fails later", func(h service.Handle, err error) bool { return h == 0 && errors.Is(err, errOwn) }, "KILL self"},
			{"panics", func(h service.Handle, err error) bool { return h == 0 && err != nil }, "init service failed: panic: in the start\n"},
			{"goexits", func(h service.Handle, err error) bool { return h == 0 && err != nil }, "init service failed: service: the goroutine"},
			{"exits", func(h service.Handle, err error) bool { return h == 0 && err == nil }, "LAUNCH snlua exits\n"}, // B006
			{"killed", func(h service.Handle, err error) bool { return h == 0 && errors.Is(err, service.ErrExited) }, "KILL :"},
			{"nosuch", func(h service.Handle, err error) bool { return h == 0 && errors.Is(err, service.ErrNoDefinition) }, ""},
		} {
			t.Run(tc.name, func(t *testing.T) {
				if h, err := service.Start(context.Background(), n.Node, tc.name); !tc.ok(h, err) {
					t.Errorf("Start: %s, %v", h, err)
				}
				do(t, n, func(c *service.Context) {
					if h, err := c.NewService(tc.name); !tc.ok(h, err) {
						t.Errorf("NewService: %s, %v", h, err)
					}
				})
				if tc.log != "" {
					n.expectLog(t, tc.log)
				}
			})
		}
		eventually(t, func() bool { return len(n.Services()) == 5 }, "launcher, service_mgr, run and the two that started")
	})
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	entered := make(chan struct{})
	n := newNode(t, false, service.Def("slow", func(c *service.Context, _ ...any) error {
		close(entered)
		return c.Wait()
	}))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() {
		_, err := service.Start(ctx, n.Node, "slow")
		result <- err
	}()
	receive(t, entered)
	cancel()
	if err := receive(t, result); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestLaunchArgumentsAndLine(t *testing.T) { // B001 but for the words, B009
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate, starts()...)
		do(t, n, func(c *service.Context) {
			h, err := c.NewService("fine", "two", 3, 1.5, true, nil, point{1, 2})
			if err != nil {
				t.Error(err)
				return
			}
			got, err := c.Call(h, "ARGS")
			if err != nil || len(got) != 6 || fmt.Sprint(got[:5]) != "[two 3 1.5 true <nil>]" {
				t.Errorf("%v, %v", got, err)
			}
			n.expectLog(t, fmt.Sprintf("[%s] LAUNCH snlua fine two 3 1.5 true ", h))
			if _, err := c.Launch("nosuch"); !errors.Is(err, service.ErrNoDefinition) {
				t.Errorf("Launch: %v", err)
			}
			if h, err := c.Launch("fine"); err != nil || c.Node().Find(h) == nil {
				t.Errorf("Launch: %s, %v", h, err)
			}
		})
	})
}

func TestUniqueService(t *testing.T) { // B010 to B013
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate, starts()...)
		do(t, n, func(c *service.Context) {
			var handles []service.Handle
			var queried service.Handle
			c.Fork(func(c *service.Context) {
				h, err := c.QueryService("fine")
				if err != nil {
					t.Error(err)
				}
				queried = h
			})
			for i := range 3 {
				c.Fork(func(c *service.Context) {
					h, err := c.UniqueService("fine", i)
					if err != nil {
						t.Error(err)
					}
					handles = append(handles, h)
				})
			}
			until(c, func() bool { return len(handles) == 3 && queried != 0 })
			if handles[0] == 0 || handles[0] != handles[1] || handles[1] != handles[2] || queried != handles[0] {
				t.Errorf("handles %v, %v", handles, queried)
			}
			if args, err := c.Call(handles[0], "ARGS"); err != nil || fmt.Sprint(args) != "[0]" {
				t.Errorf("arguments %v, %v", args, err)
			}
			for range 2 {
				if _, err := c.UniqueService("fails"); !errors.Is(err, errOwn) {
					t.Errorf("a failed start: %v", err)
				}
			}
			ended := c.Node().Find(handles[0]).Done()
			if _, err := c.Call(handles[0], "EXIT"); !errors.Is(err, service.ErrExited) {
				t.Error(err)
			}
			<-ended // the one that made it exit hears of that before it is over
			if h, err := c.UniqueService("fine"); err != nil || h != handles[0] {
				t.Errorf("after its exit: %s, %v", h, err)
			}
			if _, err := c.Call(handles[0], "ARGS"); !errors.Is(err, service.ErrNoService) {
				t.Errorf("a call to it: %v", err)
			}
		})
	})
}

func TestKillAndExit(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate, starts()...)
		do(t, n, func(c *service.Context) {
			h, err := c.NewService("fine")
			if err != nil {
				t.Error(err)
				return
			}
			ended := c.Node().Find(h).Done()
			if _, err := c.Call(h, "EXIT"); !errors.Is(err, service.ErrExited) {
				t.Errorf("the caller of the handler that exits: %v", err)
			}
			<-ended
			n.expectLog(t, fmt.Sprintf("[%s] KILL self\n", h))
			if err := c.Kill(h); !errors.Is(err, service.ErrNoService) {
				t.Errorf("kill of the dead: %v", err)
			}
			n.expectLog(t, fmt.Sprintf("[%s] KILL :%x\n", c.Self(), uint32(h))) // B063
			if h, err = c.NewService("fine"); err != nil {
				t.Error(err)
				return
			}
			if err := c.Name(".victim", h); err != nil {
				t.Error(err)
			}
			if err := c.Kill(".victim"); err != nil { // B065
				t.Error(err)
			}
			if err := c.Kill(".victim"); !errors.Is(err, service.ErrNoService) {
				t.Errorf("kill of an unknown name: %v", err)
			}
			if err := c.Kill("nosuch"); !errors.Is(err, service.ErrNoService) {
				t.Errorf("kill of no address: %v", err)
			}
		})
	})
}

// TestKilledHandlerEnds at its next blocking call, of whatever kind, even when
// that call would not get as far as to block.
func TestKilledHandlerEnds(t *testing.T) {
	for name, block := range map[string]func(c *service.Context) error{
		"call":        func(c *service.Context) error { _, err := c.Call(".launcher", "LIST"); return err },
		"call nobody": func(c *service.Context) error { _, err := c.Call(".nosuch", "LIST"); return err },
		"typed call":  func(c *service.Context) error { _, err := service.Call[int](c, 0, "X"); return err },
		"raw call":    func(c *service.Context) error { _, err := c.RawCall(nil, service.PTypeLua, nil); return err },
		"command":     func(c *service.Context) error { _, err := add.Call(c, ".nosuch", point{}); return err },
		"sleep":       func(c *service.Context) error { return c.Sleep(0) },
		"wait":        func(c *service.Context) error { return c.Wait("taken") },
		"new service": func(c *service.Context) error { _, err := c.NewService("nosuch"); return err },
		"queue":       func(c *service.Context) error { return new(service.Queue).Do(c, func() error { return errOwn }) },
		"run's ctx":   nil,
		"await": func(c *service.Context) error {
			_, err := service.Await(c, func(context.Context) (int, error) { return 0, errOwn })
			return err
		},
		"unique":       func(c *service.Context) error { _, err := c.QueryService("never"); return err },
		"with timeout": func(c *service.Context) error { _, err := c.WithTimeout(0).Call(c.Self(), "X"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, false)
			loops := make(chan struct{})
			var h service.Handle
			if block == nil { // a Run that was cancelled and does not care
				ctx, cancel := context.WithCancel(context.Background())
				cancelled := make(chan error, 1)
				handles := make(chan service.Handle, 1)
				go func() {
					cancelled <- service.Run(ctx, n.Node, func(c *service.Context) error {
						handles <- c.Self()
						cancel()
						close(loops)
						for {
							_ = c.Sleep(0)
							runtime.Gosched()
						}
					})
				}()
				h = receive(t, handles)
				defer func() {
					if err := receive(t, cancelled); !errors.Is(err, service.ErrExited) {
						t.Errorf("Run gave %v", err)
					}
				}()
			} else {
				h = serve(t, n, "loops", func(c *service.Context) {
					c.Fork(func(c *service.Context) { _ = c.Wait("taken") })
					c.Fork(func(c *service.Context) {
						close(loops)
						for {
							_ = block(c)
							runtime.Gosched()
						}
					})
				})
			}
			receive(t, loops)
			svc := n.Find(h)
			if err := n.Kill(0, h); err != nil {
				t.Fatal(err)
			}
			receive(t, svc.Done())
		})
	}
}

// TestQuiet services say nothing of their launch.
func TestQuiet(t *testing.T) {
	n := newNode(t, false, service.Def("quiet", func(*service.Context, ...any) error { return nil }, service.Quiet))
	start(t, n, "quiet")
	if n.logged("quiet") {
		t.Error("there is a line")
	}
	if name := service.Def("named", nil).Name(); name != "named" {
		t.Errorf("Name: %s", name)
	}
}

// TestDefinitionsBelongToTheirNode, and a later one replaces an earlier.
func TestDefinitionsBelongToTheirNode(t *testing.T) {
	a, b := newNode(t, false), newNode(t, false)
	which := ""
	def := func(text string) *service.Definition {
		return service.Def("s", func(*service.Context, ...any) error { which = text; return nil })
	}
	service.Install(a.Node, def("first"))
	service.Install(a.Node, def("second"))
	start(t, a, "s")
	if which != "second" {
		t.Errorf("started the %s", which)
	}
	if _, err := service.Launch(b.Node, "s"); !errors.Is(err, service.ErrNoDefinition) {
		t.Errorf("on another node: %v", err)
	}
	if err := a.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := service.Start(context.Background(), a.Node, "s"); !errors.Is(err, actor.ErrShutdown) {
		t.Errorf("after the shutdown: %v", err)
	}
}
