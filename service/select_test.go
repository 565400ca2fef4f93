package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/service"
)

// sleeper sets up a service whose AFTER answers after some seconds.
func sleeper(c *service.Context) {
	c.Handle("AFTER", service.F1(func(c *service.Context, seconds int) (int, error) {
		if seconds < 0 {
			return 0, errOwn
		}
		return seconds, c.Sleep(time.Duration(seconds) * time.Second)
	}))
	c.Handle("EXIT", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
}

// bubble runs f on a coroutine of a node with a sleeper, in virtual time.
func bubble(t *testing.T, f func(t *testing.T, n *node, c *service.Context, h service.Handle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		h := serve(t, n, "sleeper", sleeper)
		do(t, n, func(c *service.Context) { f(t, n, c, h) })
	})
}

// TestB082Select: results in the order in which they end, requests to nobody
// first, each as Call would give it.
func TestB082Select(t *testing.T) {
	bubble(t, func(t *testing.T, n *node, c *service.Context, h service.Handle) {
		var got []string
		began := c.Now()
		for r := range c.Select(
			service.Req(h, "AFTER", 3), service.Req(".nosuch", "AFTER", 1), service.Req(h, "AFTER", 1), service.Req(h, "AFTER", -1),
			service.Req(h, "NOSUCH"), service.Req(0, "AFTER", 1), service.Req(h, "AFTER", 2),
		) {
			got = append(got, fmt.Sprintf("%v %d %v %v", (c.Now()-began).Round(time.Second), r.Index, r.Values, r.Err))
		}
		want := []string{
			"0s 1 [] call .nosuch AFTER: actor: no such service: .nosuch",
			"0s 5 [] call :00000000 AFTER: actor: misuse: Invalid service address 0",
			fmt.Sprintf("0s 3 [] call %s AFTER: %v", h, errOwn),
			fmt.Sprintf("0s 4 [] call %s NOSUCH: service: Unknown command NOSUCH", h),
			"1s 2 [1] <nil>", "2s 6 [2] <nil>", "3s 0 [3] <nil>",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for range c.Select() {
			t.Error("a reply to nothing")
		}
	})
}

// TestSelectDeadline: one for all, which ends the loop at once for those left.
func TestSelectDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, n *node, c *service.Context, h service.Handle) {
		began := c.Now()
		ends := make(map[int]time.Duration)
		for r := range c.WithTimeout(2500*time.Millisecond).Select(service.Req(h, "AFTER", 9), service.Req(h, "AFTER", 1), service.Req(h, "AFTER", 8)) {
			ends[r.Index] = c.Now() - began
			if r.Index == 1 {
				if r.Err != nil || r.Values.At(0) != int64(1) {
					t.Errorf("in time: %+v", r)
				}
				_ = c.Sleep(time.Second) // the others' time runs meanwhile
				continue
			}
			if want := fmt.Sprintf("call %s AFTER: actor: call timed out after 2.5s, the callee has taken the request", h); !errors.Is(r.Err, service.ErrTimeout) || r.Err.Error() != want {
				t.Errorf("got  %v\nwant %s", r.Err, want)
			}
		}
		if len(ends) != 3 || ends[0] != 2500*time.Millisecond || ends[2] != ends[0] {
			t.Errorf("ends at %v", ends)
		}
		for r := range c.WithTimeout(service.Forever).Select(service.Req(h, "AFTER", 3600)) {
			if r.Err != nil {
				t.Errorf("without a deadline: %v", r.Err)
			}
		}
	})
}

// TestSelectBreak drops the answers that come later, and counts them.
func TestSelectBreak(t *testing.T) {
	bubble(t, func(t *testing.T, n *node, c *service.Context, h service.Handle) {
		late := func() uint64 { return c.Stat().Drops.Late }
		for range c.Select(service.Req(h, "AFTER", 1), service.Req(h, "AFTER", 2), service.Req(h, "AFTER", 3)) {
			break
		}
		if got := late(); got != 0 {
			t.Errorf("%d late at once", got)
		}
		_ = c.Sleep(5 * time.Second)
		if got := late(); got != 2 {
			t.Errorf("%d late answers", got)
		}
		func() {
			defer func() { _ = recover() }()
			for range c.Select(service.Req(h, "AFTER", 1), service.Req(h, "AFTER", 2)) {
				panic("in the loop")
			}
		}()
		_ = c.Sleep(5 * time.Second)
		if got := late(); got != 3 {
			t.Errorf("%d late answers after a panic", got)
		}
	})
}

