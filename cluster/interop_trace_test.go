//go:build interop

package cluster_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// A traced call leaves its tag in the logs of both nodes (B191).
func TestInteropTrace(t *testing.T) {
	t.Run("GoToLua", func(t *testing.T) {
		p := startPair(t)
		p.Run(func(c *service.Context) error {
			c.Trace()
			_, err := cluster.Call(c, "lua", "@sdb", "echo", 1)
			return err
		})
		tag := p.lua.Wait(`<TRACE (\([^ ]+-lua-\d+\):[0-9a-f]{8}-1)> \d+ tracecall begin$`)[1]
		for _, text := range []string{"request", "response", "end", "tracecall end"} {
			p.lua.Wait(`<TRACE ` + regexp.QuoteMeta(tag) + `> \d+ ` + text + `$`)
		}
		p.Log.Wait(t, "session "+tag)
		p.Log.Wait(t, "<TRACE "+tag+">")
	})
	t.Run("LuaToGo", func(t *testing.T) {
		p := startPair(t)
		p.Run(func(c *service.Context) error {
			_, err := drive(c, "traced", "go", "@sdb", "echo", 1)
			return err
		})
		tag := p.lua.Wait(`session (\([^ ]+-go-\d+\):[0-9a-f]{8}-1)$`)[1]
		p.lua.Wait(`<TRACE ` + regexp.QuoteMeta(tag) + `> \d+ cluster go$`)
		for _, text := range []string{"tracecall begin", "request", "response", "end", "tracecall end"} {
			eventually(t, text, func() bool {
				return slices.ContainsFunc(p.Log.Lines(), regexp.MustCompile(regexp.QuoteMeta(tag)+`> \d+ `+text+`$`).MatchString)
			})
		}
	})
}
