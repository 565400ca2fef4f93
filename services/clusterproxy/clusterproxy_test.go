package clusterproxy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// far is the service that the proxies stand for.
func far() *service.Definition {
	return service.Def("far", func(c *service.Context, _ ...any) error {
		var notes []any
		c.Handle("echo", service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) { return args, nil }))
		c.Handle("note", service.P1(func(_ *service.Context, n int) error { notes = append(notes, n); return nil }))
		c.Handle("notes", service.Raw(func(*service.Context, lualike.Args) (lualike.Args, error) { return notes, nil }))
		c.Handle("fail", service.P0(func(*service.Context) error { return service.Errorf("the reason") }))
		return nil
	})
}

// pair starts two nodes; the first knows the second as "there". h is the service
// on the second, registered as "far" and named ".far". The options are for the
// first node.
func pair(t *testing.T, options ...nodetest.Option) (here *nodetest.Node, h service.Handle) {
	t.Helper()
	there := nodetest.Start(t, nodetest.Services(far()))
	var addr string
	there.Run(func(c *service.Context) (err error) {
		if h, err = c.NewService("far"); err != nil {
			return err
		}
		if err = c.Name(".far", h); err != nil {
			return err
		}
		if err = cluster.Register(c, "far", h); err != nil {
			return err
		}
		addr, err = cluster.Open(c, 0)
		return err
	})
	here = nodetest.Start(t, options...)
	here.Run(func(c *service.Context) error {
		return cluster.Reload(c, cluster.Table{"there": addr, "down": false})
	})
	return here, h
}

func TestCallsAndSendsGoThere(t *testing.T) {
	n, h := pair(t)
	n.Run(func(c *service.Context) error {
		for _, addr := range []any{"@far", ".far", h} {
			p, err := cluster.Proxy(c, "there", addr)
			if err != nil {
				return err
			}
			large := strings.Repeat("x", 100000)
			vals, err := c.Call(p, "echo", 1, nil, large)
			if err != nil || len(vals) != 3 || vals[0] != int64(1) || vals[1] != nil || vals[2] != large {
				return fmt.Errorf("%v: %.100v, %v", addr, vals, err)
			}
			if s, err := service.Cmd[string, string]("echo").Call(c, p, "typed"); err != nil || s != "typed" {
				return fmt.Errorf("%v: typed call: %q, %v", addr, s, err)
			}
			if vals, err := c.Call(p, "echo"); err != nil || len(vals) != 0 {
				return fmt.Errorf("%v: no value came back as %v, %v", addr, vals, err)
			}
		}
		return nil
	})
}

func TestOrder(t *testing.T) {
	n, _ := pair(t)
	n.Run(func(c *service.Context) error {
		p, err := cluster.Proxy(c, "there@far")
		if err != nil {
			return err
		}
		var want []any
		for i := range 100 {
			want = append(want, int64(i))
			if err := c.Send(p, "note", i); err != nil {
				return err
			}
		}
		got, err := c.Call(p, "notes")
		if err != nil || fmt.Sprint([]any(got)) != fmt.Sprint(want) {
			return fmt.Errorf("got %v, %v", got, err)
		}
		return nil
	})
}

func TestOneProxyForEachAddress(t *testing.T) {
	n, h := pair(t)
	n.Run(func(c *service.Context) error {
		a, err := cluster.Proxy(c, "there", "@far")
		if err != nil {
			return err
		}
		b, err := cluster.Proxy(c, "there@far")
		if err != nil {
			return err
		}
		other, err := cluster.Proxy(c, "there", h)
		if err != nil {
			return err
		}
		if a != b || a == other {
			return fmt.Errorf("got %s, %s and %s", a, b, other)
		}
		return nil
	})
}

func TestErrors(t *testing.T) {
	n, _ := pair(t, nodetest.Isolate(false)) // or a function would not reach the proxy
	var down service.Handle
	n.Run(func(c *service.Context) error {
		proxy := func(node, addr string) service.Handle {
			p, err := cluster.Proxy(c, node, addr)
			if err != nil {
				t.Error(err)
			}
			return p
		}
		var remote *cluster.RemoteError
		if _, err := c.Call(proxy("there", "@far"), "fail"); !errors.As(err, &remote) || remote.Text != "the reason" {
			return fmt.Errorf("the far handler's error: %v", err)
		}
		if _, err := c.Call(proxy("there", "@nosuch"), "echo"); !errors.As(err, &remote) || !errors.Is(err, service.ErrCallFailed) {
			return fmt.Errorf("an unknown name: %v", err)
		}
		down = proxy("down", "@far")
		if _, err := c.Call(down, "echo"); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("a node that is down: %v", err)
		}
		for range 100 {
			if err := c.Send(down, "echo"); err != nil {
				return err
			}
		}
		return c.Send(down, "echo", func() {})
	})
	// The proxy's log has what becomes of sends: of those to a node that is down
	// the first, while the link counts all.
	n.Log.Wait(t, fmt.Sprintf("[%s] argument 2: func()", down))
	if lines := n.Log.Count(fmt.Sprintf("[%s] cluster: node is down: down", down)); lines != 1 {
		t.Errorf("%d lines about a node that is down", lines)
	}
	if lost := cluster.LinkTo(n.Node, "down").Status().Dropped[cluster.DropDown]; lost != 100 {
		t.Errorf("%d lost sends were counted", lost)
	}
}

// The caller's deadline counts; the proxy adds none and waits as long as it
// takes.
func TestDeadlineIsTheCallers(t *testing.T) {
	n, _ := pair(t)
	n.Run(func(c *service.Context) error {
		p, err := cluster.Proxy(c, "elsewhere", "@far") // waits for a reload to name it
		if err != nil {
			return err
		}
		if _, err := c.WithTimeout(1e6).Call(p, "echo"); !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
}

func TestWrongArguments(t *testing.T) {
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		for _, args := range [][]any{nil, {"there"}, {"there", "@far", 1}, {"there", []int{1}}} {
			if h, err := c.NewService("clusterproxy", args...); err == nil {
				return fmt.Errorf("%v: %s", args, h)
			}
		}
		return nil
	})
}
