package actor

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pendingTimers is how many timers the tests and benchmarks set at once.
const pendingTimers = 100_000

// Pending timers, of one service or of many, have no goroutine, and every one
// fires, never early.
func TestManyTimersHaveNoGoroutine(t *testing.T) {
	for _, services := range []int{1, 1000} {
		t.Run(fmt.Sprintf("services=%d", services), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _ := newNode(t)
				before := runtime.NumGoroutine()
				fired := make([]atomic.Int64, services)
				for i := range services {
					inside(t, n, func(co *Coroutine) {
						for range pendingTimers / services {
							d := time.Hour + time.Second*rand.N[time.Duration](60)
							due := n.Uptime() + d
							co.Timeout(d, func(*Coroutine) {
								fired[i].Add(1)
								if n.Uptime() < due {
									t.Errorf("%v early", due-n.Uptime())
								}
							})
						}
					})
				}
				synctest.Wait()
				if more := runtime.NumGoroutine() - before; more > 10 {
					t.Errorf("%d goroutines for %d timers", more, pendingTimers)
				}
				time.Sleep(time.Hour - time.Nanosecond) //nolint:forbidigo // in a bubble
				synctest.Wait()
				for i := range fired {
					if got := fired[i].Load(); got != 0 {
						t.Fatalf("service %d: %d timers fired early", i, got)
					}
				}
				time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
				synctest.Wait()
				for i := range fired {
					if got := fired[i].Load(); got != int64(pendingTimers/services) {
						t.Fatalf("service %d: %d timers fired", i, got)
					}
				}
			})
		})
	}
}

// Timers of one time fire in the order in which they were made, whatever lies
// between them and however they were mixed with others.
func TestTimersOfOneTime(t *testing.T) {
	const rounds, each = 20, 50
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		var got []string
		inside(t, n, func(co *Coroutine) {
			for i := range each {
				for _, round := range rand.Perm(rounds) {
					timer := co.Timeout(time.Duration(round+1)*time.Second, func(*Coroutine) {
						got = append(got, fmt.Sprint(round, " ", i))
					})
					if i%5 == 4 {
						timer.Cancel()
					}
				}
			}
		})
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		synctest.Wait()
		at := 0
		for round := range rounds {
			for i := range each {
				if i%5 == 4 {
					continue
				}
				if want := fmt.Sprint(round, " ", i); at >= len(got) || got[at] != want {
					t.Fatalf("number %d is not %s in %v", at, want, got)
				}
				at++
			}
		}
		if at != len(got) {
			t.Errorf("%d timers fired, want %d", len(got), at)
		}
	})
}
