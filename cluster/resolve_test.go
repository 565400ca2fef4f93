package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// source is a Resolver that the test plays, in a bubble. The lock is there for
// the race detector, which does not see that time has passed in between.
type source struct {
	mu     sync.Mutex
	answer func(ctx context.Context) (cluster.Table, error)
	count  int
}

func (s *source) Resolve(ctx context.Context) (cluster.Table, error) {
	s.mu.Lock()
	s.count++
	answer := s.answer
	s.mu.Unlock()
	return answer(ctx)
}

func (s *source) play(answer func(ctx context.Context) (cluster.Table, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *source) give(table cluster.Table, err error) {
	s.play(func(context.Context) (cluster.Table, error) { return table, err })
}

// asked returns how often it was asked since the last time.
func (s *source) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.count
	s.count = 0
	return n
}

const every = time.Second

// resolving starts a node that follows a source, whose first answer is table,
// and whose clusterd the test plays.
func resolving(t *testing.T, table cluster.Table) (*nodetest.Node, *source, *nodetest.Probe, func()) {
	t.Helper()
	src, d := new(source), nodetest.NewProbe("clusterd")
	src.give(table, nil)
	n := nodetest.Start(t, nodetest.Services(d.Definition()))
	var end func()
	n.Run(func(c *service.Context) (err error) { end, err = cluster.Resolve(c, src, every); return err })
	if len(table) > 0 {
		expectReload(t, d, table)
	}
	return n, src, d, func() { n.Run(func(*service.Context) error { end(); return nil }) }
}

func expectReload(t *testing.T, d *nodetest.Probe, table cluster.Table) {
	t.Helper()
	d.Expect(t, "reload", cluster.ReloadRequest{Kind: "table", Table: table})
}

// pass lets n intervals go by.
func pass(n int) {
	time.Sleep(time.Duration(n)*every + every/2) //nolint:forbidigo // in a bubble
	synctest.Wait()
}

func TestResolveTellsWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, src, d, _ := resolving(t, cluster.Table{"a": "h:1", "b": "h:1", "__nowaiting": true})
		pass(3)
		d.ExpectNothing(t)
		if n := src.asked(); n != 4 {
			t.Errorf("asked %d times, want 4", n)
		}
		for _, step := range []struct {
			table cluster.Table
			err   error
			want  cluster.Table
		}{
			{table: cluster.Table{"a": "h:2", "b": "h:1"}, want: cluster.Table{"a": "h:2"}}, // an option stays
			{table: cluster.Table{"a": "h:2"}, want: cluster.Table{"b": false}},             // a node goes
			{table: cluster.Table{"a": "h:2", "b": "h:1"}, want: cluster.Table{"b": "h:1"}},
			{err: errors.New("broken")},
			{table: cluster.Table{"c": "h:3"}, err: errors.New("in part"), want: cluster.Table{"c": "h:3"}},
			{table: cluster.Table{}, want: cluster.Table{"a": false, "b": false, "c": false}},
		} {
			src.give(step.table, step.err)
			pass(1)
			if step.want != nil {
				expectReload(t, d, step.want)
			}
			d.ExpectNothing(t)
		}
	})
}

func TestResolveLogsAnErrorOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, src, _, _ := resolving(t, cluster.Table{})
		logged := func(want ...string) {
			t.Helper()
			for _, text := range want {
				if got := n.Log.Count("cluster.Resolve: " + text); got != 1 {
					t.Errorf("%d lines with %q, want 1", got, text)
				}
			}
			if got := n.Log.Count("cluster.Resolve"); got != len(want) {
				t.Errorf("%d lines, want %d", got, len(want))
			}
		}
		src.give(nil, errors.New("first"))
		pass(5)
		logged("first")
		port := 40000
		src.play(func(context.Context) (cluster.Table, error) {
			port++
			return nil, fmt.Errorf("read tcp 127.0.0.1:%d->127.0.0.1:80: reset", port)
		})
		pass(5)
		logged("first", "read tcp")
		src.give(nil, nil)
		pass(5)
		logged("first", "read tcp", "all is well again")
	})
}

