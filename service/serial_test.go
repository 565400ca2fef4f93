package service_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/service"
)

// account sets up a service with a balance that a handler changes across a
// blocking call.
func account(c *service.Context) {
	balance := 0
	c.Handle("ADD", service.F1(func(c *service.Context, n int) (int, error) {
		before := balance
		if err := c.Sleep(time.Millisecond); err != nil {
			return 0, err
		}
		balance = before + n
		return balance, nil
	}))
	c.Handle("GET", service.F0(func(*service.Context) (int, error) { return balance, nil }))
}

// TestSerial: what another handler would spoil stays whole.
func TestSerial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		for name, tt := range map[string]struct {
			h    service.Handle
			want int
		}{
			"ordinary": {serve(t, n, "ordinary", account), 1},
			"serial":   {serialService(t, n, "serial", account), 10},
		} {
			do(t, n, func(c *service.Context) {
				left := 10
				for range left {
					c.Fork(func(c *service.Context) {
						if _, err := c.Call(tt.h, "ADD", 1); err != nil {
							t.Error(err)
						}
						left--
					})
				}
				for left > 0 && c.Sleep(time.Millisecond) == nil {
					continue
				}
				if got, err := service.Call[int](c, tt.h, "GET"); err != nil || got != tt.want {
					t.Errorf("%s: %d, %v", name, got, err)
				}
			})
		}
	})
}

// TestDeadlock: the error comes back through every caller, with the circle and
// what was called.
func TestDeadlock(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		relay := func(c *service.Context) {
			c.Handle("RELAY", service.P1(func(c *service.Context, path []service.Handle) error {
				if len(path) == 0 {
					return nil
				}
				_, err := c.Call(path[0], "RELAY", path[1:])
				return err
			}))
		}
		a, b := serialService(t, n, "a", relay), serialService(t, n, "b", relay)
		do(t, n, func(c *service.Context) {
			_, err := c.Call(a, "RELAY", []service.Handle{b, a})
			if want := fmt.Sprintf("%s -> %s -> %s", b, a, b); !errors.Is(err, service.ErrDeadlock) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if want := fmt.Sprintf("call %s RELAY: call %s RELAY: call %s RELAY: ", a, b, a); err != nil && !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if _, err := c.Call(a, "RELAY", []service.Handle{b}); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	})
}

// TestDeadlockOfSelects: requests that can only be answered once the loop has been
// left fail when the loop waits for nothing else.
func TestDeadlockOfSelects(t *testing.T) {
	const either = "" // of the two that wait for each other is told, who comes second
	for name, tt := range map[string]struct {
		requests func(a, b, free service.Handle) []service.Request
		leave    bool   // after the first reply
		replies  string // index, when, whether it is ErrDeadlock
		called   string // how the call of b to a has ended, and when
	}{
		"itself": {func(a, _, free service.Handle) []service.Request {
			return []service.Request{service.Req(a, "PING"), service.Req(free, "AFTER", 1)}
		}, false, "1 1s false, 0 1s true", ""},
		"a service that calls back": {func(a, b, _ service.Handle) []service.Request {
			return []service.Request{service.Req(b, "CALL", a)}
		}, false, "0 0s true", either},
		"another answer first": {func(a, b, free service.Handle) []service.Request {
			return []service.Request{service.Req(b, "CALL", a), service.Req(free, "AFTER", 1)}
		}, false, "1 1s false, 0 1s true", "1s false"},
		"each calls back": {func(a, b, _ service.Handle) []service.Request {
			return []service.Request{service.Req(a, "PING"), service.Req(a, "PING")}
		}, false, "0 0s true, 1 0s true", ""},
		"a loop that is left": {func(a, b, free service.Handle) []service.Request {
			return []service.Request{service.Req(b, "CALL", a), service.Req(free, "AFTER", 1)}
		}, true, "1 1s false", "1s false"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, false)
				var replies, called []string
				began := time.Now()
				result := func(err error) string { return fmt.Sprint(time.Since(began), errors.Is(err, service.ErrDeadlock)) }
				free := serve(t, n, "free", sleeper)
				b := serialService(t, n, "b", func(c *service.Context) {
					c.Handle("CALL", service.P1(func(c *service.Context, to service.Handle) error {
						_, err := c.Call(to, "PING")
						called = append(called, result(err))
						return err
					}))
				})
				a := serialService(t, n, "a", func(c *service.Context) {
					c.Handle("PING", service.P0(func(*service.Context) error { return nil }))
					c.Handle("SELECT", service.P0(func(c *service.Context) error {
						for r := range c.Select(tt.requests(c.Self(), b, free)...) {
							replies = append(replies, fmt.Sprint(r.Index, " ", result(r.Err)))
							if tt.leave {
								break
							}
						}
						return nil
					}))
				})
				do(t, n, func(c *service.Context) {
					if _, err := c.Call(a, "SELECT"); err != nil {
						t.Error(err)
					}
					_ = c.Sleep(time.Second)
				})
				synctest.Wait()
				if got := strings.Join(replies, ", "); got != tt.replies {
					t.Errorf("replies: %s, want %s", got, tt.replies)
				}
				if got := strings.Join(called, ", "); tt.called != either && got != tt.called {
					t.Errorf("calls back: %s, want %s", got, tt.called)
				}
			})
		})
	}
}

// TestMailboxOption: calls and sends beyond the bound fail, and say to whom.
func TestMailboxOption(t *testing.T) {
	n := newNode(t, false)
	service.Install(n.Node, service.Def("small", func(c *service.Context, _ ...any) error {
		waiting(c)
		return nil
	}, service.Serial, service.Mailbox(2)))
	h := start(t, n, "small")
	do(t, n, func(c *service.Context) {
		_ = c.Send(h, "WAIT", "x")
		until(c, func() bool { return c.Node().Find(h).Stat().Requests == 1 })
		for range 2 {
			if err := c.Send(h, "PING"); err != nil {
				t.Error(err)
			}
		}
		want := fmt.Sprintf("%s small has 2 requests waiting", h)
		if err := c.Send(h, "PING"); !errors.Is(err, service.ErrOverload) || !strings.Contains(err.Error(), want) {
			t.Errorf("send: %v", err)
		}
		if _, err := c.Call(h, "PING"); !errors.Is(err, service.ErrOverload) || !strings.Contains(err.Error(), want) {
			t.Errorf("call: %v", err)
		}
		if _, err := service.Debug(c, h, "TASK"); err != nil {
			t.Errorf("a debug command: %v", err)
		}
		if got := c.Node().Find(h).Stat().Drops.Overload; got != 2 {
			t.Errorf("%d dropped", got)
		}
	})
}

// TestTimeoutText: callee, command, how long, and whether it had been taken.
func TestTimeoutText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		h := serialService(t, n, "svc", waiting)
		do(t, n, func(c *service.Context) {
			for _, tt := range []struct{ cmd, taken string }{{"WAIT", "has taken the request"}, {"PING", "has not taken the request yet"}} {
				_, err := c.WithTimeout(2*time.Second).Call(h, tt.cmd, "x")
				want := fmt.Sprintf("call %s %s: actor: call timed out after 2s, the callee %s", h, tt.cmd, tt.taken)
				if !errors.Is(err, service.ErrTimeout) || err.Error() != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
		})
	})
}
