package cluster_test

import (
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// BenchmarkCall has both nodes of a call in this process, so what is allocated is
// all that a call takes.
func BenchmarkCall(b *testing.B)    { benchmarkCalls(b, 1) }
func BenchmarkCall100(b *testing.B) { benchmarkCalls(b, 100) }

// benchmarkCalls has a service call with so many coroutines.
func benchmarkCalls(b *testing.B, callers int) {
	srv := nodetest.Start(b, nodetest.Services(sdb()))
	addr, _ := serve(srv, 0)
	n := nodetest.Start(b)
	b.ReportAllocs()
	n.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"srv": addr}); err != nil {
			return err
		}
		b.ResetTimer()
		var err error
		left := b.N
		for range callers {
			c.Fork(func(c *service.Context) {
				for left > 0 && err == nil {
					left--
					_, err = cluster.Call(c, "srv", "@sdb", "echo", "sixteen  letters")
				}
				if callers--; callers == 0 {
					c.Wakeup(b)
				}
			})
		}
		_ = c.Wait(b)
		return err
	})
}
