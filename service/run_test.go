package service_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

func TestRun(t *testing.T) {
	n := newNode(t, true)
	h := serve(t, n, "handlers", handlers)
	services := 0
	for i := range 3 {
		if err := service.Run(context.Background(), n.Node, func(c *service.Context) error {
			v, err := service.Call[int](c, h, "F1", i)
			if v != i+1 {
				t.Errorf("%d, %v", v, err)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		if services == 0 {
			services = len(n.Services())
		}
	}
	if got := len(n.Services()); got != services {
		t.Errorf("a Run launches: %d services after %d", got, services)
	}
	if err := service.Run(context.Background(), n.Node, func(*service.Context) error { return errOwn }); err != errOwn {
		t.Errorf("the error of f: %v", err)
	}
	err := service.Run(context.Background(), n.Node, func(*service.Context) error { panic("in f") })
	if err == nil || !strings.Contains(err.Error(), "in f") {
		t.Errorf("a panic: %v", err)
	}
	n.expectLog(t, "in f\n")
	err = service.Run(context.Background(), n.Node, func(*service.Context) error { runtime.Goexit(); return nil })
	if err == nil {
		t.Error("a Goexit gave no error")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := service.Run(ended, n.Node, func(*service.Context) error { t.Error("ran"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a ctx that has ended: %v", err)
	}
}

// TestRunIsCancelled inside of whatever blocks; every later call fails too.
func TestRunIsCancelled(t *testing.T) {
	n := newNode(t, true)
	h := serve(t, n, "silent", func(c *service.Context) {
		c.Handle("WAIT", service.P0(func(c *service.Context) error { return c.Wait() }))
	})
	for name, block := range map[string]func(c *service.Context) error{
		"call":  func(c *service.Context) error { _, err := c.Call(h, "WAIT"); return err },
		"sleep": func(c *service.Context) error { return c.Sleep(time.Hour) },
		"wait":  func(c *service.Context) error { return c.Wait() },
		"await": func(c *service.Context) error {
			_, err := service.Await(c, func(ctx context.Context) (int, error) {
				<-ctx.Done()
				return 0, ctx.Err()
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			err := service.Run(ctx, n.Node, func(c *service.Context) error {
				c.Fork(func(*service.Context) { cancel() })
				err := block(c)
				if err := block(c); !errors.Is(err, context.Canceled) {
					t.Errorf("the next call: %v", err)
				}
				if c.Context().Err() == nil {
					t.Error("its context.Context goes on")
				}
				return err
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run gave %v", err)
			}
		})
	}
	// A cancelled Run leaves the others alone.
	do(t, n, func(c *service.Context) {
		if err := c.Yield(); err != nil {
			t.Error(err)
		}
	})
}

func TestManyRuns(t *testing.T) {
	n := newNode(t, false)
	h := serve(t, n, "handlers", handlers)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				err := service.Run(ctx, n.Node, func(c *service.Context) error {
					if i%3 == 0 {
						go cancel()
					}
					v, err := service.Call[int](c, h, "F1", g*1000+i)
					if err == nil && v != g*1000+i+1 {
						t.Errorf("got another's answer: %d", v)
					}
					return err
				})
				cancel()
				if err != nil && !(i%3 == 0 && errors.Is(err, context.Canceled)) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestRunOnANodeThatEnds: with the node go the Runs.
func TestRunOnANodeThatEnds(t *testing.T) {
	n := newNode(t, false)
	const runs = 5
	waiting, results := make(chan struct{}), make(chan error, runs)
	for range runs {
		go func() {
			results <- service.Run(context.Background(), n.Node, func(c *service.Context) error {
				c.Fork(func(*service.Context) { waiting <- struct{}{} })
				return c.Wait()
			})
		}()
	}
	for range runs {
		receive(t, waiting)
	}
	if err := n.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	for range runs {
		if err := receive(t, results); !errors.Is(err, service.ErrExited) {
			t.Errorf("Run gave %v", err)
		}
	}
	err := service.Run(context.Background(), n.Node, func(*service.Context) error { t.Error("ran"); return nil })
	if !errors.Is(err, service.ErrExited) && !errors.Is(err, actor.ErrShutdown) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestSendThenReturn is the order of a send and the answer after it, as service
// code sees it: the send is handled before the call has returned.
func TestSendThenReturn(t *testing.T) {
	rounds := 20_000
	if testing.Short() {
		rounds = 1000
	}
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		callee := serve(t, n, "callee", func(c *service.Context) {
			c.Handle("Q", service.F1(func(c *service.Context, i int) (int, error) { return i, c.Send(c.Message().Source, "PUSH", i) }))
		})
		done := make(chan string, 1)
		serve(t, n, "caller", func(c *service.Context) {
			last := -1
			c.Handle("PUSH", service.P1(func(_ *service.Context, i int) error { last = i; return nil }))
			c.Fork(func(c *service.Context) {
				for i := range rounds {
					v, err := service.Call[int](c, callee, "Q", i)
					if err != nil || v != i || last != i {
						done <- fmt.Sprintf("round %d: answer %d, %v, last push %d", i, v, err, last)
						return
					}
				}
				done <- ""
			})
		})
		if text := receive(t, done); text != "" {
			t.Error(text)
		}
	})
}
