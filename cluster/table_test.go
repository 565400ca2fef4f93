package cluster_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

func TestB180ReloadWakesWaiters(t *testing.T) {
	_, addr, _ := server(t)
	n := client(t, nil)
	answers := make(chan error, 3)
	n.Run(func(c *service.Context) error {
		for i := range 3 {
			c.Fork(func(c *service.Context) {
				got, err := cluster.CallAs[int](c, "srv", "@sdb", "number", i)
				if err == nil {
					err = want("answer", got, i)
				}
				answers <- err
			})
		}
		return nil
	})
	n.Log.Wait(t, "Waiting for cluster node [srv]")
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": addr}) })
	for range 3 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	n.Log.Wait(t, "Cluster node [srv] resolved : "+addr)
}

func TestB180NowaitingFailsWaiters(t *testing.T) {
	n := client(t, nil)
	answers := make(chan error, 2)
	n.Run(func(c *service.Context) error {
		for _, node := range []string{"a", "b"} {
			c.Fork(func(c *service.Context) {
				_, err := cluster.Call(c, node, "@sdb", "echo")
				answers <- err
			})
		}
		return nil
	})
	n.Log.Wait(t, "Waiting for cluster node [a]")
	n.Log.Wait(t, "Waiting for cluster node [b]")
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Text("__nowaiting = true")) })
	for range 2 {
		if err := <-answers; !errors.Is(err, cluster.ErrNodeUnknown) {
			t.Errorf("got %v, want ErrNodeUnknown", err)
		}
	}
	n.Log.Wait(t, "Config nowaiting = true")
	n.Run(func(c *service.Context) error {
		if _, err := cluster.Call(c, "c", "@sdb", "echo"); !errors.Is(err, cluster.ErrNodeUnknown) {
			return fmt.Errorf("a call after that: %v", err)
		}
		return nil
	})
}

func TestCallToUnknownNodeEndsAtItsDeadline(t *testing.T) {
	n := client(t, nil)
	n.Run(func(c *service.Context) error {
		_, err := cluster.Call(c.WithTimeout(10*time.Millisecond), "srv", "@sdb", "echo")
		if !errors.Is(err, service.ErrTimeout) || !strings.HasSuffix(err.Error(), ": srv is not in the node table") {
			return fmt.Errorf("got %v, want ErrTimeout and why", err)
		}
		return nil
	})
}

// A node without a deadline for calls has none for the first one either, which
// waits for the connection.
func TestFirstCallWithoutDeadline(t *testing.T) {
	_, addr, _ := server(t)
	n := client(t, nil, nodetest.Env("calltimeout", "0"))
	n.Run(func(c *service.Context) error { _, err := cluster.Call(c, addr, "@sdb", "echo"); return err })
}

func TestB181NodeDownAndBack(t *testing.T) {
	srv, addr, _ := server(t)
	n := client(t, cluster.Table{"srv": addr})
	echo := func(c *service.Context) error {
		_, err := cluster.Call(c, "srv", "@sdb", "echo")
		return err
	}
	n.Run(echo)
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": false}) })
	n.Log.Wait(t, "Close cluster sender "+addr+" nil")
	n.Run(func(c *service.Context) error {
		if err := echo(c); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("a call to a node that is down: %v", err)
		}
		return nil
	})
	eventually(t, "the agent leaves", func() bool { return count(srv, "clusteragent") == 0 })
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": addr}) })
	eventually(t, "connected again", func() bool { return count(srv, "clusteragent") == 1 })
	n.Run(echo)
	if got := count(n, "clustersender"); got != 1 {
		t.Errorf("%d clustersenders, want the one from before", got)
	}
}

func TestB182ChangedAddressMovesTheConnection(t *testing.T) {
	one, addr1, _ := server(t)
	two, addr2, _ := server(t)
	n := client(t, cluster.Table{"srv": addr1})
	n.Run(func(c *service.Context) error { _, err := cluster.Call(c, "srv", "@sdb", "note", 1); return err })
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": addr2}) })
	eventually(t, "moved", func() bool { return count(one, "clusteragent") == 0 && count(two, "clusteragent") == 1 })
	n.Run(func(c *service.Context) error {
		got, err := cluster.Call(c, "srv", "@sdb", "notes")
		return errors.Join(err, want("notes of the second server", len(got), 0))
	})
}

