package bootstrap_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

func TestBootOrder(t *testing.T) {
	nodes := filepath.Join(t.TempDir(), "nodes.lua")
	if err := os.WriteFile(nodes, []byte(`db = "127.0.0.1:1"`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		options  []nodetest.Option
		services string
		log      string
	}{
		"without a cluster": {nil, "testlog launcher service_mgr first", `
[:00000002] LAUNCH snlua bootstrap
[:00000003] LAUNCH snlua launcher
[:00000004] LAUNCH snlua service_mgr
[:00000005] LAUNCH snlua first a b
[:00000002] KILL self`},
		"with a cluster": {[]nodetest.Option{nodetest.Env("cluster", nodes)}, "testlog launcher service_mgr clusterd first", `
[:00000002] LAUNCH snlua bootstrap
[:00000003] LAUNCH snlua launcher
[:00000004] LAUNCH snlua service_mgr
[:00000005] LAUNCH snlua clusterd
[:00000006] LAUNCH snlua first a b
[:00000002] KILL self`},
	} {
		t.Run(name, func(t *testing.T) {
			var bootstrapEnded bool
			first := service.Def("first", func(c *service.Context, args ...any) error {
				bootstrapEnded = c.Node().Find(2) == nil
				return c.Sleep(1e6)
			})
			n := nodetest.Start(t, append(test.options, nodetest.Services(first), nodetest.Env("start", " first  a b"))...)
			n.Log.Wait(t, "[:00000002] KILL self")
			if boot := n.Find(2); boot != nil {
				<-boot.Done()
			}
			if bootstrapEnded {
				t.Error("bootstrap ended before the start function had returned")
			}
			var services []string
			for _, s := range n.Services() {
				services = append(services, s.Name())
			}
			if got := strings.Join(services, " "); got != test.services {
				t.Errorf("services: %s, want %s", got, test.services)
			}
			want := "[:00000000] Node " + n.ID().String() + test.log
			if got := strings.Join(n.Log.Lines(), "\n"); got != want {
				t.Errorf("log:\n%s\nwant\n%s", got, want)
			}
			for name, want := range map[string]actor.Handle{".logger": 1, ".launcher": 3, ".service": 4} {
				if h, _ := n.Query(name); h != want {
					t.Errorf("%s is %s, want %s", name, h, want)
				}
			}
		})
	}
}

func TestStartArguments(t *testing.T) {
	var got []any
	def := service.Def("first", func(_ *service.Context, args ...any) error { got = args; return nil })
	nodetest.Start(t, nodetest.Services(def), nodetest.Env("start", "first a  b\t3 "))
	if fmt.Sprintf("%q", got) != `["a" "b" "3"]` {
		t.Errorf("got %q", got)
	}
}

func TestEnvironment(t *testing.T) {
	n := nodetest.Start(t, nodetest.Env("mine", `a "b" \ $c`))
	n.Run(func(c *service.Context) error {
		if v := c.Getenv("mine"); v != `a "b" \ $c` {
			return fmt.Errorf("mine is %q", v)
		}
		if v, ok := c.LookupEnv("nosuch"); ok || v != "" {
			return fmt.Errorf("nosuch is %q", v)
		}
		if v := c.Getenv("harbor"); v != "0" {
			return fmt.Errorf("harbor is %q", v)
		}
		for _, key := range []string{"mine", "harbor"} {
			if err := c.Setenv(key, "x"); !errors.Is(err, actor.ErrEnvExists) {
				return fmt.Errorf("setenv %s: %v", key, err)
			}
		}
		if err := c.Setenv("new", "1"); err != nil {
			return err
		}
		if err := c.Setenv("new", "2"); !errors.Is(err, actor.ErrEnvExists) || c.Getenv("new") != "1" {
			return fmt.Errorf("the second setenv: %v, %q", err, c.Getenv("new"))
		}
		return nil
	})
}

// The next collection is as far away as if the heap were larger, which takes no
// memory.
func TestHeapFloor(t *testing.T) {
	const floor = 64
	before := memory()
	nodetest.Start(t, nodetest.Env("heapfloor", fmt.Sprint(floor)))
	after := memory()
	if grown := int64(after.NextGC - before.NextGC); grown < floor<<20 {
		t.Errorf("the goal of the collector has grown by %d MiB", grown>>20)
	}
}

func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

func TestThreads(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	nodetest.Start(t)
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("GOMAXPROCS changed to %d without being told", got)
	}
	nodetest.Start(t, nodetest.Env("thread", fmt.Sprint(before+1)))
	if got := runtime.GOMAXPROCS(0); got != before+1 {
		t.Errorf("GOMAXPROCS is %d, want %d", got, before+1)
	}
}

