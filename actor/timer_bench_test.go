package actor

import (
	"runtime"
	"testing"
	"time"
)

// BenchmarkPendingTimers sets timers that never fire and reports what each
// costs while it is pending: memory, and goroutines, of which there are none.
//
//	go test -run '^$' -bench PendingTimers ./actor
func BenchmarkPendingTimers(b *testing.B) {
	n, _ := newNode(b)
	var before, after runtime.MemStats
	goroutines := runtime.NumGoroutine()
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		h := inside(b, n, func(co *Coroutine) {
			for i := range pendingTimers {
				co.Timeout(time.Hour+time.Duration(i), func(*Coroutine) {})
			}
		})
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/pendingTimers, "B/timer")
		b.ReportMetric(float64(max(runtime.NumGoroutine()-goroutines, 0))/pendingTimers, "goroutines/timer")
		end(b, n, h)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pendingTimers, "ns/timer")
}

// BenchmarkTimerAmongMany sets a timer and cancels it while many are pending.
func BenchmarkTimerAmongMany(b *testing.B) {
	n, _ := newNode(b)
	inside(b, n, func(co *Coroutine) {
		for i := range pendingTimers {
			co.Timeout(time.Hour+time.Duration(i), func(*Coroutine) {})
		}
		for b.Loop() {
			co.Timeout(2*time.Hour, func(*Coroutine) {}).Cancel()
		}
	})
}
