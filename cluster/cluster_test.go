package cluster_test

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

func TestCall(t *testing.T) {
	_, addr, h := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		for _, to := range []any{"@sdb", ".sdb", h.String(), h, int(h)} {
			got, err := cluster.Call(c, "srv", to, "echo", "x", 1, 2.5, true, nil)
			if err != nil {
				return err
			}
			if err := want(fmt.Sprint(to), got, lualike.Args{"x", int64(1), 2.5, true, nil}); err != nil {
				return err
			}
		}
		n, err := cluster.CallAs[int](c, "srv", "@sdb", "number", 42)
		if err != nil {
			return err
		}
		return want("number", n, 42)
	})
}

func TestSendIsInOrderWithCalls(t *testing.T) {
	_, addr, _ := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		var list lualike.Args
		for i := range 100 {
			// By ".sdb": the first use of an "@name" may be overtaken (B179).
			if err := cluster.Send(c, "srv", ".sdb", "note", i); err != nil {
				return err
			}
			list = append(list, i)
			if i%10 == 5 {
				if _, err := cluster.Call(c, "srv", ".sdb", "note", "call"); err != nil {
					return err
				}
				list = append(list, "call")
			}
		}
		got, err := cluster.Call(c, "srv", ".sdb", "notes")
		if err != nil {
			return err
		}
		return want("notes", got, list)
	})
}

func TestErrors(t *testing.T) {
	srv, addr, h := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		for _, test := range []struct {
			to   any
			args []any
			text string
			is   error
		}{
			{"@sdb", []any{"fail", "boom"}, "call failed", service.ErrCallFailed},
			{"@sdb", []any{"failtext", "boom"}, "boom", service.ErrCallFailed},
			{"@sdb", []any{"nosuch"}, "call failed", service.ErrCallFailed},
			{"@nosuch", []any{"echo"}, "Invalid name", cluster.ErrNameNotFound},
			{".nosuch", []any{"echo"}, "call to invalid address", service.ErrCallFailed},
			{0xfffff, []any{"echo"}, "call to invalid address", service.ErrCallFailed},
			{"sdb", []any{"echo"}, "Invalid name", service.ErrCallFailed},
			{h, []any{"quit"}, "call failed", service.ErrCallFailed},
			{h, []any{"echo"}, "call to invalid address", service.ErrCallFailed},
		} {
			_, err := cluster.Call(c, "srv", test.to, test.args...)
			var remote *cluster.RemoteError
			if !errors.As(err, &remote) || remote.Text != test.text || !errors.Is(err, test.is) || remote.Node != "srv" {
				return fmt.Errorf("call %v %v: got error %v, want %q", test.to, test.args, err, test.text)
			}
		}
		for _, bad := range []any{"", strings.Repeat("x", 256), 1.5} {
			if _, err := cluster.Call(c, "srv", bad, "echo"); !errors.Is(err, service.ErrMisuse) {
				return fmt.Errorf("address %v: %v", bad, err)
			}
		}
		if _, err := cluster.Call(c, "srv", "@sdb", make(chan int)); !errors.Is(err, lualike.ErrUnsupported) {
			return fmt.Errorf("a channel was packed: %v", err)
		}
		return nil
	})
	srv.Log.Wait(t, "error : \x1b[31mboom")
}

func TestB186Register(t *testing.T) {
	srv, addr, h := server(t)
	n := client(t, cluster.Table{"srv": addr})
	query := func(name string) (got service.Handle, err error) {
		n.Run(func(c *service.Context) error {
			got, err = cluster.Query(c, "srv", name)
			return nil
		})
		return got, err
	}
	if got, err := query("sdb"); got != h || err != nil {
		t.Fatalf("query sdb: %v, %v; want %v", got, err, h)
	}
	if _, err := query("nosuch"); !errors.Is(err, cluster.ErrNameNotFound) {
		t.Fatalf("query nosuch: %v", err)
	}
	srv.Run(func(c *service.Context) error {
		if err := cluster.Register(c, "sdb", h); !errors.Is(err, service.ErrNameTaken) {
			return fmt.Errorf("a name in use: %v", err)
		}
		return cluster.Register(c, "sdb2", h) // replaces the first name
	})
	if got, err := query("sdb2"); got != h || err != nil {
		t.Fatalf("query sdb2: %v, %v; want %v", got, err, h)
	}
	if _, err := query("sdb"); !errors.Is(err, cluster.ErrNameNotFound) {
		t.Fatalf("query of the replaced name: %v", err)
	}
	srv.Run(func(c *service.Context) error {
		return errors.Join(cluster.Unregister(c, "nosuch"), cluster.Unregister(c, "sdb2"))
	})
	if _, err := query("sdb2"); !errors.Is(err, cluster.ErrNameNotFound) {
		t.Fatalf("query of the unregistered name: %v", err)
	}
	for _, line := range []string{"Register [sdb] " + h.String(), "Register [sdb2] " + h.String(), "Unregister [sdb2] " + h.String()} {
		srv.Log.Wait(t, line)
	}
}

