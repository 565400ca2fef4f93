//go:build interop

package cluster_test

import (
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// TestInteropChaos is TestChaos with a real Skynet at one end.
func TestInteropChaos(t *testing.T) {
	seed, duration := chaosSettings(t)
	rest := measure()
	t.Run("GoToLua", func(t *testing.T) {
		p := startPair(t)
		p.launchChaos()
		newChaos(t, seed, p.luaAddr, p.Node).run(duration)
	})
	t.Run("LuaToGo", func(t *testing.T) {
		p := startPair(t)
		callers := p.launchChaos()
		service.Install(p.Node.Node, echo(t))
		x := newLinkChaos(t, seed, serveEcho(p.Node))
		x.node, x.nodes = p.Node, []*nodetest.Node{p.Node}
		x.reload = func(c *service.Context, addr any) error { return reloadLua(c, "peer", addr) }
		defer x.report()
		x.move(0)
		tell := func(args ...any) (got lualike.Args) {
			t.Helper()
			p.Run(func(c *service.Context) (err error) { got, err = cluster.Call(c, "lua", callers, args...); return err })
			return got
		}
		eventually(t, "the link stands", func() (stands bool) { // a proxy may refuse the first attempts
			p.Run(func(c *service.Context) error {
				_, err := drive(c, "query", "peer", "echo")
				stands = err == nil
				return nil
			})
			return stands
		})
		services := x.services()
		rest := measure()
		tell("start", "peer", chaosCallers)
		x.moveAbout(duration)
		for _, proxy := range x.proxies {
			proxy.appease()
		}
		answered := tell("count").At(1)
		eventually(t, "calls are answered again", func() bool { return tell("count").At(1) != answered })
		tell("stop")
		eventually(t, "every call has ended", func() bool { return tell("count").At(0) == int64(0) })
		counts := tell("count")
		t.Logf("calls of Lua: %v answered, %v failed, %v sends", counts.At(1), counts.At(2), counts.At(3))
		x.comeBack(services)
		rest.again(t, chaosHeap, "when the faults have ended")
	})
	rest.again(t, chaosHeap/4, "after the end of the nodes")
}

// launchChaos starts chaos.lua.
func (p *pair) launchChaos() any {
	p.t.Helper()
	var got lualike.Args
	p.Run(func(c *service.Context) (err error) { got, err = drive(c, "launch", "chaos"); return err })
	return got.At(0)
}
