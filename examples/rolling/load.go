package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// load is what the callers do, and what became of it.
type load struct {
	nodes   []string
	callers int
	ends    atomic.Bool
	done    chan struct{} // gets a value from each caller that has ended

	calls, moved atomic.Int64

	// To be read when the callers have ended. One coroutine runs at a time: no lock.
	failed  int64
	err     error // why the last of them failed
	slowest time.Duration
}

// start is the start service of the calling node.
func (l *load) start(c *service.Context, _ ...any) error {
	for i := range l.callers {
		c.Fork(func(c *service.Context) {
			for n := i; !l.ends.Load(); n++ {
				began := c.Now()
				if err := l.call(c, n); err != nil {
					l.failed++
					l.err = err
				}
				l.calls.Add(1)
				l.slowest = max(l.slowest, c.Now()-began)
			}
			l.done <- struct{}{}
		})
	}
	// A node that is back is found soon; by default the pause between two attempts
	// to connect grows to seconds.
	return cluster.Reload(c, cluster.Table{"__backoff": 0.1})
}

// call asks one node, and the other when that is down, which may have done the
// work before: here that is harmless. Where it is not, cluster.DownError says in
// Left whether the request can have left.
func (l *load) call(c *service.Context, n int) error {
	node, other := l.nodes[n%2], l.nodes[(n+1)%2]
	sum, err := cluster.CallAs[int](c, node, "@adder", "ADD", n, 1)
	if errors.Is(err, cluster.ErrNodeDown) {
		l.moved.Add(1)
		sum, err = cluster.CallAs[int](c, other, "@adder", "ADD", n, 1)
	}
	if err == nil && sum != n+1 {
		err = fmt.Errorf("%d + 1 = %d", n, sum)
	}
	return err
}