func TestB188Proxy(t *testing.T) {
	_, addr, h := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		p, err := cluster.Proxy(c, "srv@sdb")
		if err != nil {
			return err
		}
		if p2, err := cluster.Proxy(c, "srv", "@sdb"); err != nil || p2 != p {
			return fmt.Errorf("the long form gave %v, %v; want %v", p2, err, p)
		}
		byHandle, err := cluster.Proxy(c, "srv", h)
		if err != nil {
			return err
		}
		byName, err := cluster.Proxy(c, "srv.sdb")
		if err != nil {
			return err
		}
		number := service.Cmd[int, int]("number")
		for _, to := range []service.Handle{p, byHandle, byName} {
			if err := c.Send(to, "note", 1); err != nil {
				return err
			}
			if got, err := number.Call(c, to, 7); got != 7 || err != nil {
				return fmt.Errorf("typed call through %v: %v, %v", to, got, err)
			}
		}
		got, err := c.Call(p, "notes")
		if err := errors.Join(err, want("notes", got, lualike.Args{1, 1, 1})); err != nil {
			return err
		}
		if _, err := c.Call(p, "fail", "boom"); !errors.Is(err, service.ErrCallFailed) {
			return fmt.Errorf("a failing call through a proxy: %v", err)
		}
		for _, bad := range []string{"srv", "@sdb", "srv@"} {
			if _, err := cluster.Proxy(c, bad); err == nil || !strings.Contains(err.Error(), "Invalid name") {
				return fmt.Errorf("proxy %q: %v", bad, err)
			}
		}
		return nil
	})
}

// Sizes around the border of one frame, both ways.
func TestSizes(t *testing.T) {
	_, addr, _ := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		for _, size := range []int{0, 1, 0x7fe0, 0x7fff, 0x8000, 0x8001, 100 << 10, 1 << 20} {
			s := strings.Repeat("x", size)
			got, err := cluster.CallAs[string](c, "srv", "@sdb", "echo", s)
			if err != nil {
				return err
			}
			if got != s {
				return fmt.Errorf("%d bytes came back as %d", size, len(got))
			}
		}
		return nil
	})
}

func TestOpen(t *testing.T) {
	n := client(t, cluster.Table{"down": false, "self": "127.0.0.1:0"})
	n.Run(func(c *service.Context) error {
		for name, end := range map[string]string{
			"down":    ": down is down",
			"unknown": ": unknown is down: it is not in the node table (config key cluster)",
		} {
			if _, err := cluster.Open(c, name); err == nil || !strings.HasSuffix(err.Error(), end) {
				return fmt.Errorf("open %s: %v", name, err)
			}
		}
		addr, err := cluster.Open(c, "self")
		if err != nil || !strings.HasPrefix(addr, "127.0.0.1:") || strings.HasSuffix(addr, ":0") {
			return fmt.Errorf("open by name: %q, %v", addr, err)
		}
		if err := cluster.Reload(c, cluster.Table{"taken": addr}); err != nil {
			return err
		}
		if _, err := cluster.Open(c, "taken"); err == nil || !strings.Contains(err.Error(), "address already in use") {
			return fmt.Errorf("open of a taken port: %v", err)
		}
		return nil
	})
}

// Three nodes, calls in four directions: the table that the cluster's design is
// explained with.
func TestFourDirections(t *testing.T) {
	center, centerAddr, _ := server(t)
	login1, addr1, _ := server(t)
	login2, addr2, _ := server(t)
	table := cluster.Table{"center": centerAddr, "login1": addr1, "login2": addr2}
	nodes := map[string]*nodetest.Node{"center": center, "login1": login1, "login2": login2}
	for _, n := range nodes {
		n.Run(func(c *service.Context) error { return cluster.Reload(c, table) })
	}
	for _, d := range []struct{ from, to string }{
		{"login1", "center"}, {"login2", "center"}, {"center", "login1"}, {"center", "login2"},
	} {
		for range 3 {
			nodes[d.from].Run(func(c *service.Context) error {
				_, err := cluster.Call(c, d.to, "@sdb", "echo", 1)
				return err
			})
		}
	}
	for name, want := range map[string]int{"center": 2, "login1": 1, "login2": 1} {
		n := nodes[name]
		if got := count(n, "clustersender"); got != want {
			t.Errorf("%s has %d clustersenders, want %d", name, got, want)
		}
		if got := count(n, "clusteragent"); got != want {
			t.Errorf("%s has %d clusteragents, want %d", name, got, want)
		}
		opened, accepted := connections(n)
		if opened != want || accepted != want {
			t.Errorf("%s has opened %d and accepted %d connections, want %d of each", name, opened, accepted, want)
		}
	}
}
