package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// waitsInTheMiddle is a frame that a stack must show.
func waitsInTheMiddle(c *service.Context, _ string) error { return c.Wait("token") }

// waiting sets up a service whose WAIT waits until WAKE.
func waiting(c *service.Context) {
	c.Handle("WAIT", service.P1(waitsInTheMiddle))
	c.Handle("WAKE", service.F0(func(c *service.Context) (bool, error) { return c.Wakeup("token"), nil }))
	c.Handle("PING", service.P0(func(*service.Context) error { return nil }))
}

// serialService installs and starts a serial service.
func serialService(t testing.TB, n *node, name string, setUp func(c *service.Context)) service.Handle {
	t.Helper()
	service.Install(n.Node, service.Def(name, func(c *service.Context, _ ...any) error {
		setUp(c)
		return nil
	}, service.Serial))
	return start(t, n, name)
}

// tableOf reads the one table of an answer.
func tableOf(t *testing.T, vals lualike.Args, err error) map[string]any {
	t.Helper()
	if err != nil {
		t.Error(err)
		return nil
	}
	m, err := lualike.As[map[string]any](vals.At(0))
	if err != nil {
		t.Error(err)
	}
	return m
}

func TestDebugStat(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		h := serve(t, n, "svc", waiting)
		do(t, n, func(c *service.Context) {
			for range 3 {
				if _, err := c.Call(h, "PING"); err != nil {
					t.Error(err)
				}
			}
			c.Fork(func(c *service.Context) { _, _ = c.Call(h, "WAIT", "x") })
			_ = c.Yield()
			vals, err := service.Debug(c, h, "STAT")
			got := tableOf(t, vals, err)
			if len(got) != 4 || got["message"] != int64(5) || got["mqlen"] != int64(0) || got["task"] != int64(1) {
				t.Errorf("STAT: %v", got)
			}
			if cpu, _ := got["cpu"].(float64); cpu <= 0 || cpu > 60 {
				t.Errorf("cpu: %v", got["cpu"])
			}
			if stat := c.Node().Find(h).Stat(); stat.Requests != 5 {
				t.Errorf("Stat: %+v", stat)
			}
			_, _ = c.Call(h, "WAKE")
		})
	})
}

// TestDebugTask from another service, of an ordinary service and of a serial one
// in the middle of a request.
func TestDebugTask(t *testing.T) {
	for _, isSerial := range []bool{false, true} {
		t.Run(fmt.Sprintf("serial=%v", isSerial), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, false)
				setUp := serve
				if isSerial {
					setUp = serialService
				}
				h := setUp(t, n, "svc", waiting)
				do(t, n, func(c *service.Context) {
					c.Fork(func(c *service.Context) { _, _ = c.WithTimeout(service.Forever).Call(h, "WAIT", "x") })
					_ = c.Sleep(1500 * time.Millisecond)
					vals, err := service.Debug(c, h, "TASK")
					got := tableOf(t, vals, err)
					if len(got) != 1 {
						t.Errorf("TASK: %v", got)
					}
					for key, text := range got {
						lines := strings.SplitN(fmt.Sprint(text), "\n", 2)
						var session, request int
						if _, err := fmt.Sscanf(key, "session: %d", &session); err != nil {
							t.Errorf("the key is %q", key)
						}
						if _, err := fmt.Sscanf(lines[0], "wait on token since 1.5s, for request %d of "+c.Self().String(), &request); err != nil || request == 0 {
							t.Errorf("the first line is %q", lines[0])
						}
						if len(lines) < 2 || !strings.Contains(lines[1], "service_test.waitsInTheMiddle\n") || !strings.Contains(lines[1], "debug_test.go:") {
							t.Errorf("the stack is\n%v", text)
						}
						one, err := service.Debug(c, h, "TASK", session)
						if err != nil || one.At(0) != text {
							t.Errorf("one session: %v, %v", one, err)
						}
					}
					if one, err := service.Debug(c, h, "TASK", 9999); err != nil || one.At(0) != "No session" {
						t.Errorf("no session: %v, %v", one, err)
					}
					vals, err = service.Debug(c, c.Self(), "TASK") // of the service that asks
					for _, text := range tableOf(t, vals, err) {
						if text := fmt.Sprint(text); !strings.HasPrefix(text, "call "+h.String()+" since 1.5s\n") && !strings.HasPrefix(text, "call "+c.Self().String()+" since 0s") {
							t.Errorf("of the asking service: %q", text)
						}
					}
					_ = n.Kill(0, h)
				})
			})
		})
	}
}

