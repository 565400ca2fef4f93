package main

import (
	"errors"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"
)

// What every side has used; the ends of the names of figures.
const (
	whatAllocs = "allocs"
	whatCPU    = "cpu"
)

// meter counts what the operations of one round cost: time, and the allocations
// and the processor time of all processes that take part.
type meter struct {
	procs []*child
	away  bool
	err   error

	ops  int
	time time.Duration
	used usage
	laps []time.Duration // of single operations, when those are measured
	more []note

	begun  time.Time
	before usage
}

// note is one more thing that a round has measured; what is the end of its name.
type note struct {
	what, unit string
	value      float64
}

// usage is what processes have used since their start.
type usage struct {
	allocs float64
	cpu    time.Duration
}

// start begins to count. What start and stop enclose may come in pieces.
func (m *meter) start() {
	m.before = m.usage()
	m.begun = time.Now()
}

// stop has counted ops operations.
func (m *meter) stop(ops int) { m.stopAfter(ops, time.Since(m.begun)) }

// stopAfter is stop for operations whose time somebody else has taken.
func (m *meter) stopAfter(ops int, d time.Duration) {
	after := m.usage()
	m.ops += ops
	m.time += d
	m.used.allocs += after.allocs - m.before.allocs
	m.used.cpu += after.cpu - m.before.cpu
}

func (m *meter) note(what, unit string, value float64) {
	m.more = append(m.more, note{what, unit, value})
}

func (m *meter) usage() usage {
	var sum usage
	if !m.away {
		sum = ownUsage()
	}
	for _, p := range m.procs {
		u, err := p.usage()
		m.err = errors.Join(m.err, err)
		sum.allocs += u.allocs
		sum.cpu += u.cpu
	}
	return sum
}

// all is everything but the main figure.
func (m *meter) all() []note {
	out := slices.Clone(m.more)
	if len(m.laps) > 0 {
		slices.Sort(m.laps)
		for _, p := range []struct {
			what string
			part float64
		}{{"p50", 0.5}, {"p99", 0.99}} {
			at := m.laps[int(p.part*float64(len(m.laps)-1))]
			out = append(out, note{p.what, "us", float64(at) / float64(time.Microsecond)})
		}
	}
	if !m.away {
		out = append(out, note{whatAllocs, "per op", m.used.allocs / float64(m.ops)})
	}
	return append(out, note{whatCPU, "s per million", m.used.cpu.Seconds() * 1e6 / float64(m.ops)})
}

func ownUsage() usage {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(sample)
	return usage{allocs: float64(sample[0].Value.Uint64()), cpu: processorTime()}
}

// inUse is the memory of heap and stacks, without what is garbage.
func inUse() float64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return float64(s.HeapInuse + s.StackInuse)
}
