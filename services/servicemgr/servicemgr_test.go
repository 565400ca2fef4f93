package servicemgr_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/servicemgr"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

var errStart = errors.New("no luck")

// plain is a service that does nothing; bad is one that does not start.
var (
	plain = service.Def("plain", func(*service.Context, ...any) error { return nil })
	bad   = service.Def("bad", func(*service.Context, ...any) error { return errStart })
)

// gated is a service whose start lasts until somebody closes open, and fails
// with err.
func gated(open <-chan struct{}, args *[]any, err error) *service.Definition {
	return service.Def("gated", func(c *service.Context, a ...any) error {
		*args = a
		_, waitErr := service.Await(c, func(ctx context.Context) (any, error) {
			select {
			case <-open:
			case <-ctx.Done():
			}
			return nil, nil
		})
		return errors.Join(waitErr, err)
	})
}

// result is what a coroutine got.
type result struct {
	h   service.Handle
	err error
}

// each runs f(0) to f(n-1) as coroutines of c's service, has between called once
// all of them wait for an answer, and returns the results.
func each(c *service.Context, n int, f func(c *service.Context, i int) (service.Handle, error), between func() error) ([]result, error) {
	results := make([]result, n)
	done := make(chan struct{})
	left := n
	for i := range n {
		c.Fork(func(c *service.Context) {
			results[i].h, results[i].err = f(c, i)
			if left--; left == 0 {
				close(done)
			}
		})
	}
	if err := c.Sleep(0); err != nil { // the forks run now
		return nil, err
	}
	if err := between(); err != nil {
		return nil, err
	}
	_, err := service.Await(c, func(ctx context.Context) (any, error) {
		select {
		case <-done:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	return results, err
}

// listed returns what LIST says of a name.
func listed(c *service.Context, name string) (string, error) {
	all, err := service.Call[map[string]string](c, servicemgr.Name, "LIST")
	return all[name], err
}

func TestConcurrentCallersShareOneLaunch(t *testing.T) {
	open := make(chan struct{})
	var args []any
	n := nodetest.Start(t, nodetest.Services(gated(open, &args, nil)))
	n.Run(func(c *service.Context) error {
		results, err := each(c, 3, func(c *service.Context, i int) (service.Handle, error) {
			return c.UniqueService("gated", "call", i)
		}, func() error {
			text, err := listed(c, "gated")
			if want := fmt.Sprintf("Launching from %[1]s\nQuerying:\n%[1]s\n%[1]s", c.Self()); text != want {
				err = errors.Join(err, fmt.Errorf("LIST: got %q, want %q", text, want))
			}
			close(open)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.err != nil || r.h == 0 || r.h != results[0].h {
				return fmt.Errorf("got %v", results)
			}
		}
		if fmt.Sprint(args) != "[call 0]" {
			return fmt.Errorf("the service got %v, not the arguments of the first call", args)
		}
		h, err := c.UniqueService("gated", "later")
		if err != nil || h != results[0].h {
			return fmt.Errorf("a later call: %s, %v", h, err)
		}
		if text, err := listed(c, "gated"); err != nil || text != h.String() {
			return fmt.Errorf("LIST: %q, %v", text, err)
		}
		return nil
	})
	n.Stop()
	if got := n.Log.Count("LAUNCH snlua gated"); got != 1 {
		t.Errorf("%d launches", got)
	}
}

func TestArgumentsGoByReference(t *testing.T) {
	open := make(chan struct{})
	close(open)
	var args []any
	n := nodetest.Start(t, nodetest.Isolate(false), nodetest.Services(gated(open, &args, nil)))
	n.Run(func(c *service.Context) error {
		mine := &struct{ n int }{1}
		if _, err := c.UniqueService("gated", mine); err != nil {
			return err
		}
		if len(args) != 1 || args[0] != any(mine) {
			return fmt.Errorf("the service got %v", args)
		}
		return nil
	})
}

func TestFailedLaunchIsRemembered(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(bad))
	n.Run(func(c *service.Context) error {
		for _, ask := range []func(string) (service.Handle, error){
			func(name string) (service.Handle, error) { return c.UniqueService(name) },
			func(name string) (service.Handle, error) { return c.UniqueService(name, "again") },
			c.QueryService,
		} {
			if h, err := ask("bad"); h != 0 || !errors.Is(err, errStart) || !errors.Is(err, service.ErrCallFailed) {
				return fmt.Errorf("got %s, %v", h, err)
			}
		}
		if _, err := c.UniqueService("nosuch"); !errors.Is(err, service.ErrNoDefinition) {
			return fmt.Errorf("unknown service: %v", err)
		}
		if text, err := listed(c, "bad"); err != nil || text != "Error: newservice bad: no luck" {
			return fmt.Errorf("LIST: %q, %v", text, err)
		}
		return nil
	})
	n.Stop()
	if got := n.Log.Count("LAUNCH snlua bad"); got != 1 {
		t.Errorf("%d launches", got)
	}
	if got := n.Log.Count("lua call"); got != 1 { // the launcher's, of nosuch
		t.Errorf("%d lines about failed calls:\n%s", got, strings.Join(n.Log.Lines(), "\n"))
	}
}

func TestAllWhoWaitGetTheFailure(t *testing.T) {
	open := make(chan struct{})
	var args []any
	n := nodetest.Start(t, nodetest.Services(gated(open, &args, errStart)))
	n.Run(func(c *service.Context) error {
		results, err := each(c, 3, func(c *service.Context, i int) (service.Handle, error) {
			if i == 1 {
				return c.QueryService("gated")
			}
			return c.UniqueService("gated")
		}, func() error { close(open); return nil })
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.h != 0 || !errors.Is(r.err, errStart) {
				return fmt.Errorf("got %v", results)
			}
		}
		return nil
	})
}

func TestUniqueServiceThatLeavesInItsStart(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("brief", func(c *service.Context, _ ...any) error {
		c.Exit()
		return nil
	})))
	n.Run(func(c *service.Context) error {
		for range 2 {
			if h, err := c.UniqueService("brief"); h != 0 || !errors.Is(err, service.ErrExited) {
				return fmt.Errorf("got %s, %v", h, err)
			}
		}
		return nil
	})
}

