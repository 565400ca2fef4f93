package service_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// benchNode makes a node with the pool of production that logs nothing.
func benchNode(b *testing.B, isolate bool, defs ...*service.Definition) *node {
	b.Helper()
	cfg := actor.DefaultConfig()
	cfg.Logger = actor.LoggerFunc(func(service.Handle, string) {})
	if isolate {
		cfg.Isolate = service.Isolate
	}
	n, err := actor.NewNode(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = n.Shutdown(context.Background()) })
	service.Install(n, defs...)
	return &node{Node: n}
}

// measure runs f b.N times on one coroutine.
func measure(b *testing.B, n *node, f func(c *service.Context) error) {
	b.Helper()
	b.ReportAllocs()
	if err := service.Run(context.Background(), n.Node, func(c *service.Context) error {
		for b.Loop() {
			if err := f(c); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, isolate := range []bool{false, true} {
		n := benchNode(b, isolate)
		h := serve(b, n, "handlers", handlers)
		arg := point{1, 2}
		for name, call := range map[string]func(c *service.Context) error{
			"untyped": func(c *service.Context) error { _, err := c.Call(h, "F2", "a", "b"); return err },
			"typed":   func(c *service.Context) error { _, err := service.Call[string](c, h, "F2", "a", "b"); return err },
			"cmd":     func(c *service.Context) error { _, err := double.Call(c, h, &arg); return err },
		} {
			b.Run(fmt.Sprintf("%s/isolate=%v", name, isolate), func(b *testing.B) { measure(b, n, call) })
		}
	}
}

// BenchmarkSend has ten thousand messages on their way at most.
func BenchmarkSend(b *testing.B) {
	n := benchNode(b, false)
	h := serve(b, n, "handlers", handlers)
	arg := new(point)
	for name, send := range map[string]func(c *service.Context) error{
		"untyped": func(c *service.Context) error { return c.Send(h, "P1", 1) },
		"cmd":     func(c *service.Context) error { return double.Send(c, h, arg) },
	} {
		b.Run(name, func(b *testing.B) {
			sent := 0
			measure(b, n, func(c *service.Context) error {
				if sent++; sent%10000 == 0 {
					_, err := c.Call(h, "P1", 1)
					return err
				}
				return send(c)
			})
		})
	}
}

// BenchmarkHandOver is two coroutines of a service that wake one another.
func BenchmarkHandOver(b *testing.B) {
	n := benchNode(b, false)
	started := false
	measure(b, n, func(c *service.Context) error {
		if !started {
			started = true
			c.Fork(func(c *service.Context) {
				for {
					c.Wakeup("a")
					_ = c.Wait("b")
				}
			})
		}
		err := c.Wait("a")
		c.Wakeup("b")
		return err
	})
}

// BenchmarkLaunch is the start of a service, up to the return of its start
// function, and its end.
func BenchmarkLaunch(b *testing.B) {
	n := benchNode(b, false, service.Def("s", func(*service.Context, ...any) error { return nil }, service.Quiet))
	b.ReportAllocs()
	for b.Loop() {
		h := start(b, n, "s")
		done := n.Find(h).Done()
		if err := n.Kill(0, h); err != nil {
			b.Fatal(err)
		}
		<-done
	}
}

// BenchmarkRun is the way in from outside of any service.
func BenchmarkRun(b *testing.B) {
	n := benchNode(b, false)
	b.ReportAllocs()
	for b.Loop() {
		do(b, n, func(*service.Context) {})
	}
}

// BenchmarkIdleService reports what a service with shared commands costs that
// has answered a call and waits for the next.
func BenchmarkIdleService(b *testing.B) {
	const services = 20_000
	def := service.Def("s", func(*service.Context, ...any) error { return nil }, service.Quiet,
		service.Commands{"GET": service.F0(func(*service.Context) (int, error) { return 1, nil })})
	for b.Loop() {
		n := benchNode(b, false, def)
		before := inUse()
		handles := make([]service.Handle, services)
		for i := range handles {
			handles[i] = start(b, n, "s")
		}
		do(b, n, func(c *service.Context) {
			for _, h := range handles {
				if _, err := c.Call(h, "GET"); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(inUse()-before)/services, "B/service")
		runtime.KeepAlive(handles)
		if err := n.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
	}
}

// inUse is the memory of heap and stacks.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