// TestTasks is TestDebugTask for Tasks, and says since when the first of equal
// tasks waits.
func TestTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		h := serve(t, n, "svc", func(c *service.Context) {
			c.Handle("WAIT", service.P1(func(c *service.Context, token string) error { return c.Wait(token) }))
		})
		do(t, n, func(c *service.Context) {
			for _, token := range []string{"a", "b"} {
				c.Fork(func(c *service.Context) { _, _ = c.WithTimeout(service.Forever).Call(h, "WAIT", token) })
				_ = c.Sleep(1500 * time.Millisecond)
			}
			list, err := service.Tasks(c, c.Self())
			if err != nil || len(list) != 3 {
				t.Fatalf("of the asking service: %v, %v", list, err)
			}
			for i, want := range []service.Task{{What: "call", Peer: h, Seconds: 3}, {What: "call", Peer: h, Seconds: 1.5}, {What: "call", Peer: c.Self()}} {
				if got := list[i]; got.What != want.What || got.Peer != want.Peer || got.Seconds != want.Seconds || got.Session == 0 || !strings.Contains(got.Stack, "debug_test.go:") {
					t.Errorf("task %d: %+v, want %+v", i, got, want)
				}
			}
			if list, err = service.Tasks(c, h); err != nil || len(list) != 2 {
				t.Fatalf("got %v, %v", list, err)
			}
			if got := list[1]; got.What != "wait" || got.Token != "b" || got.Source != c.Self() || got.Request == 0 {
				t.Errorf("got %+v", got)
			}
			vals, err := service.Debug(c, c.Self(), "UNIQTASK")
			first := false
			for _, text := range tableOf(t, vals, err) {
				first = first || strings.HasPrefix(fmt.Sprint(text), "call "+h.String()+" since 3s\n")
			}
			if !first {
				t.Errorf("UNIQTASK: %v", vals)
			}
			_ = n.Kill(0, h)
		})
	})
}

func TestDebugUniqueTasks(t *testing.T) {
	n := newNode(t, false)
	h := serve(t, n, "svc", func(c *service.Context) {
		c.Handle("SLEEP", service.P0(func(c *service.Context) error { return c.Sleep(time.Hour) }))
		c.Handle("WAIT", service.P1(waitsInTheMiddle))
	})
	do(t, n, func(c *service.Context) {
		for range 12 {
			_ = c.Send(h, "SLEEP")
		}
		_ = c.Send(h, "WAIT", "x")
		vals, err := service.Debug(c, h, "UNIQTASK")
		got := tableOf(t, vals, err)
		if len(got) != 2 {
			t.Errorf("UNIQTASK: %v", got)
		}
		for head, text := range got {
			text := fmt.Sprint(text)
			switch {
			case strings.HasPrefix(head, "12\tsessions:[") && strings.HasSuffix(head, "...]\n") && strings.Count(head, ",") == 9:
				if !strings.HasPrefix(text, "sleep since ") {
					t.Errorf("twelve: %q", text)
				}
			case strings.HasPrefix(head, "1\tsessions:[") && strings.HasSuffix(head, "]\n") && !strings.Contains(head, ","):
				if !strings.HasPrefix(text, "wait since ") || !strings.Contains(text, "waitsInTheMiddle") {
					t.Errorf("one: %q", text)
				}
			default:
				t.Errorf("head %q", head)
			}
		}
	})
}

