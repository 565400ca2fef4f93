package docs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/login"
)

// startGreeter is the service that the examples of testing.md test.
func startGreeter(c *service.Context, _ ...any) error {
	c.Handle("GREET", service.F1(func(_ *service.Context, name string) (string, error) {
		if name == "" {
			return "", service.Errorf("nobody to greet")
		}
		return "hello " + name, nil
	}))
	return nil
}

func TestGreeter(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("greeter", startGreeter)))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("greeter")
		if err != nil {
			return err
		}
		text, err := service.Call[string](c, h, "GREET", "alice")
		if err != nil {
			return err
		}
		if text != "hello alice" {
			return fmt.Errorf("got %q", text)
		}
		return nil
	})
	n.Log.Wait(t, "LAUNCH snlua greeter")
}

func TestGreeterRemote(t *testing.T) {
	server := nodetest.Start(t, nodetest.Services(service.Def("greeter", startGreeter)))
	client := nodetest.Start(t)

	var addr string
	server.Run(func(c *service.Context) error {
		h, err := c.NewService("greeter")
		if err != nil {
			return err
		}
		if err := cluster.Register(c, "greeter", h); err != nil {
			return err
		}
		addr, err = cluster.Open(c, 0) // any free port
		return err
	})
	client.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"srv": addr}); err != nil {
			return err
		}
		_, err := cluster.Call(c, "srv", "@greeter", "GREET", "")
		var remote *cluster.RemoteError
		if !errors.As(err, &remote) || remote.Text != "nobody to greet" {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
}

func TestGreeterOptions(t *testing.T) {
	n := nodetest.Start(t,
		nodetest.Services(service.Def("greeter", startGreeter)),
		nodetest.Env("realm", "north"),
		nodetest.Config(func(cfg *bootstrap.Config) {
			cfg.Node.CallTimeout = time.Second
			cfg.Node.Isolate = service.Isolate
		}),
	)
	n.Run(func(c *service.Context) error {
		if c.Getenv("realm") != "north" || c.CallTimeout() != time.Second {
			return errors.New("the options are not in force")
		}
		return nil
	})
}

type profile struct{ name string }

// profiles is a service whose state survives a blocking call.
type profiles struct {
	loaded map[string]*profile
	fetch  func(ctx context.Context, id string) (string, error)
}

func (s *profiles) get(c *service.Context, id string) (*profile, error) {
	if p := s.loaded[id]; p != nil {
		return p, nil
	}
	name, err := service.Await(c, func(ctx context.Context) (string, error) {
		return s.fetch(ctx, id) // another goroutine, without the baton
	})
	if err != nil {
		return nil, err
	}
	if p := s.loaded[id]; p != nil { // another coroutine was faster
		return p, nil
	}
	s.loaded[id] = &profile{name: name}
	return s.loaded[id], nil
}

// TestRecheck lets two coroutines want the same profile: both fetch, one wins.
func TestRecheck(t *testing.T) {
	n := nodetest.Start(t)
	fetching, release := make(chan string, 2), make(chan struct{})
	s := &profiles{loaded: make(map[string]*profile), fetch: func(ctx context.Context, id string) (string, error) {
		fetching <- id
		select {
		case <-release:
			return "name of " + id, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}}
	n.Run(func(c *service.Context) error {
		var got []*profile
		for range 2 {
			c.Fork(func(c *service.Context) {
				p, err := s.get(c, "7")
				if err != nil {
					c.Error(err)
				}
				got = append(got, p)
				c.Wakeup(&got)
			})
		}
		c.Fork(func(c *service.Context) {
			if _, err := service.Await(c, func(context.Context) (bool, error) {
				<-fetching
				<-fetching
				close(release)
				return true, nil
			}); err != nil {
				c.Error(err)
			}
		})
		for len(got) < 2 {
			if err := c.Wait(&got); err != nil {
				return err
			}
		}
		if got[0] == nil || got[0] != got[1] || got[0].name != "name of 7" {
			return fmt.Errorf("got %v and %v", got[0], got[1])
		}
		return nil
	})
}

// purse is a service with a section that no other coroutine may enter meanwhile.
type purse struct {
	coins int
	bank  service.Handle
	q     service.Queue
}

func (s *purse) pay(c *service.Context, n int) (int, error) {
	err := s.q.Do(c, func() error {
		if s.coins < n {
			return service.Errorf("only %d coins left", s.coins)
		}
		if _, err := c.Call(s.bank, "BOOK", n); err != nil {
			return err
		}
		s.coins -= n // still enough: nobody else was inside
		return nil
	})
	return s.coins, err
}

func TestQueue(t *testing.T) {
	bank := service.Def("bank", func(c *service.Context, _ ...any) error {
		c.Handle("BOOK", service.P1(func(c *service.Context, _ int) error { return c.Yield() }))
		return nil
	})
	wallet := service.Def("purse", func(c *service.Context, args ...any) error {
		h, err := c.NewService("bank")
		s := &purse{coins: 10, bank: h}
		c.Handle("PAY", service.F1(s.pay))
		return err
	})
	n := nodetest.Start(t, nodetest.Services(bank, wallet))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("purse")
		if err != nil {
			return err
		}
		paid, failed := 0, 0
		for range 3 {
			c.Fork(func(c *service.Context) {
				if _, err := c.Call(h, "PAY", 4); err != nil {
					failed++
				} else {
					paid++
				}
				c.Wakeup(&paid)
			})
		}
		for paid+failed < 3 {
			if err := c.Wait(&paid); err != nil {
				return err
			}
		}
		if paid != 2 {
			return fmt.Errorf("%d payments of 4 out of 10 coins", paid)
		}
		return nil
	})
}