// TestSelectOfOneThatEnds: what is pending there fails, the rest goes on.
func TestSelectOfOneThatEnds(t *testing.T) {
	bubble(t, func(t *testing.T, n *node, c *service.Context, h service.Handle) {
		other := serve(t, n, "other", sleeper)
		var got []string
		for r := range c.Select(service.Req(h, "AFTER", 5), service.Req(other, "AFTER", 1), service.Req(h, "EXIT")) {
			got = append(got, fmt.Sprint(r.Index, errors.Is(r.Err, service.ErrExited)))
		}
		if text := fmt.Sprint(got); text != "[0 true 2 true 1 false]" && text != "[2 true 0 true 1 false]" {
			t.Errorf("got %s", text)
		}
	})
}

// TestSelectIsInterrupted by the end of Run's ctx: every reply that is left has
// its error.
func TestSelectIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		h := serve(t, n, "sleeper", sleeper)
		ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		defer cancel()
		var got []string
		began := time.Now()
		err := service.Run(ctx, n.Node, func(c *service.Context) error {
			for r := range c.Select(service.Req(h, "AFTER", 9), service.Req(h, "AFTER", 1), service.Req(h, "AFTER", 8)) {
				got = append(got, fmt.Sprint(r.Index, errors.Is(r.Err, context.DeadlineExceeded) && !errors.Is(r.Err, service.ErrTimeout), time.Since(began)))
			}
			for r := range c.Select(service.Req(h, "AFTER", 1), service.Req(h, "AFTER", 1)) {
				got = append(got, fmt.Sprint(r.Index, errors.Is(r.Err, context.DeadlineExceeded)))
			}
			return nil
		})
		if want := "[1 false 1s 0 true 1.5s 2 true 1.5s 0 true 1 true]"; err != nil || fmt.Sprint(got) != want {
			t.Errorf("got  %v, %v\nwant %s", got, err, want)
		}
	})
}

// TestSelectOfTheDead: the service ends in the loop, whose defers run.
func TestSelectOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		h := serve(t, n, "sleeper", sleeper)
		unwound := make(chan struct{})
		doomed := serve(t, n, "doomed", func(c *service.Context) {
			c.Fork(func(c *service.Context) {
				defer close(unwound)
				for range c.Select(service.Req(h, "AFTER", 5)) {
					t.Error("a reply")
				}
			})
		})
		synctest.Wait()
		if err := n.Kill(0, doomed); err != nil {
			t.Error(err)
		}
		receive(t, unwound)
	})
}

// grenade panics when it is made a Lua value.
type grenade struct{ N int }

func (*grenade) MarshalMsg([]byte) ([]byte, error)   { panic("in MarshalMsg") }
func (*grenade) UnmarshalMsg([]byte) ([]byte, error) { return nil, nil }

// TestSelectOfAValueThatPanics: the panic is the caller's, in its loop, and the
// caller lives on.
func TestSelectOfAValueThatPanics(t *testing.T) {
	n := newNode(t, false)
	h := serve(t, n, "thrower", func(c *service.Context) {
		c.Handle("GET", service.F0(func(*service.Context) (*grenade, error) { return new(grenade), nil }))
	})
	caller := serve(t, n, "caller", func(c *service.Context) {
		c.Handle("GO", service.P0(func(c *service.Context) error {
			for range c.Select(service.Req(h, "GET")) {
				t.Error("a reply")
			}
			return nil
		}))
	})
	do(t, n, func(c *service.Context) {
		if _, err := c.Call(caller, "GO"); !errors.Is(err, service.ErrCallFailed) || !strings.Contains(err.Error(), "in MarshalMsg") {
			t.Errorf("GO: %v", err)
		}
		for _, h := range []service.Handle{caller, h} {
			if _, err := service.Debug(c, h, "PING"); err != nil {
				t.Error(err)
			}
		}
	})
}
