package cluster_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// level is what a process uses.
type level struct {
	goroutines int
	heap       uint64
}

func measure() level {
	runtime.GC()
	runtime.GC() // what is in a sync.Pool goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return level{runtime.NumGoroutine(), m.HeapAlloc}
}

// again waits until the process uses as little as before.
func (l level) again(t *testing.T, heap uint64, when string) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for {
		now := measure()
		if now.goroutines <= l.goroutines && now.heap <= l.heap+heap {
			t.Logf("%s: %d goroutines, %d KiB; before: %d, %d KiB", when, now.goroutines, now.heap>>10, l.goroutines, l.heap>>10)
			return
		}
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%s: %d goroutines, %d KiB; before: %d, %d KiB\n%s", when,
				now.goroutines, now.heap>>10, l.goroutines, l.heap>>10, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// chaosLog keeps only the last lines, for a node that runs for long.
type chaosLog struct {
	mu    sync.Mutex
	lines []string
}

// options has a node log to l, and know more services.
func (l *chaosLog) options(defs ...*service.Definition) []nodetest.Option {
	def := service.Def("chaoslog", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeText, func(_ *service.Context, m service.Message) { l.add(fmt.Sprint(m.Data)) })
		return c.Register(".logger")
	}, service.Quiet)
	return []nodetest.Option{
		nodetest.Services(append(defs, def)...),
		nodetest.Config(func(cfg *bootstrap.Config) { cfg.LogService = def.Name() }),
	}
}

func (l *chaosLog) add(line string) {
	const most = 500
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == most {
		l.lines = append(l.lines[:0], l.lines[most/2:]...)
	}
	l.lines = append(l.lines, fmt.Sprintf("%.300s", line))
}

func (l *chaosLog) last() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}