// Get is a command that caller and callee share.
const Get = service.Cmd[string, *string]("GET")

func startStore(c *service.Context, _ ...any) error {
	kv := make(map[string]string)
	c.Handle("SET", service.P2(func(_ *service.Context, key, value string) error {
		kv[key] = value
		return nil
	}))
	Get.Handle(c, func(_ *service.Context, key string) (*string, error) {
		if v, ok := kv[key]; ok {
			return &v, nil
		}
		return nil, nil // Lua's nil
	})
	return nil
}

func TestCalls(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("store", startStore)))
	n.Run(func(c *service.Context) error {
		db, err := c.NewService("store")
		if err != nil {
			return err
		}
		if err := c.Send(db, "SET", "a", "1"); err != nil {
			return err
		}
		vals, err := c.Call(db, "GET", "a")                                 // lualike.Args, as in Lua
		text, err2 := service.Call[string](c, db, "GET", "a")               // one result, typed
		again, err3 := Get.Call(c, db, "b")                                 // checked on both sides
		_, err4 := c.WithTimeout(3*time.Second).Call(".nosuch", "GET", "a") // an address may be a name
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		if vals.At(0) != "1" || text != "1" || again != nil || !errors.Is(err4, service.ErrNoService) {
			return fmt.Errorf("got %v, %q, %v, %v", vals, text, again, err4)
		}
		return nil
	})
}

// TestForeignGoroutine runs the example of code that is no service's.
func TestForeignGoroutine(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("store", startStore)))
	size, err := storeSize(t.Context(), n.Node)
	if err != nil || size != 0 {
		t.Fatal(size, err)
	}
}

func storeSize(ctx context.Context, node *service.Node) (int, error) {
	size := 0
	err := service.Run(ctx, node, func(c *service.Context) error {
		h, err := c.UniqueService("store")
		if err != nil {
			return err
		}
		v, err := Get.Call(c, h, "size")
		if v != nil {
			size = len(*v)
		}
		return err
	})
	return size, err
}

// TestValueRows checks the rows of api.md on values, and that they are there.
func TestValueRows(t *testing.T) {
	type point struct {
		X int `lua:"x"`
	}
	rows := firstColumns(pageAt(t, "docs/api.md").prose)
	var none *int
	for cell, v := range map[string]struct {
		value any
		lua   string
	}{
		"nil":     {nil, "nil"},
		"*T":      {none, "nil"},
		"bool":    {true, "boolean"},
		"int":     {int(7), "integer"},
		"uint64":  {uint64(7), "integer"},
		"float64": {1.5, "float"},
		"string":  {"a", "string"},
		"[]byte":  {[]byte("a"), "string"},
		"[]T":     {[]int{1}, "table"},
		"map[K]V": {map[string]int{"a": 1}, "table"},
		"struct":  {point{1}, "table"},
	} {
		if !rows[cell] {
			t.Errorf("no row for %s", cell)
		}
		got, err := lualike.Normalize(v.value)
		if err != nil || luaType(got) != v.lua {
			t.Errorf("%s: %s, %v", cell, luaType(got), err)
		}
	}
	for _, bad := range []any{uint64(1) << 63, make(chan int), func() {}} {
		if _, err := lualike.Normalize(bad); err == nil {
			t.Errorf("%T has a Lua form", bad)
		}
	}
}

func luaType(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case float64:
		return "float"
	case string:
		return "string"
	case *lualike.Table:
		return "table"
	}
	return fmt.Sprintf("%T", v)
}

func StartConsole(c *service.Context, _ ...any) error {
	_, err := c.NewService("debug_console", 8000) // or "10.0.0.1", 8000
	return err
}

func Watchdog(c *service.Context, _ ...any) error {
	cluster.WatchLinks(c, func(c *service.Context, e cluster.LinkEvent) {
		c.Logf("%s %v: now %v", e.Node, e.Kind, e.State) // for example: db lost: now down
	})
	return nil
}

func TestWatchdog(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("watchdog", Watchdog)))
	n.Run(func(c *service.Context) error {
		if _, err := c.NewService("watchdog"); err != nil {
			return err
		}
		return cluster.Reload(c, cluster.Table{"db": false})
	})
	n.Log.Wait(t, "db removed: now closed")
}

func serveUsers(c *service.Context) error {
	h, err := c.UniqueService(login.Userd)
	if err != nil {
		return err
	}
	return cluster.Register(c, login.Userd, h)
}

func TestServeUsers(t *testing.T) {
	n := nodetest.Start(t)
	n.Run(serveUsers)
	n.Log.Wait(t, "Register [userd]")
}
