package service_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/service"
)

func TestCoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		do(t, n, func(c *service.Context) {
			var order []string
			note := func(s string) func(*service.Context) {
				return func(*service.Context) { order = append(order, s) }
			}
			c.Timeout(2*time.Second, note("2s"))
			c.Timeout(time.Second, note("1s"))
			if cancelled := c.Timeout(time.Second, note("cancelled")); !cancelled.Cancel() || cancelled.Cancel() {
				t.Error("Cancel is true once")
			}
			c.Timeout(0, note("0"))
			c.Fork(note("fork"))
			began := c.Now()
			if err := c.Sleep(3 * time.Second); err != nil || c.Now()-began != 3*time.Second {
				t.Errorf("slept %v, %v", c.Now()-began, err)
			}
			if want := []string{"fork", "0", "1s", "2s"}; !reflect.DeepEqual(order, want) {
				t.Errorf("order: %v", order)
			}

			token := c.Token()
			c.Fork(func(c *service.Context) {
				if !c.Wakeup(token) || c.Wakeup("nobody") || c.Wakeup(nil) {
					t.Error("Wakeup of the own token")
				}
			})
			if err := c.Sleep(time.Hour); !errors.Is(err, service.ErrBreak) {
				t.Errorf("woken: %v", err)
			}
			c.Fork(func(c *service.Context) { c.Wakeup("token") })
			if err := c.Wait("token"); err != nil {
				t.Errorf("Wait: %v", err)
			}
			c.Fork(func(c *service.Context) {
				if err := c.Wait("token"); !errors.Is(err, service.ErrMisuse) || !strings.Contains(err.Error(), "token duplicative") {
					t.Errorf("a second Wait: %v", err)
				}
				c.Wakeup("token")
			})
			if err := c.Sleep(time.Hour, "token"); !errors.Is(err, service.ErrBreak) {
				t.Errorf("Sleep with a token: %v", err)
			}
		})
	})
}

// TestPanicInFork is logged and stops nobody (B076).
func TestPanicInFork(t *testing.T) {
	n := newNode(t, false)
	do(t, n, func(c *service.Context) {
		c.Fork(func(*service.Context) { panic("in a fork") })
		ran := false
		c.Fork(func(*service.Context) { ran = true })
		until(c, func() bool { return ran })
		n.expectLog(t, fmt.Sprintf("lua call [0 to :%x : 0 msgsz = 0] error : \x1b[31min a fork\n", uint32(c.Self())))
	})
}

func TestQueue(t *testing.T) { // B081
	n := newNode(t, false)
	do(t, n, func(c *service.Context) {
		var q, independent service.Queue
		var order []string
		left := 5
		for i := range left {
			c.Fork(func(c *service.Context) {
				err := q.Do(c, func() error {
					order = append(order, fmt.Sprint("in ", i))
					for range 3 {
						_ = c.Yield()
					}
					if i == 1 {
						if err := q.Do(c.WithTimeout(1), func() error { return c.Yield() }); err != nil {
							t.Errorf("entered again: %v", err)
						}
						if err := independent.Do(c, func() error { return c.Yield() }); err != nil {
							t.Errorf("another queue: %v", err)
						}
					}
					order = append(order, fmt.Sprint("out ", i))
					if i == 3 {
						left--
						panic("in the section")
					}
					return errOwn
				})
				if err != errOwn {
					t.Errorf("Do gave %v", err)
				}
				left--
			})
		}
		until(c, func() bool { return left == 0 })
		want := []string{"in 0", "out 0", "in 1", "out 1", "in 2", "out 2", "in 3", "out 3", "in 4", "out 4"}
		if !reflect.DeepEqual(order, want) {
			t.Errorf("order: %v", order)
		}
		if err := q.Do(c, func() error { return nil }); err != nil {
			t.Errorf("free again: %v", err)
		}
	})
	n.expectLog(t, "in the section")
}

