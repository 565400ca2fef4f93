package service_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// The tests whose names carry a number prove one recorded behaviour of Skynet
// each, or what stands in its place here.

// onNode runs f on a node with the services of starts and defs.
func onNode(t *testing.T, f func(n *nodetest.Node, c *service.Context), defs ...*service.Definition) {
	t.Helper()
	n := nodetest.Start(t, nodetest.Services(append(starts(), defs...)...))
	n.Run(func(c *service.Context) error {
		f(n, c)
		return nil
	})
}

// def is a service that setUp sets up.
func def(name string, setUp func(c *service.Context)) *service.Definition {
	return service.Def(name, func(c *service.Context, _ ...any) error {
		setUp(c)
		return nil
	})
}

// launched starts a service that must start.
func launched(t *testing.T, c *service.Context, name string, args ...any) service.Handle {
	t.Helper()
	h, err := c.NewService(name, args...)
	if err != nil || h == 0 {
		t.Errorf("newservice %s: %s, %v", name, h, err)
	}
	return h
}

// flush waits until what was logged so far is in the log.
func flush(t *testing.T, n *nodetest.Node, c *service.Context) {
	t.Helper()
	c.Error("that was all")
	n.Log.Wait(t, fmt.Sprintf("[%s] that was all", c.Self()))
}

// want compares the texts of two values.
func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// wantErr tests an error for what it is and what it says.
func wantErr(t *testing.T, what string, err, is error, text string) {
	t.Helper()
	if !errors.Is(err, is) || err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got %v, want %v with %q", what, err, is, text)
	}
}

func TestB001LaunchArguments(t *testing.T) {
	var words []any
	first := service.Def("first", func(_ *service.Context, args ...any) error { words = args; return nil })
	nodetest.Start(t, nodetest.Services(first), nodetest.Env("start", "first 1 two  x y\t3.5   pad "))
	want(t, "from the config file", fmt.Sprintf("%q", words), `["1" "two" "x" "y" "3.5" "pad"]`)
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		got, err := c.Call(launched(t, c, "fine", 1, "two", "x y", 3.5, ""), "ARGS")
		want(t, "from a service", fmt.Sprintf("%q", got), fmt.Sprintf("%q", lualike.Args{int64(1), "two", "x y", 3.5, ""}))
		want(t, "error", err, nil)
	})
}

func TestB002BooleanAndNilArguments(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		got, _ := c.Call(launched(t, c, "fine", true, nil, "c"), "ARGS")
		want(t, "arguments", got, "[true <nil> c]")
	})
}

func TestB003ResultAfterTheStart(t *testing.T) {
	started := false
	slow := service.Def("slow", func(c *service.Context, _ ...any) error {
		err := c.Sleep(time.Millisecond)
		started = true
		return err
	})
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		h := launched(t, c, "slow")
		want(t, "started", started, true)
		want(t, "the service", n.Find(h).Name(), "slow")
	}, slow)
}

func TestB004EveryFailedStart(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		for _, name := range []string{"nosuch", "fails", "fails later", "panics", "goexits", "killed"} {
			h, err := c.NewService(name)
			wantErr(t, name, err, service.ErrCallFailed, "newservice "+name+": ")
			want(t, name, h, service.Handle(0))
		}
	})
}

func TestB005ReasonInTheLog(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		_, err := c.NewService("nosuch")
		wantErr(t, "no definition", err, service.ErrNoDefinition, "nosuch")
		_, _ = c.NewService("panics")
		flush(t, n, c)
		lines := strings.Join(n.Log.Lines(), "\n")
		i, j, k := strings.Index(lines, "LAUNCH snlua panics"), strings.Index(lines, "init service failed: panic: in the start\ngoroutine "), strings.LastIndex(lines, "KILL self")
		if i < 0 || i > j || j > k {
			t.Errorf("the log:\n%s", lines)
		}
	})
}

func TestB006ExitInTheStart(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		h, err := c.NewService("exits")
		want(t, "result", fmt.Sprint(h, err), ":00000000 <nil>")
	})
}

