//go:build interop

// The interop tests run a real Skynet, with the services in testdata/lua, beside
// a node in the test's own process; make interop runs them.

package cluster_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/internal/process"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// startLua runs a real Skynet with an sdb and a driver, registered under these
// names. It listens on port, 0 for any.
func startLua(t *testing.T, port string) (p *process.Process, addr string) {
	t.Helper()
	p = process.Skynet(t, process.Config(t, "testdata/lua", "interop", map[string]string{"port": port}))
	return p, p.Wait(`\] Open (127\.0\.0\.1:\d+)$`)[1]
}

// pair is a Go node and a Lua node that know each other, as "go" and "lua". Each
// has an sdb, registered as "sdb" and named ".sdb".
type pair struct {
	*nodetest.Node
	t       *testing.T
	addr    string // of the Go node
	sdb     service.Handle
	lua     *process.Process
	luaAddr string
	luaSDB  service.Handle
}

func startPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t}
	p.Node, p.addr, p.sdb = server(t)
	p.lua, p.luaAddr = startLua(t, "0")
	p.Run(func(c *service.Context) (err error) {
		if err = cluster.Reload(c, cluster.Table{"lua": p.luaAddr}); err != nil {
			return err
		}
		if p.luaSDB, err = cluster.Query(c, "lua", "sdb"); err != nil {
			return err
		}
		return reloadLua(c, "go", p.addr)
	})
	return p
}

// drive has the driver of the Lua node run a command.
func drive(c *service.Context, args ...any) (lualike.Args, error) {
	return driveAt(c, "@driver", args...)
}

func driveAt(c *service.Context, driver any, args ...any) (lualike.Args, error) {
	got, err := cluster.Call(c, "lua", driver, args...)
	if err != nil {
		return nil, err
	}
	ok, err := got.Bool(0)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, luaError(fmt.Sprint(got.At(1)))
	}
	return got[1:], nil
}

// luaError is an error that was raised at the Lua node.
type luaError string

func (e luaError) Error() string { return string(e) }

// reloadLua gives the Lua node the address of a node: text, or false.
func reloadLua(c *service.Context, node string, addr any) error {
	if text, ok := addr.(string); ok {
		addr = fmt.Sprintf("%q", text)
	}
	_, err := drive(c, "reload", fmt.Sprintf("%s = %v", node, addr))
	return err
}

// direction is one of the two ways between the nodes of a pair.
type direction struct {
	node       string         // who is called, as the caller knows it
	sdb        service.Handle // of who is called
	call       func(c *service.Context, node string, addr any, args ...any) (lualike.Args, error)
	send       func(c *service.Context, node string, addr any, args ...any) error
	query      func(c *service.Context, node, name string) (service.Handle, error)
	register   func(c *service.Context, name string, addr service.Handle) error // at who is called
	unregister func(c *service.Context, name string) error
	reload     func(c *service.Context, node string, addr any) error
	log        func(text string) // waits for a line in the log of who calls
}

// both runs a test for each direction, with a pair of its own.
func both(t *testing.T, test func(t *testing.T, p *pair, d direction)) {
	t.Run("GoToLua", func(t *testing.T) {
		p := startPair(t)
		test(t, p, p.goToLua())
	})
	t.Run("LuaToGo", func(t *testing.T) {
		p := startPair(t)
		test(t, p, p.luaToGo())
	})
}

func (p *pair) goToLua() direction {
	return direction{
		node:  "lua",
		sdb:   p.luaSDB,
		call:  cluster.Call,
		send:  cluster.Send,
		query: cluster.Query,
		register: func(c *service.Context, name string, addr service.Handle) error {
			_, err := drive(c, "register", name, addr)
			return err
		},
		unregister: func(c *service.Context, name string) error { _, err := drive(c, "unregister", name); return err },
		reload: func(c *service.Context, node string, addr any) error {
			return cluster.Reload(c, cluster.Table{node: addr})
		},
		log: func(text string) { p.t.Helper(); p.Log.Wait(p.t, text) },
	}
}

func (p *pair) luaToGo() direction {
	return direction{
		node: "go",
		sdb:  p.sdb,
		call: func(c *service.Context, node string, addr any, args ...any) (lualike.Args, error) {
			return drive(c, append([]any{"call", node, addr}, args...)...)
		},
		send: func(c *service.Context, node string, addr any, args ...any) error {
			_, err := drive(c, append([]any{"send", node, addr}, args...)...)
			return err
		},
		query: func(c *service.Context, node, name string) (service.Handle, error) {
			got, err := drive(c, "query", node, name)
			if err != nil {
				return 0, err
			}
			return lualike.As[service.Handle](got.At(0))
		},
		register:   cluster.Register,
		unregister: cluster.Unregister,
		reload:     reloadLua,
		log:        func(text string) { p.t.Helper(); p.lua.Wait(regexp.QuoteMeta(text)) },
	}
}

// fails wants f to end with the failure of a call: with this text for a caller in
// Go; for one in Lua with call failed, and the text in its node's log.
func (p *pair) fails(text string, f func(c *service.Context) error) {
	p.t.Helper()
	var err error
	p.Run(func(c *service.Context) error { err = f(c); return nil })
	var remote *cluster.RemoteError
	var lua luaError
	switch {
	case errors.As(err, &lua) && strings.HasSuffix(err.Error(), "call failed"):
		p.lua.Wait(text + `$`)
	case !errors.As(err, &remote) || !strings.HasSuffix(remote.Text, text):
		p.t.Errorf("got error %v, want the text %q", err, text)
	}
}