func TestDebugCommands(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		h := serve(t, n, "svc", func(c *service.Context) {
			waiting(c)
			if err := c.RegisterProtocol(service.Protocol{Name: "mine", Type: 100, Dispatch: func(*service.Context, service.Message) {}}); err != nil {
				t.Error(err)
			}
		})
		silent := serve(t, n, "silent", func(c *service.Context) {
			c.Handle("INFO", service.P0(func(c *service.Context) error {
				c.InfoFunc(func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
					if len(args) == 0 {
						return nil, errOwn
					}
					return append(lualike.Args{"info"}, args...), nil
				})
				return nil
			}))
		})
		do(t, n, func(c *service.Context) {
			for _, tt := range []struct {
				addr any
				cmd  string
				args []any
				want string
				err  error
			}{
				{h, "PING", nil, "[]", nil},
				{h, "SUPPORT", []any{"lua"}, "[true]", nil},
				{h, "SUPPORT", []any{"mine"}, "[true]", nil},
				{h, "SUPPORT", []any{"nosuch"}, "[false]", nil},
				{h, "SUPPORT", nil, "[false]", nil},
				{h, "INFO", nil, "[<nil>]", nil},
				{silent, "INFO", []any{1, "x"}, "[<nil>]", nil},
				{h, "TERM", []any{int64(silent)}, "[]", nil},
				{h, "TERM", []any{"x"}, "", service.ErrCallFailed},
				{h, "TRACELOG", nil, "", service.ErrCallFailed},
				{h, "NOSUCH", nil, "", service.ErrUnknownCommand},
				{h, "RUN", []any{"x"}, "", service.ErrCallFailed},
				{h, "MEM", nil, "", service.ErrCallFailed},
				{".nosuch", "PING", nil, "", service.ErrNoService},
			} {
				got, err := service.Debug(c, tt.addr, tt.cmd, tt.args...)
				if !errors.Is(err, tt.err) || tt.err == nil && fmt.Sprint(got) != tt.want {
					t.Errorf("%s %v: %v, %v; want %s, %v", tt.cmd, tt.args, got, err, tt.want, tt.err)
				}
			}
			if _, err := service.Debug(c, h, "MEM"); err == nil || !strings.HasSuffix(err.Error(), "MEM is not in Go") {
				t.Errorf("MEM: %v", err)
			}
			if _, err := c.Call(silent, "INFO"); err != nil {
				t.Error(err)
			}
			if got, err := service.Debug(c, silent, "INFO", 1, "x"); err != nil || fmt.Sprint(got) != "[info 1 x]" {
				t.Errorf("INFO: %v, %v", got, err)
			}
			if _, err := service.Debug(c, silent, "INFO"); !errors.Is(err, errOwn) {
				t.Errorf("INFO that fails: %v", err)
			}
			if _, err := service.Debug(c, h, "EXIT"); !errors.Is(err, service.ErrExited) {
				t.Errorf("EXIT: %v", err)
			}
			n.expectLog(t, fmt.Sprintf("[%s] KILL self\n", h))
		})
	})
}

// TestDebugLink gives no answer but an error at the end of the service, and
// keeps no shutdown waiting.
func TestDebugLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := actor.DefaultConfig()
		cfg.Pool, cfg.StopTimeout, cfg.Logger = actor.GoPool{}, time.Minute, &node{}
		an, err := actor.NewNode(cfg)
		if err != nil {
			t.Fatal(err)
		}
		n := &node{Node: an}
		first := serve(t, n, "first", waiting)
		second := serve(t, n, "second", waiting)
		ended := make(chan error, 2)
		linker := serve(t, n, "linker", func(c *service.Context) {
			for _, h := range []service.Handle{first, second} {
				c.Fork(func(c *service.Context) {
					_, err := service.Debug(c.WithTimeout(service.Forever), h, "LINK")
					ended <- err
				})
			}
		})
		pass(time.Hour)
		if len(ended) != 0 {
			t.Error("an answer")
		}
		if err := n.Kill(0, first); err != nil {
			t.Error(err)
		}
		if err := receive(t, ended); !errors.Is(err, service.ErrExited) {
			t.Errorf("got %v", err)
		}
		if n.Find(linker) == nil {
			t.Error("the linker is gone")
		}
		began := time.Now()
		if err := n.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if got := time.Since(began); got != 0 {
			t.Errorf("Shutdown took %v", got)
		}
	})
}