func TestB007StartThatNeverEnds(t *testing.T) {
	endless := service.Def("endless", func(c *service.Context, _ ...any) error { return c.Wait() })
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		_, err := c.WithTimeout(time.Millisecond).NewService("endless")
		wantErr(t, "newservice", err, service.ErrTimeout, "endless")
	}, endless)
}

func TestB008LaunchOfTheUnknown(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		h, err := c.Launch("nosuch")
		wantErr(t, "launch", err, service.ErrNoDefinition, "nosuch")
		want(t, "handle", h, service.Handle(0))
	})
}

func TestB009LaunchLine(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		plain, args := launched(t, c, "fine"), launched(t, c, "fine", "a", 1)
		want(t, "without arguments", n.Log.Wait(t, fmt.Sprintf("[%s] LAUNCH", plain)), fmt.Sprintf("[%s] LAUNCH snlua fine", plain))
		want(t, "with arguments", n.Log.Wait(t, fmt.Sprintf("[%s] LAUNCH", args)), fmt.Sprintf("[%s] LAUNCH snlua fine a 1", args))
	})
}

func TestB010UniqueService(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		var handles []service.Handle
		for i := range 3 {
			c.Fork(func(c *service.Context) {
				h, err := c.UniqueService("fine", "call", i)
				want(t, "error", err, nil)
				handles = append(handles, h)
			})
		}
		until(c, func() bool { return len(handles) == 3 })
		want(t, "handles", handles, []service.Handle{handles[0], handles[0], handles[0]})
		got, _ := c.Call(handles[0], "ARGS")
		want(t, "arguments", got, "[call 0]")
		flush(t, n, c)
		want(t, "launches", n.Log.Count("LAUNCH snlua fine"), 1)
	})
}

func TestB011FailedStartIsRemembered(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		_, first := c.UniqueService("fails")
		_, second := c.UniqueService("fails")
		_, query := c.QueryService("fails")
		for _, err := range []error{first, second, query} {
			wantErr(t, "result", err, errOwn, "fails: ")
		}
		flush(t, n, c)
		want(t, "launches", n.Log.Count("LAUNCH snlua fails"), 1)
	})
}

func TestB012QueryWaits(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		_, err := c.WithTimeout(time.Millisecond).QueryService("fine")
		wantErr(t, "nobody launches", err, service.ErrTimeout, "queryservice fine")
		var unique service.Handle
		c.Fork(func(c *service.Context) {
			_ = c.Sleep(time.Millisecond)
			unique, _ = c.UniqueService("fine")
		})
		h, err := c.QueryService("fine")
		until(c, func() bool { return unique != 0 })
		want(t, "query", fmt.Sprint(h, err), fmt.Sprint(unique, " <nil>"))
	})
}

func TestB013UniqueServiceThatHasExited(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		h, _ := c.UniqueService("fine")
		_, _ = c.Call(h, "EXIT")
		again, err := c.UniqueService("fine")
		want(t, "again", fmt.Sprint(again, err), fmt.Sprint(h, " <nil>"))
		_, err = c.Call(h, "ARGS")
		wantErr(t, "a call", err, service.ErrNoService, h.String())
	})
}

func TestB014UnknownCommands(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		got, err := service.Call[[]string](c, ".launcher", "NOSUCH")
		want(t, ".launcher", fmt.Sprint(got, err), "[Unknown command] <nil>")
		vals, err := c.Call(".service", "NOSUCH")
		want(t, ".service", fmt.Sprint(vals, err), "[<nil> Invalid command NOSUCH] <nil>")
	})
}

func TestB020BootOrder(t *testing.T) {
	first := service.Def("first", func(c *service.Context, _ ...any) error { want(t, "start", c.Self(), service.Handle(5)); return nil })
	n := nodetest.Start(t, nodetest.Services(first), nodetest.Env("start", "first"))
	for h, name := range map[service.Handle]string{1: "testlog", 3: "launcher", 4: "service_mgr", 5: "first"} {
		want(t, h.String(), n.Find(h).Name(), name)
	}
	n.Log.Wait(t, "[:00000002] LAUNCH snlua bootstrap")
}

