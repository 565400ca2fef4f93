package cluster_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// BenchmarkSmallBesideLarge is a small call on a link that carries messages of
// 16 MiB without a pause, echoed.
func BenchmarkSmallBesideLarge(b *testing.B) {
	srv := nodetest.Start(b, nodetest.Services(sdb()))
	addr, _ := serve(srv, 0)
	srv.Run(func(c *service.Context) error {
		h, err := c.NewService("sdb")
		if err != nil {
			return err
		}
		return cluster.Register(c, "large", h)
	})
	large := strings.Repeat("x", 16<<20)
	took := make([]time.Duration, 0, b.N)
	stop := make(chan struct{})
	streamed := make(chan int)
	stream := func(c *service.Context) {
		count := 0
		for ; ; count++ {
			select {
			case <-stop:
				streamed <- count
				return
			default:
			}
			if _, err := cluster.Call(c, "srv", "@large", "echo", large); err != nil {
				b.Error(err)
			}
		}
	}
	n := nodetest.Start(b, nodetest.Services(service.Def("stream", func(c *service.Context, _ ...any) error {
		c.Fork(stream)
		return nil
	})))
	n.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"srv": addr}); err != nil {
			return err
		}
		if err := warm(c); err != nil {
			return err
		}
		if _, err := c.NewService("stream"); err != nil {
			return err
		}
		b.ResetTimer()
		for range b.N {
			began := time.Now()
			if _, err := cluster.CallAs[int](c, "srv", "@sdb", "number", 1); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		b.StopTimer()
		return nil
	})
	close(stop)
	b.ReportMetric(float64(<-streamed)*16/b.Elapsed().Seconds(), "MiB/s")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
}

func warm(c *service.Context) error {
	_, err := cluster.CallAs[int](c, "srv", "@sdb", "number", 1)
	return err
}