// TestWatch of a service by address, and what the reason is.
// TestWatchReasons: the text tells the ways to end apart.
func TestWatchReasons(t *testing.T) {
	n := newNode(t, false, service.Def("ends", func(c *service.Context, args ...any) error {
		c.Handle("EXIT", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
		if len(args) == 0 {
			return nil
		}
		c.Handle("GO", service.P0(func(c *service.Context) error { c.Wakeup("go"); return nil }))
		_ = c.Wait("go")
		panic("in the start")
	}))
	do(t, n, func(c *service.Context) {
		for how, want := range map[string]string{
			"EXIT": "actor: service exited: %s ends",
			"kill": "actor: service exited: %s ends was killed",
			"GO":   "actor: service exited: %s ends: start: panic: in the start",
		} {
			var args []any
			if how == "GO" {
				args = []any{1}
			}
			h, err := c.Launch("ends", args...)
			if err != nil {
				t.Error(err)
			}
			var reason error
			if _, err := service.Watch(c, h, func(_ *service.Context, why error) { reason = why }); err != nil {
				t.Error(err)
			}
			if how == "kill" {
				_ = c.Kill(h)
			} else {
				_ = c.Send(h, how)
			}
			until(c, func() bool { return reason != nil })
			if want := fmt.Sprintf(want, h); reason.Error() != want || !errors.Is(reason, service.ErrExited) {
				t.Errorf("got %v, want %s", reason, want)
			}
		}
	})
}

func TestWatch(t *testing.T) {
	gate := make(chan struct{})
	n := newNode(t, true, append(starts(), service.Def("fails on command", func(*service.Context, ...any) error {
		<-gate
		return errOwn
	}))...)
	do(t, n, func(c *service.Context) {
		var reasons []string
		told := func(c *service.Context, reason error) {
			if err := c.Yield(); err != nil { // on a coroutine, with a Context of its own
				t.Error(err)
			}
			reasons = append(reasons, reason.Error())
		}
		watch := func(addr any) func() {
			t.Helper()
			cancel, err := service.Watch(c, addr, told)
			if err != nil {
				t.Error(err)
			}
			return cancel
		}
		var handles []service.Handle
		for range 3 {
			h, err := c.NewService("fine")
			if err != nil {
				t.Error(err)
			}
			handles = append(handles, h)
		}
		_ = c.Name(".third", handles[2])
		watch(handles[0])
		watch(handles[1].String())
		watch(".third")()
		_, _ = c.Call(handles[0], "EXIT")
		until(c, func() bool { return len(reasons) == 1 })
		_ = c.Kill(handles[1])
		_ = c.Kill(handles[2])
		until(c, func() bool { return len(reasons) == 2 && c.Node().Find(handles[2]) == nil })
		want := fmt.Sprintf("actor: service exited: %s fine\nactor: service exited: %s fine was killed", handles[0], handles[1])
		if got := strings.Join(reasons, "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		for _, addr := range []any{".third", handles[0], 0, nil} {
			if _, err := service.Watch(c, addr, told); err == nil {
				t.Errorf("of %v: no error", addr)
			}
		}
		failing, err := c.Launch("fails on command")
		if err != nil {
			t.Error(err)
		}
		watch(failing)
		close(gate)
		until(c, func() bool { return len(reasons) == 3 })
	})
}

// pass lets virtual time go by; it is for synctest bubbles.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a synctest bubble
}