// A node table that clusterd refuses counts as not told, and is tried again.
func TestResolveTriesARefusedTableAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, src, d, _ := resolving(t, cluster.Table{"a": "h:1"})
		d.Answer("reload", func(*service.Context, lualike.Args) (lualike.Args, error) { return nil, errors.New("a wrong line") })
		src.give(cluster.Table{"a": true}, nil)
		pass(2)
		expectReload(t, d, cluster.Table{"a": true})
		expectReload(t, d, cluster.Table{"a": true})
		if got := n.Log.Count("cluster.Resolve: "); got != 1 {
			t.Errorf("%d log lines, want 1", got)
		}
		d.Return("reload")
		pass(0)
		expectReload(t, d, cluster.Table{"a": true})
		pass(2)
		d.ExpectNothing(t)
	})
}

func TestResolveReturnsTheFirstErrorAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, d := new(source), nodetest.NewProbe("clusterd")
		n := nodetest.Start(t, nodetest.Services(d.Definition()))
		broken := errors.New("broken")
		src.give(nil, broken)
		n.Run(func(c *service.Context) error {
			if _, err := cluster.Resolve(c, src, every); !errors.Is(err, broken) {
				return fmt.Errorf("got %v", err)
			}
			if _, err := cluster.Resolve(c, src, 0); !errors.Is(err, service.ErrMisuse) {
				return fmt.Errorf("without an interval: %v", err)
			}
			return nil
		})
		pass(2)
		if got := n.Log.Count("cluster.Resolve"); got != 0 {
			t.Errorf("%d log lines for an error that was returned", got)
		}
		src.give(cluster.Table{"a": "h:1"}, nil)
		pass(1)
		expectReload(t, d, cluster.Table{"a": "h:1"})
	})
}

func TestResolveGoesOnAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, src, d, _ := resolving(t, cluster.Table{"a": "h:1"})
		src.play(func(context.Context) (cluster.Table, error) { panic("a bug") })
		pass(1)
		n.Log.Wait(t, "a bug")
		src.give(cluster.Table{"a": "h:2"}, nil)
		pass(1)
		expectReload(t, d, cluster.Table{"a": "h:2"})
	})
}

func TestResolveStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, src, d, stop := resolving(t, cluster.Table{"a": "h:1"})
		stop()
		pass(3)
		if n := src.asked(); n != 1 {
			t.Errorf("stopped between two questions: asked %d times, want 1", n)
		}
		d.ExpectNothing(t)
	})
	synctest.Test(t, func(t *testing.T) {
		_, src, d, stop := resolving(t, cluster.Table{"a": "h:1"})
		var why error
		src.play(func(ctx context.Context) (cluster.Table, error) {
			<-ctx.Done()
			why = ctx.Err()
			return cluster.Table{}, nil // too late
		})
		pass(3)
		stop()
		pass(20)
		if n := src.asked(); n != 2 || !errors.Is(why, context.Canceled) {
			t.Errorf("stopped in a question, which ended with %v: asked %d times, want 2", why, n)
		}
		d.ExpectNothing(t)
	})
}

func TestResolveEndsWithItsService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, src, _, _ := resolving(t, nil)
		src.play(func(ctx context.Context) (cluster.Table, error) { <-ctx.Done(); return nil, ctx.Err() })
		pass(1)
		n.Run(func(c *service.Context) error { return c.Kill(c.Self()) })
		pass(20)
		if n := src.asked(); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
	})
}

// A question has the deadline of the calls of the Context.
func TestResolveDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, src, _, stop := resolving(t, nil)
		stop()
		src.play(func(ctx context.Context) (cluster.Table, error) { <-ctx.Done(); return nil, ctx.Err() })
		n.Run(func(c *service.Context) error {
			began := c.Now()
			stop, err := cluster.Resolve(c.WithTimeout(5*time.Second), src, every)
			stop()
			if took := c.Now() - began; took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("after %v: %v", took, err)
			}
			return nil
		})
	})
}
