//go:build interop

package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/internal/process"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// goNodeEnv has TestInteropGoNode be a node, at this address.
const goNodeEnv = "INTEROP_GO_NODE"

// TestInteropGoNode is the program of a Go node that other tests can kill.
func TestInteropGoNode(t *testing.T) {
	addr := os.Getenv(goNodeEnv)
	if addr == "" {
		t.Skip("only as a process of another test")
	}
	n := nodetest.Start(t, nodetest.Services(sdb()))
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"self": addr}) })
	addr, _ = serve(n, "self")
	fmt.Println("Open", addr)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startGo runs a Go node as a process.
func startGo(t *testing.T, addr string) (*process.Process, string) {
	t.Helper()
	p := process.Start(t, ".", []string{goNodeEnv + "=" + addr}, os.Args[0], "-test.run=^TestInteropGoNode$")
	return p, p.Wait(`^Open (.*)$`)[1]
}

// startCalled runs one more node of the kind that d calls, at an address or any
// other ("").
func (d direction) startCalled(t *testing.T, addr string) (*process.Process, string) {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	if d.node == "go" {
		return startGo(t, addr)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return startLua(t, port)
}

// start makes a call in a coroutine of its own and returns where its error will
// be.
func (p *pair) start(f func(c *service.Context) error) <-chan error {
	failed := make(chan error, 1)
	go func() { failed <- service.Run(p.t.Context(), p.Node.Node, f) }()
	return failed
}

// hold makes calls that are not answered, and returns once they have arrived.
func (p *pair) hold(d direction, node string, calls int) (ends []<-chan error) {
	p.t.Helper()
	for range calls {
		ends = append(ends, p.start(func(c *service.Context) error {
			_, err := d.call(c.WithTimeout(service.Forever), node, "@sdb", "hold")
			return err
		}))
	}
	eventually(p.t, "all calls arrive", func() (all bool) {
		p.Run(func(c *service.Context) error {
			held, err := d.call(c, node, "@sdb", "held")
			all = held.At(0) == int64(calls)
			return err
		})
		return all
	})
	return ends
}

// lost wants the held calls to end because their node is gone.
func (p *pair) lost(d direction, ends []<-chan error) {
	p.t.Helper()
	timeout := time.After(20 * time.Second)
	for _, end := range ends {
		select {
		case err := <-end:
			if !d.isDown(err) {
				p.t.Errorf("a held call whose node is gone ended with %v", err)
			}
		case <-timeout:
			p.t.Fatal("a held call whose node is gone does not end")
		}
	}
}

// isDown reports whether a call failed because the node is not there.
func (d direction) isDown(err error) bool {
	var lua luaError
	return errors.Is(err, cluster.ErrNodeDown) || d.node == "go" && errors.As(err, &lua)
}

// echo calls node until it answers: right after it is there again, the caller
// may hold it for dead for a moment.
func (p *pair) echo(d direction, node string) {
	p.t.Helper()
	eventually(p.t, "node "+node+" answers", func() (answers bool) {
		p.Run(func(c *service.Context) error {
			got, err := d.call(c, node, "@sdb", "number", 7)
			answers = err == nil && got.At(0) == int64(7)
			return nil
		})
		return answers
	})
}

func TestInteropReload(t *testing.T) {
	both(t, func(t *testing.T, p *pair, d direction) {
		reload := func(addr any) {
			t.Helper()
			p.Run(func(c *service.Context) error { return d.reload(c, "srv", addr) })
		}
		notes := func() (n int) {
			t.Helper()
			p.Run(func(c *service.Context) error {
				got, err := d.call(c, "srv", "@sdb", "notes")
				n = len(got)
				return err
			})
			return n
		}
		_, addr1 := d.startCalled(t, "")
		_, addr2 := d.startCalled(t, "")

		// Unknown: the call waits for a reload that names the node.
		waiting := p.start(func(c *service.Context) error {
			got, err := d.call(c, "srv", "@sdb", "note", 1)
			return errors.Join(err, want("notes", got, lualike.Args{1}))
		})
		d.log("Waiting for cluster node [srv]")
		reload(addr1)
		if err := <-waiting; err != nil {
			t.Fatalf("the call that waited: %v", err)
		}
		d.log("Cluster node [srv] resolved : " + addr1)

		// Moved: what is under way fails, what follows goes to the new address.
		held := p.hold(d, "srv", 3)
		reload(addr2)
		p.lost(d, held)
		p.echo(d, "srv")
		if n := notes(); n != 0 {
			t.Errorf("the node at the new address has %d notes, want 0", n)
		}

		// Down, and back where it was first.
		held = p.hold(d, "srv", 3)
		reload(false)
		p.lost(d, held)
		p.Run(func(c *service.Context) error {
			if _, err := d.call(c, "srv", "@sdb", "echo"); !d.isDown(err) {
				return fmt.Errorf("a call to a node that the table says is down: %v", err)
			}
			return nil
		})
		reload(addr1)
		p.echo(d, "srv")
		if n := notes(); n != 1 {
			t.Errorf("the node at the first address has %d notes, want 1", n)
		}
	})
}

// A node that is killed in the middle of calls, and started again.
func TestInteropKilled(t *testing.T) {
	both(t, func(t *testing.T, p *pair, d direction) {
		called, addr := d.startCalled(t, "")
		p.Run(func(c *service.Context) error { return d.reload(c, "srv", addr) })
		held := p.hold(d, "srv", 20)
		called.Kill()
		p.lost(d, held)
		p.Run(func(c *service.Context) error {
			if _, err := d.call(c, "srv", "@sdb", "echo"); !d.isDown(err) {
				return fmt.Errorf("a call to a node that is not there: %v", err)
			}
			return nil
		})
		d.startCalled(t, addr)
		p.echo(d, "srv")
	})
}

// A caller that is killed in the middle of calls, and started again.
func TestInteropKilledCaller(t *testing.T) {
	p := startPair(t)
	d := p.luaToGo()
	held := p.hold(d, "go", 20)
	p.lua.Kill()
	p.lost(p.goToLua(), held) // what the test waits for is the driver's answer
	eventually(t, "the agent leaves", func() bool { return count(p.Node, "clusteragent") == 0 })
	p.Run(func(c *service.Context) error {
		_, err := c.Call(p.sdb, "release") // their caller is gone
		return err
	})
	_, port, err := net.SplitHostPort(p.luaAddr)
	if err != nil {
		t.Fatal(err)
	}
	p.lua, _ = startLua(t, port)
	p.echo(p.goToLua(), "lua")
	p.Run(func(c *service.Context) error { return reloadLua(c, "go", p.addr) })
	p.echo(d, "go")
}

// A stopped process says nothing and its kernel goes on acknowledging: calls end
// at their deadline. Once it goes on, its late answers are nobody's.
func TestInteropStopped(t *testing.T) {
	p := startPair(t)
	p.lua.Stop()
	const calls, deadline = 20, 100 * time.Millisecond
	var ends []<-chan error
	began := time.Now()
	for i := range calls {
		ends = append(ends, p.start(func(c *service.Context) error {
			_, err := cluster.Call(c.WithTimeout(deadline), "lua", "@sdb", "number", i)
			return err
		}))
	}
	for _, end := range ends {
		if err := <-end; !errors.Is(err, service.ErrTimeout) {
			t.Errorf("a call to a stopped process ended with %v", err)
		}
	}
	if took := time.Since(began); took < deadline {
		t.Errorf("the calls ended after %v, before their deadline", took)
	}
	p.lua.Continue()
	p.Run(func(c *service.Context) error {
		for i := range calls {
			got, err := cluster.Call(c, "lua", "@sdb", "number", -i)
			if err := errors.Join(err, want("answer", got, lualike.Args{-i})); err != nil {
				return err
			}
		}
		return nil
	})
}

// The probe takes the link to a stopped process down, for calls that have no
// deadline too; real Skynet answers it, so that it keeps its link while it owes
// other answers.
func TestInteropProbe(t *testing.T) {
	p := startPair(t)
	d := p.goToLua()
	const probe = 500 * time.Millisecond
	p.Run(func(c *service.Context) error {
		return cluster.Reload(c, cluster.Table{"srv": p.luaAddr, "__probe": probe.Seconds()})
	})
	held := p.hold(d, "srv", 3)
	p.Run(func(c *service.Context) error { return c.Sleep(3 * probe) })
	select {
	case err := <-held[0]:
		t.Fatalf("a call to a process that runs ended with %v", err)
	default:
	}
	p.lua.Stop()
	p.lost(d, held)
	p.lua.Continue()
	p.echo(d, "srv")
}
