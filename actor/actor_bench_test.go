package actor

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

func benchNode(b *testing.B) *Node {
	n, _ := newNode(b, pooled)
	return n
}

// BenchmarkCall is a call between two services and its answer, without and with
// a deadline.
func BenchmarkCall(b *testing.B) {
	for _, timeout := range []time.Duration{0, 10 * time.Second} {
		b.Run(fmt.Sprintf("timeout=%v", timeout), func(b *testing.B) {
			n := benchNode(b)
			peer := launch(b, n, "echo", echo)
			b.ReportAllocs()
			inside(b, n, func(co *Coroutine) {
				b.ResetTimer()
				for range b.N {
					if _, err := co.Call(peer, request(nil), timeout); err != nil {
						b.Error(err)
						return
					}
				}
				b.StopTimer()
			})
		})
	}
}

// BenchmarkCallParallel is as many pairs of services as there are processors.
func BenchmarkCallParallel(b *testing.B) {
	n := benchNode(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		peer := launch(b, n, "echo", echo)
		inside(b, n, func(co *Coroutine) {
			for pb.Next() {
				if _, err := co.Call(peer, request(nil), 0); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkSend is a message to another service, a thousand on their way at
// most, with the services' time counted and not.
func BenchmarkSend(b *testing.B) {
	for _, profile := range []bool{false, true} {
		b.Run(fmt.Sprintf("profile=%v", profile), func(b *testing.B) {
			n, _ := newNode(b, func(cfg *Config) { cfg.Pool, cfg.Profile = nil, profile })
			peer := launch(b, n, "sink", code{receive: func(co *Coroutine, m Message) {
				if m.Session != 0 {
					_, _ = co.Reply(nil)
				}
			}})
			b.ReportAllocs()
			inside(b, n, func(co *Coroutine) {
				b.ResetTimer()
				for i := range b.N {
					_ = co.Send(peer, request(nil))
					if i%1000 == 999 {
						_, _ = co.Call(peer, request(nil), 0)
					}
				}
				_, _ = co.Call(peer, request(nil), 0)
				b.StopTimer()
			})
		})
	}
}

// BenchmarkHandOver is the baton's way from one coroutine of a service to
// another and back.
func BenchmarkHandOver(b *testing.B) {
	n := benchNode(b)
	b.ReportAllocs()
	inside(b, n, func(co *Coroutine) {
		ended := false
		co.Fork(func(co *Coroutine) {
			for !ended {
				co.Wakeup("a")
				_ = co.Wait("b")
			}
		})
		b.ResetTimer()
		for range b.N {
			_ = co.Wait("a")
			co.Wakeup("b")
		}
		b.StopTimer()
		ended = true
		_ = co.Sleep(0, nil)
	})
}

// BenchmarkLaunch is the start of a service and its end.
func BenchmarkLaunch(b *testing.B) {
	n := benchNode(b)
	b.ReportAllocs()
	for b.Loop() {
		h := launch(b, n, "s", code{})
		s := n.Find(h)
		_ = s.kill()
		<-s.Done()
	}
}

// BenchmarkIdleService reports what a service costs that has handled one
// message and waits for the next.
func BenchmarkIdleService(b *testing.B) {
	const services = 100_000
	for b.Loop() {
		n := benchNode(b)
		before := inUse()
		handles := make([]Handle, services)
		for i := range handles {
			handles[i] = launch(b, n, "idle", &counter{})
		}
		inside(b, n, func(co *Coroutine) {
			for _, h := range handles {
				if _, err := co.Call(h, request(nil), 0); err != nil {
					b.Error(err)
				}
			}
		})
		eventually(b, func() bool { return idle(n) }, "the node is idle")
		b.ReportMetric(float64(inUse()-before)/services, "B/service")
		runtime.KeepAlive(handles)
		shutdown(b, n)
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