func TestB021BootstrapExits(t *testing.T) {
	n := nodetest.Start(t)
	n.Log.Wait(t, "[:00000002] KILL self")
}

// TestB022Handles replays launches and kills against the rule in another form.
func TestB022Handles(t *testing.T) {
	n := newNode(t, false, starts()...)
	size, next := uint32(4), uint32(1)
	living := make(map[uint32]bool)
	free := func(h uint32) bool {
		for other := range living {
			if other%size == h%size {
				return false
			}
		}
		return true
	}
	for _, s := range n.Services() {
		living[uint32(s.Handle())] = true
		next = max(next, uint32(s.Handle())+1)
	}
	for i := range 99 {
		if len(living) == int(size) {
			size *= 2
		}
		for !free(next) {
			next++
		}
		h, err := service.Launch(n.Node, "fine")
		if err != nil || uint32(h) != next {
			t.Fatalf("launch %d: %s, %v; want :%08x", i, h, err, next)
		}
		living[next] = true
		next++
		if i%3 == 2 {
			victim := n.Find(h - service.Handle(i%7))
			if victim == nil || !living[uint32(victim.Handle())] {
				continue
			}
			if err := n.Kill(0, victim.Handle()); err != nil {
				t.Fatal(err)
			}
			receive(t, victim.Done())
			delete(living, uint32(victim.Handle()))
		}
	}
}

func TestB023AddressText(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		want(t, "address", c.Address(0x4d), ":0000004d")
		h := launched(t, c, "fine", "x")
		for _, addr := range []string{fmt.Sprintf(":%x", uint32(h)), fmt.Sprintf(":%X", uint32(h)), h.String(), strings.ToUpper(h.String())} {
			got, err := c.Call(addr, "ARGS")
			want(t, addr, fmt.Sprint(got, err), "[x] <nil>")
		}
		for text, h := range map[string]service.Handle{":4D": 0x4d, ":4d": 0x4d, ":0000004D": 0x4d} {
			got, err := actor.ParseHandle(text)
			want(t, text, fmt.Sprint(got, err), fmt.Sprint(h, " <nil>"))
		}
	})
}

func TestB024NamesWithoutDot(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		_, err := c.Call("global", "GET")
		wantErr(t, "a call", err, service.ErrNoService, "global")
		wantErr(t, "a send", c.Send("global", "GET"), service.ErrNoService, "global")
	})
}

func TestB025LocalNames(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		a, b := launched(t, c, "fine", "a"), launched(t, c, "fine", "b")
		for _, name := range []string{".one", ".two", ".", "." + strings.Repeat("x", 500), ".with space"} {
			want(t, name, c.Name(name, a), nil)
			wantErr(t, name+" again", c.Name(name, b), service.ErrNameTaken, name)
			got, err := c.Call(name, "ARGS")
			want(t, name, fmt.Sprint(got, err), "[a] <nil>")
		}
		want(t, "register", c.Register(".self"), nil)
		want(t, "localname", c.LocalName(".self"), c.Self())
	})
}

func TestB026GlobalNamesAreRefused(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		for _, name := range []string{"name", "1", ":10", strings.Repeat("x", 16), ""} {
			wantErr(t, name, c.Register(name), service.ErrMisuse, "does not begin with '.'")
		}
	})
}

func TestB027NamesOfTheDead(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		a, b := launched(t, c, "fine"), launched(t, c, "fine")
		want(t, "name", c.Name(".name", a), nil)
		_, _ = c.Call(a, "EXIT")
		until(c, func() bool { return c.LocalName(".name") == 0 })
		want(t, "the name is free", c.Name(".name", b), nil)
		want(t, "kill", c.Kill(".name"), nil)
		b = launched(t, c, "fine")
		want(t, "the name of the killed is free at once", c.Name(".name", b), nil)
		for _, name := range []string{".nosuch", "nodot", b.String()} {
			want(t, name, c.LocalName(name), service.Handle(0))
		}
	})
}