// TestQueueGoesOnWithoutAWaiterThatGaveUp: one whose ctx ends while it waits for
// the section leaves the line.
func TestQueueGoesOnWithoutAWaiterThatGaveUp(t *testing.T) {
	n := newNode(t, false)
	ctx, cancel := context.WithCancel(context.Background())
	_ = service.Run(ctx, n.Node, func(c *service.Context) error {
		var q service.Queue
		entered, left := 0, 0
		enter := func(c *service.Context) {
			if err := q.Do(c, func() error { entered++; return c.Wait(&q) }); err != nil {
				t.Error(err)
			}
			left++
		}
		c.Fork(enter)
		until(c, func() bool { return entered == 1 })
		c.Fork(func(*service.Context) { cancel() })
		if err := q.Do(c, func() error { t.Error("entered"); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("gave up with %v", err)
		}
		c.Fork(enter)
		for left < 2 {
			_ = c.Yield()
			c.Wakeup(&q)
		}
		return nil
	})
}

// TestQueueOfTheDead: a service that exits inside of a section, or is killed
// while coroutines wait for it, leaves nothing behind.
func TestQueueOfTheDead(t *testing.T) {
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("kill=%v", kill), func(t *testing.T) {
			n := newNode(t, false)
			full := make(chan struct{})
			h := serve(t, n, "queue", func(c *service.Context) {
				var q service.Queue
				for i := range 4 {
					c.Fork(func(c *service.Context) {
						_ = q.Do(c, func() error {
							if i > 0 {
								t.Error("entered the section of the dead")
							}
							return c.Wait("token")
						})
					})
				}
				c.Fork(func(*service.Context) { close(full) })
				c.Handle("EXIT", service.P0(func(c *service.Context) error {
					c.Exit()
					return nil
				}))
			})
			receive(t, full)
			done := n.Find(h).Done()
			do(t, n, func(c *service.Context) {
				if kill {
					if err := c.Kill(h); err != nil {
						t.Error(err)
					}
					return
				}
				if _, err := c.Call(h, "EXIT"); !errors.Is(err, service.ErrExited) {
					t.Error(err)
				}
			})
			receive(t, done)
		})
	}
}

func TestAwait(t *testing.T) {
	n := newNode(t, false)
	do(t, n, func(c *service.Context) {
		release := make(chan struct{})
		c.Fork(func(*service.Context) { close(release) }) // the service goes on
		v, err := service.Await(c, func(ctx context.Context) (int, error) {
			<-release
			return 7, ctx.Err()
		})
		if v != 7 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		if v, err := service.Await(c, func(context.Context) (string, error) { return "both", errOwn }); v != "both" || err != errOwn {
			t.Errorf("%q, %v", v, err)
		}
		if _, err := service.Await(c, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }); err == nil {
			t.Error("a function that did not return gave no error")
		}
	})
	err := service.Run(context.Background(), n.Node, func(c *service.Context) error {
		_, err := service.Await(c, func(context.Context) (int, error) { panic("in the function") })
		t.Errorf("Await came back: %v", err)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "in the function") {
		t.Errorf("the panic gave %v", err)
	}
	n.expectLog(t, "panic in Await: in the function")
}

// TestAwaitOfTheDead: the function's ctx ends with the service, before the
// defers of the coroutine run, which may wait for the function.
func TestAwaitOfTheDead(t *testing.T) {
	n := newNode(t, false)
	running, heard := make(chan struct{}), make(chan struct{})
	h := serve(t, n, "awaits", func(c *service.Context) {
		c.Fork(func(c *service.Context) {
			defer func() { <-heard }()
			_, _ = service.Await(c, func(ctx context.Context) (int, error) {
				close(running)
				<-ctx.Done()
				close(heard)
				return 0, ctx.Err()
			})
			t.Error("Await came back")
		})
	})
	receive(t, running)
	done := n.Find(h).Done()
	do(t, n, func(c *service.Context) {
		if err := c.Kill(h); err != nil {
			t.Error(err)
		}
	})
	receive(t, heard)
	receive(t, done)
}