func TestQueryWaitsForALaunch(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(plain))
	n.Run(func(c *service.Context) error {
		var launched service.Handle
		results, err := each(c, 2, func(c *service.Context, _ int) (service.Handle, error) {
			return c.QueryService("plain")
		}, func() error {
			text, err := listed(c, "plain")
			if want := fmt.Sprintf("Querying:\n%[1]s\n%[1]s", c.Self()); err != nil || text != want {
				return fmt.Errorf("LIST: got %q, %v, want %q", text, err, want)
			}
			launched, err = c.UniqueService("plain")
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.err != nil || r.h != launched {
				return fmt.Errorf("got %v, launched %s", results, launched)
			}
		}
		return nil
	})
}

func TestQueryForNobodyEndsAtItsDeadline(t *testing.T) {
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		if h, err := c.WithTimeout(1e6).QueryService("nobody"); h != 0 || !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("got %s, %v", h, err)
		}
		return nil
	})
}

func TestDeadServiceKeepsItsHandle(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(plain))
	n.Run(func(c *service.Context) error {
		h, err := c.UniqueService("plain")
		if err != nil {
			return err
		}
		svc := n.Find(h)
		if err := c.Kill(h); err != nil {
			return err
		}
		if _, err := service.Await(c, func(context.Context) (any, error) { <-svc.Done(); return nil, nil }); err != nil {
			return err
		}
		if again, err := c.UniqueService("plain"); err != nil || again != h {
			return fmt.Errorf("got %s, %v, want %s", again, err, h)
		}
		if _, err := c.Call(h, "x"); !errors.Is(err, service.ErrNoService) {
			return fmt.Errorf("call: %v", err)
		}
		return nil
	})
}

// A start may take longer than calls do.
func TestSlowStart(t *testing.T) {
	slow := service.Def("slow", func(c *service.Context, _ ...any) error { return c.Sleep(30 * time.Millisecond) })
	n := nodetest.Start(t, nodetest.Services(slow), nodetest.Env("calltimeout", "10ms"))
	n.Run(func(c *service.Context) error {
		if _, err := c.UniqueService("slow"); !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("a caller without patience: %v", err)
		}
		if h, err := c.WithTimeout(service.Forever).UniqueService("slow"); h == 0 || err != nil {
			return fmt.Errorf("a patient caller: %s, %v", h, err)
		}
		return nil
	})
}

