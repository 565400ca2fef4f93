//go:build interop

package cluster_test

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

func TestInteropCall(t *testing.T) {
	both(t, func(_ *testing.T, p *pair, d direction) {
		p.Run(func(c *service.Context) error {
			h, err := d.query(c, d.node, "sdb")
			if err := errors.Join(err, want("query", h, d.sdb)); err != nil {
				return err
			}
			for _, to := range []any{"@sdb", ".sdb", h.String(), int64(h)} {
				got, err := d.call(c, d.node, to, "echo", "x", 1, 2.5, true, nil)
				if err := errors.Join(err, want(fmt.Sprint(to), got, lualike.Args{"x", 1, 2.5, true, nil})); err != nil {
					return err
				}
				if err := d.send(c, d.node, to, "note", to); err != nil {
					return err
				}
				// Asked by the same address, since a name has to be looked up first (B179).
				got, err = d.call(c, d.node, to, "notes")
				if err := errors.Join(err, want("last note", got.At(len(got)-1), to)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func TestInteropSendIsInOrderWithCalls(t *testing.T) {
	both(t, func(_ *testing.T, p *pair, d direction) {
		p.Run(func(c *service.Context) error {
			var list lualike.Args
			for i := range 100 {
				if err := d.send(c, d.node, ".sdb", "note", i); err != nil {
					return err
				}
				list = append(list, i)
				if i%10 == 5 {
					if _, err := d.call(c, d.node, ".sdb", "note", "call"); err != nil {
						return err
					}
					list = append(list, "call")
				}
			}
			got, err := d.call(c, d.node, ".sdb", "notes")
			return errors.Join(err, want("notes", got, list))
		})
	})
}

// The texts of B171.
func TestInteropErrors(t *testing.T) {
	both(t, func(_ *testing.T, p *pair, d direction) {
		for _, test := range []struct {
			to   any
			args []any
			text string
		}{
			{"@sdb", []any{"fail", "boom"}, cluster.TextCallFailed},
			{"@sdb", []any{"nosuch"}, cluster.TextCallFailed},
			{"@sdb", []any{"refuse"}, cluster.TextCallFailed},
			{"@nosuch", []any{"echo"}, cluster.TextInvalidName},
			{".nosuch", []any{"echo"}, cluster.TextInvalidAddress},
			{0xffffff, []any{"echo"}, cluster.TextInvalidAddress},
			{d.sdb, []any{"quit"}, cluster.TextCallFailed},
			{d.sdb, []any{"echo"}, cluster.TextInvalidAddress},
		} {
			p.fails(test.text, func(c *service.Context) error {
				_, err := d.call(c, d.node, test.to, test.args...)
				return err
			})
		}
		p.fails(cluster.TextNameNotFound, func(c *service.Context) error {
			_, err := d.query(c, d.node, "nosuch")
			return err
		})
	})
}

// The parts of a large request that do not add up: the one text that no caller of
// either side gets to see.
func TestInteropInvalidLarge(t *testing.T) {
	p := startPair(t)
	payload := make([]byte, 0x8001)
	begin, parts, err := wire.AppendRequest(nil, wire.NameAddr("@sdb"), 1, payload)
	if err != nil {
		t.Fatal(err)
	}
	for name, addr := range map[string]string{"go": p.addr, "lua": p.luaAddr} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := conn.Write(wire.AppendPart(begin, 1, payload, parts-1)); err != nil {
			t.Fatal(err)
		}
		frame, err := readFrame(conn)
		if err != nil {
			t.Fatal(err)
		}
		r, err := wire.ParseResponse(frame[2:])
		if err != nil || r.Kind != wire.KindError || string(r.Payload) != cluster.TextInvalidLarge {
			t.Errorf("%s answers %v %q, %v", name, r.Kind, r.Payload, err)
		}
	}
}

// A text that a handler here wants to be seen reaches a Lua node's log.
func TestInteropErrorTextOfGo(t *testing.T) {
	p := startPair(t)
	p.fails("boom", func(c *service.Context) error {
		_, err := drive(c, "call", "go", "@sdb", "failtext", "boom")
		return err
	})
}

// A push to a name that nobody has is answered, with session 0; the connection
// and the calls on it live on (B172).
func TestInteropPushToUnknownName(t *testing.T) {
	both(t, func(_ *testing.T, p *pair, d direction) {
		p.Run(func(c *service.Context) error {
			for _, to := range []any{"@nosuch", ".nosuch", 0xffffff} {
				if err := d.send(c, d.node, to, "note"); err != nil {
					return err
				}
				if _, err := d.call(c, d.node, "@sdb", "echo"); err != nil {
					return err
				}
			}
			return nil
		})
		d.log("socket: unknown session : 0")
	})
}

// What real Skynet never answers ends at the caller's deadline (B174, B175).
func TestInteropSilence(t *testing.T) {
	p := startPair(t)
	p.Run(func(c *service.Context) error {
		brief := c.WithTimeout(50 * time.Millisecond)
		if _, err := cluster.Call(brief, "lua", "sdb", "echo"); !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("an address without prefix: %v", err)
		}
		_, err := cluster.Req(brief, "lua", cluster.Request{Name: "@sdb", Payload: []byte{0xff}})
		if !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("a payload that is no value: %v", err)
		}
		_, err = cluster.Call(c, "lua", "@sdb", "echo")
		return err
	})
}

func TestInteropRegister(t *testing.T) {
	both(t, func(_ *testing.T, p *pair, d direction) {
		p.fails(cluster.TextInvalidName, func(c *service.Context) error {
			echo := func(name string) error { _, err := d.call(c, d.node, name, "echo"); return err }
			if err := echo("@extra"); err == nil {
				return errors.New("a name is known before it is registered")
			}
			// A second name for one service replaces the first.
			if err := d.register(c, "extra", d.sdb); err != nil {
				return err
			}
			if err := echo("@extra"); err != nil {
				return err
			}
			if h, err := d.query(c, d.node, "extra"); err != nil || h != d.sdb {
				return fmt.Errorf("query: %v, %v; want %v", h, err, d.sdb)
			}
			if err := echo("@sdb"); err == nil {
				return errors.New("the replaced name is still known")
			}
			if err := d.unregister(c, "extra"); err != nil {
				return err
			}
			return echo("@extra")
		})
	})
}

func TestInteropProxyToLua(t *testing.T) {
	p := startPair(t)
	p.Run(func(c *service.Context) error {
		for _, args := range [][]any{{"lua@sdb"}, {"lua.sdb"}, {"lua", "@sdb"}, {"lua", p.luaSDB}} {
			proxy, err := cluster.Proxy(c, args[0].(string), args[1:]...)
			if err != nil {
				return err
			}
			n, err := service.Cmd[int, int]("number").Call(c, proxy, 7)
			if err := errors.Join(err, want("number", n, 7)); err != nil {
				return err
			}
			if err := c.Send(proxy, "note", 1); err != nil {
				return err
			}
			if _, err := c.Call(proxy, "fail", "boom"); !errors.Is(err, service.ErrCallFailed) {
				return fmt.Errorf("a failing call: %v", err)
			}
		}
		got, err := cluster.Call(c, "lua", "@sdb", "notes")
		return errors.Join(err, want("notes", got, lualike.Args{1, 1, 1, 1}))
	})
}

func TestInteropProxyToGo(t *testing.T) {
	p := startPair(t)
	p.Run(func(c *service.Context) error {
		for _, args := range [][]any{{"go@sdb"}, {"go.sdb"}, {"go", "@sdb"}, {"go", p.sdb}} {
			got, err := drive(c, append([]any{"proxy"}, args...)...)
			if err != nil {
				return err
			}
			proxy := got.At(0)
			got, err = drive(c, "ask", proxy, "number", 7)
			if err := errors.Join(err, want("number", got, lualike.Args{7})); err != nil {
				return err
			}
			if _, err = drive(c, "tell", proxy, "note", 1); err != nil {
				return err
			}
			var lua luaError
			if _, err = drive(c, "ask", proxy, "fail", "boom"); !errors.As(err, &lua) {
				return fmt.Errorf("a failing call: %v", err)
			}
		}
		got, err := c.Call(p.sdb, "notes")
		return errors.Join(err, want("notes", got, lualike.Args{1, 1, 1, 1}))
	})
}

// Whoever calls whom: two connections, one for each direction.
func TestInteropTwoConnections(t *testing.T) {
	p := startPair(t)
	const callers = 5
	answers := make(chan error, callers)
	for range callers {
		go func() {
			answers <- service.Run(t.Context(), p.Node.Node, func(c *service.Context) error {
				driver, err := drive(c, "launch", "driver")
				if err != nil {
					return err
				}
				_, err = driveAt(c, driver.At(0), "call", "go", "@sdb", "echo")
				return err
			})
		}()
	}
	for range callers {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if opened, accepted := connections(p.Node); opened != 1 || accepted != 1 {
		t.Errorf("%d connections opened and %d accepted, want 1 of each", opened, accepted)
	}
}