// A node that dies in the middle of 100 calls: each call ends at once with an
// error, and calls work again when the node is back, at the old address and at
// another one.
func TestB183NodeDiesAndComesBack(t *testing.T) {
	srv, addr, h := server(t)
	n := client(t, cluster.Table{"srv": addr})
	answers := make(chan error, 100)
	n.Run(func(c *service.Context) error {
		for range cap(answers) {
			c.Fork(func(c *service.Context) {
				_, err := cluster.Call(c, "srv", "@sdb", "hold")
				answers <- err
			})
		}
		return nil
	})
	eventually(t, "all calls arrive", func() (all bool) {
		srv.Run(func(c *service.Context) error {
			held, err := service.Call[int](c, h, "held")
			all = held == cap(answers)
			return err
		})
		return all
	})
	died := time.Now()
	srv.Stop()
	for range cap(answers) {
		if err := <-answers; err == nil {
			t.Fatal("a call to a node that died gave an answer")
		}
	}
	if took := time.Since(died); took > time.Second {
		t.Errorf("the calls ended %v after the node had died", took)
	}
	n.Run(func(c *service.Context) error {
		if _, err := cluster.Call(c, "srv", "@sdb", "echo"); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("a call while the node is away: %v", err)
		}
		return nil
	})

	again := nodetest.Start(t, nodetest.Services(sdb()))
	again.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"self": addr}) })
	serve(again, "self")
	echo := func(c *service.Context) error { _, err := cluster.Call(c, "srv", "@sdb", "echo"); return err }
	n.Run(echo)
	again.Stop()

	_, elsewhere, _ := server(t)
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": elsewhere}) })
	n.Run(echo)
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("nodes.lua", "srv = '127.0.0.1:1'\n__nowaiting = true")
	n := nodetest.Start(t, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Env["cluster"] = path }))
	unknown := func(node string) bool {
		var err error
		n.Run(func(c *service.Context) error { _, err = cluster.Call(c, node, "@sdb", "echo"); return nil })
		return errors.Is(err, cluster.ErrNodeUnknown)
	}
	if unknown("srv") || !unknown("more") {
		t.Error("the configured file was not read at the start")
	}
	write("nodes.lua", "more = '127.0.0.1:1'")
	n.Run(func(c *service.Context) error { return cluster.Reload(c, nil) })
	if unknown("srv") || unknown("more") {
		t.Error("Reload(nil) did not read the configured file again, or forgot a node")
	}
	other := write("other.lua", "other = '127.0.0.1:1'")
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.File(other)) })
	if unknown("other") {
		t.Error("Reload(File) did not read the file")
	}

	for _, bad := range []struct {
		source cluster.Source
		text   string
	}{
		{cluster.Text("a = '127.0.0.1:1'\nsrv = 5"), "node table:2: srv"},
		{cluster.Text("srv = "), "node table:1:"},
		{cluster.Text("srv = 'nowhere'"), `is not host:port: "nowhere"`},
		{cluster.Text("__nowaiting = 1"), "__nowaiting"},
		{cluster.File(filepath.Join(dir, "nosuch")), "nosuch"},
		{cluster.Table{"srv": true}, "srv is neither false nor a string"},
	} {
		n.Run(func(c *service.Context) error {
			err := cluster.Reload(c, bad.source)
			if err == nil || !strings.Contains(err.Error(), bad.text) {
				return fmt.Errorf("%v: got error %v, want %q in it", bad.source, err, bad.text)
			}
			return nil
		})
	}
	if !unknown("a") {
		t.Error("a table with a bad line was taken in part")
	}
}

// An address is the name of its node, without a line in the table.
func TestAddressAsNodeName(t *testing.T) {
	_, addr, h := server(t)
	n := client(t, nil)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n.Run(func(c *service.Context) error {
		for _, node := range []string{addr, "localhost:" + port} {
			if got, err := cluster.CallAs[int](c, node, "@sdb", "number", 7); err != nil || got != 7 {
				return fmt.Errorf("call %s: %d, %v", node, got, err)
			}
			if err := cluster.Send(c, node, "@sdb", "note", node); err != nil {
				return err
			}
			if got, err := cluster.Query(c, node, "sdb"); err != nil || got != h {
				return fmt.Errorf("query %s: %s, %v", node, got, err)
			}
			for _, proxy := range []struct {
				node string
				addr []any
			}{{node + "@sdb", nil}, {node + ".sdb", nil}, {node, []any{"@sdb"}}, {node, []any{h}}} {
				p, err := cluster.Proxy(c, proxy.node, proxy.addr...)
				if err != nil {
					return err
				}
				if got, err := service.Call[string](c, p, "echo", "x"); err != nil || got != "x" {
					return fmt.Errorf("proxy %s %v: %q, %v", proxy.node, proxy.addr, got, err)
				}
			}
			if p, err := cluster.Proxy(c, node); err == nil {
				return fmt.Errorf("a proxy of %s without a service: %s", node, p)
			}
		}
		notes, err := cluster.Call(c, addr, "@sdb", "notes")
		return errors.Join(err, want("notes", notes, []any{addr, "localhost:" + port}))
	})
	if got := count(n, "clustersender"); got != 2 {
		t.Errorf("%d clustersenders, want one for each name", got)
	}
	n.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{addr: false, "127.0.0.1:1": addr}); err != nil {
			return err
		}
		if _, err := cluster.Call(c, "127.0.0.1:1", "@sdb", "echo"); err != nil {
			return fmt.Errorf("the table says that it is elsewhere: %w", err)
		}
		if _, err := cluster.Call(c, addr, "@sdb", "echo"); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("the table says that it is down: %v", err)
		}
		at, err := cluster.Open(c, "127.0.0.1:0")
		if err == nil {
			_, err = cluster.Call(c, at, ".launcher", "LIST")
		}
		return err
	})
}

func TestB121BadTableStopsTheStart(t *testing.T) {
	for _, text := range []string{"srv = 5", "srv ="} {
		path := filepath.Join(t.TempDir(), "nodes.lua")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := nodetest.TryStart(t, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Env["cluster"] = path }))
		if err == nil || !strings.Contains(err.Error(), "nodes.lua:1") {
			t.Errorf("%q: got %v, want an error that names the file and line", text, err)
		}
	}
}