// A snax service is named by two words, and kept apart from others.
func TestSnax(t *testing.T) {
	snaxd := service.Def("snaxd plain", func(_ *service.Context, args ...any) error {
		if fmt.Sprint(args) != "[x]" {
			return fmt.Errorf("started with %v", args)
		}
		return nil
	})
	n := nodetest.Start(t, nodetest.Services(plain, snaxd))
	n.Run(func(c *service.Context) error {
		h, err := c.UniqueService("snaxd", "plain", "x")
		if err != nil {
			return err
		}
		if got, err := service.Call[service.Handle](c, servicemgr.Name, "QUERY", "snaxd", "plain"); err != nil || got != h {
			return fmt.Errorf("QUERY: %s, %v, want %s", got, err, h)
		}
		if other, err := c.UniqueService("plain"); err != nil || other == h {
			return fmt.Errorf("the service called plain: %s, %v", other, err)
		}
		if text, err := listed(c, "snaxd.plain"); err != nil || text != h.String() {
			return fmt.Errorf("LIST: %q, %v", text, err)
		}
		return nil
	})
	n.Log.Wait(t, "LAUNCH snlua snaxd plain")
}

func TestWrongCommands(t *testing.T) {
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		vals, err := c.Call(servicemgr.Name, "NOSUCH")
		if err != nil || len(vals) != 2 || vals[0] != nil || vals[1] != "Invalid command NOSUCH" {
			return fmt.Errorf("unknown command: %v, %v", vals, err)
		}
		for _, args := range [][]any{{"LAUNCH"}, {"QUERY"}, {"LAUNCH", 7}, {"QUERY", nil}, {"QUERY", "snaxd"}, {"LAUNCH", "snaxd", 7}} {
			if vals, err := c.Call(servicemgr.Name, args...); err == nil {
				return fmt.Errorf("%v: %v", args, vals)
			}
		}
		return nil
	})
}

// Another node asks in bytes; what comes back is what Skynet's manager answers.
func TestPackedForm(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(plain, bad))
	n.Run(func(c *service.Context) error {
		ask := func(c *service.Context, args ...any) (lualike.Args, error) {
			b, err := lualike.Pack(args...)
			if err != nil {
				return nil, err
			}
			answer, err := c.RawCall(servicemgr.Name, service.PTypeLua, b)
			if err != nil {
				return nil, err
			}
			if b, err = service.Pack(answer); err != nil {
				return nil, err
			}
			return lualike.Unpack(b)
		}
		// The first two wait for the launch that the third makes.
		var waited [2]lualike.Args
		_, err := each(c, 2, func(c *service.Context, i int) (_ service.Handle, err error) {
			waited[i], err = ask(c, "QUERY", []string{"plain", "bad"}[i])
			return 0, err
		}, func() error {
			h, err := c.UniqueService("plain")
			if err != nil {
				return err
			}
			if vals, err := ask(c, "LAUNCH", "plain"); err != nil || len(vals) != 1 || vals[0] != int64(h) {
				return fmt.Errorf("LAUNCH plain: %v, %v", vals, err)
			}
			if vals, err := ask(c, "LAUNCH", "bad"); err != nil || len(vals) != 2 || vals[0] != nil || vals[1] != "newservice bad: no luck" {
				return fmt.Errorf("LAUNCH bad: %v, %v", vals, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(waited[0]) != 1 || waited[0][0] == nil || len(waited[1]) != 2 || waited[1][0] != nil || waited[1][1] != "newservice bad: no luck" {
			return fmt.Errorf("QUERY: %v", waited)
		}
		return nil
	})
}

func TestSecondManagerIsRefused(t *testing.T) {
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		if _, err := c.NewService("service_mgr"); err == nil || !strings.Contains(err.Error(), ".service is already register by :00000004") {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
}

// TestAnswersAreTheManagersOwn: what a manager has answered is remembered, also
// of a service that has ended since (Skynet's never forgets either), but not when
// another one has taken its name.
func TestAnswersAreTheManagersOwn(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(plain, servicemgr.Definition()))
	n.Run(func(c *service.Context) error {
		first, err := c.UniqueService("plain")
		if err != nil {
			return err
		}
		if err := c.Kill(first); err != nil {
			return err
		}
		if again, err := c.QueryService("plain"); err != nil || again != first {
			return fmt.Errorf("after its end: %s, %v, want %s", again, err, first)
		}
		if err := c.Kill(servicemgr.Name); err != nil {
			return err
		}
		if _, err := c.UniqueService("plain"); !errors.Is(err, service.ErrNoService) {
			return fmt.Errorf("without a manager: %v", err)
		}
		if _, err := c.NewService("service_mgr"); err != nil {
			return err
		}
		if other, err := c.UniqueService("plain"); err != nil || other == first || other == 0 {
			return fmt.Errorf("of another manager: %s, %v", other, err)
		}
		return nil
	})
}