func TestCallTimeoutAndIsolateReachTheNode(t *testing.T) {
	quiet := service.Def("quiet", func(c *service.Context, _ ...any) error {
		var owed []*service.Response
		c.Handle("OWE", service.P1(func(c *service.Context, _ []int) error {
			owed = append(owed, c.Response())
			return nil
		}))
		return nil
	})
	n := nodetest.Start(t, nodetest.Services(quiet), nodetest.Env("calltimeout", "1ms"), nodetest.Env("isolate", "true"))
	n.Run(func(c *service.Context) error {
		h, err := c.WithTimeout(service.Forever).NewService("quiet")
		if err != nil {
			return err
		}
		if _, err := c.Call(h, "OWE", []int{1}); !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("call: %v", err)
		}
		if err := c.Send(h, "OWE", func() {}); err == nil {
			return errors.New("a function was sent")
		}
		return nil
	})
}

// A bootstrap service and a logger of the program's own replace the built-in
// ones, as in Skynet.
func TestOwnBootstrapAndLogger(t *testing.T) {
	var lines []string
	log := service.Def("userlog", func(c *service.Context, args ...any) error {
		c.Dispatch(service.PTypeText, func(_ *service.Context, m service.Message) {
			lines = append(lines, fmt.Sprintf("%v %s %v", args, m.Source, m.Data))
		})
		return c.Register(".logger")
	}, service.Quiet)
	boot := service.Def("boot", func(c *service.Context, args ...any) error {
		c.Error("my own", args)
		c.Exit()
		return nil
	})
	n := nodetest.Start(t, nodetest.Services(log, boot), nodetest.Env("logservice", "snlua"),
		nodetest.Env("logger", "userlog x y"), nodetest.Env("bootstrap", "snlua boot z"))
	if got := len(n.Services()); got > 2 {
		t.Errorf("%d services", got)
	}
	n.Stop()
	want := []string{
		"[x y] :00000000 Node " + n.ID().String(), "[x y] :00000002 LAUNCH snlua boot z",
		"[x y] :00000002 my own [z]", "[x y] :00000002 KILL self",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestNodesShareNothing(t *testing.T) {
	a, b := nodetest.Start(t, nodetest.Env("who", "a")), nodetest.Start(t, nodetest.Env("who", "b"))
	if a.ID() == b.ID() {
		t.Error("one identity")
	}
	for n, want := range map[*nodetest.Node]string{a: "a", b: "b"} {
		if got, _ := n.Getenv("who"); got != want {
			t.Errorf("who is %q, want %q", got, want)
		}
	}
	a.Stop()
	b.Run(func(c *service.Context) error { _, err := c.NewService("gate"); return err })
}

func TestFailedStartLeavesNothing(t *testing.T) {
	var ended bool
	child := service.Def("child", func(c *service.Context, _ ...any) error {
		c.AtServiceEnd(func() { ended = true })
		return nil
	})
	first := service.Def("first", func(c *service.Context, _ ...any) error {
		if _, err := c.NewService("child"); err != nil {
			return err
		}
		return errors.New("no luck")
	})
	if _, err := nodetest.TryStart(t, nodetest.Services(child, first), nodetest.Env("start", "first")); err == nil {
		t.Fatal("no error")
	}
	if !ended {
		t.Error("a service was left")
	}
}

func TestConfigMadeByHand(t *testing.T) {
	cfg := &bootstrap.Config{Node: actor.DefaultConfig()}
	if n, err := bootstrap.Start(t.Context(), cfg); n != nil || !errors.Is(err, service.ErrNoDefinition) {
		t.Errorf("got %v, %v", n, err)
	}
}
