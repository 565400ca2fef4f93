package service_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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

// TestRunBesideABusyOne: a Run that keeps the processor to itself keeps no other
// one waiting.
func TestRunBesideABusyOne(t *testing.T) {
	n := newNode(t, false)
	begun, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- service.Run(context.Background(), n.Node, func(*service.Context) error { close(begun); <-release; return nil })
	}()
	receive(t, begun)
	do(t, n, func(*service.Context) {})
	close(release)
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
}

// TestRunThatCanNotBegin returns when its ctx ends, and its function never runs.
func TestRunThatCanNotBegin(t *testing.T) {
	n := newNode(t, false)
	begun, release := make(chan struct{}), make(chan struct{})
	var helper service.Handle
	do(t, n, func(c *service.Context) {
		helper = c.Self()
		c.Fork(func(*service.Context) { close(begun); <-release })
	})
	receive(t, begun)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for n.Find(helper).Stat().Mailbox == 0 {
			runtime.Gosched()
		}
		cancel()
	}()
	err := service.Run(ctx, n.Node, func(*service.Context) error { t.Error("ran"); return nil })
	if !errors.Is(err, context.Canceled) || err.Error() != "run: context canceled before it began" {
		t.Errorf("got %v", err)
	}
	close(release)
	do(t, n, func(*service.Context) {})
	eventually(t, func() bool {
		helpers := 0
		for _, s := range n.Services() {
			if s.Name() == "run" {
				helpers++
			}
		}
		return helpers == 1
	}, "one helper is kept")
}

// TestRunsLeaveOneHelper, and those that something lives on in.
func TestRunsLeaveOneHelper(t *testing.T) {
	n := newNode(t, false)
	const runs = 20
	var together, done sync.WaitGroup
	together.Add(runs)
	ended := make(chan struct{}, runs)
	for i := range runs {
		done.Go(func() {
			do(t, n, func(c *service.Context) {
				together.Done()
				together.Wait()
				if i == 0 {
					c.Fork(func(c *service.Context) {
						defer func() { ended <- struct{}{} }()
						_ = c.Sleep(time.Hour)
					})
				}
			})
		})
	}
	done.Wait()
	eventually(t, func() bool { return len(n.Services()) <= 4 }, "the helpers have ended") // launcher, service_mgr, one kept, one used
	select {
	case <-ended:
		t.Error("a fork has ended with its helper")
	default:
	}
}

// TestRunThatIgnoresItsCtx, in a loop around a blocking call, lets what it has
// forked run all the same.
func TestRunThatIgnoresItsCtx(t *testing.T) {
	n := newNode(t, false)
	ctx, cancel := context.WithCancel(context.Background())
	if err := service.Run(ctx, n.Node, func(c *service.Context) error {
		stop := false
		cancel()
		c.Fork(func(*service.Context) { stop = true })
		for !stop {
			if err := c.Sleep(time.Hour); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("Sleep: %w", err)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// TestRunSaysWhereItWasCancelled as the error of a deadline does.
func TestRunSaysWhereItWasCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		h := serve(t, n, "sleeper", sleeper)
		for _, call := range []func(c *service.Context) error{
			func(c *service.Context) error { _, err := c.Call(h, "AFTER", 9); return err },
			func(c *service.Context) (err error) {
				for r := range c.Select(service.Req(h, "AFTER", 9)) {
					err = r.Err
				}
				return err
			},
		} {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			err := service.Run(ctx, n.Node, call)
			if want := fmt.Sprintf("call %s AFTER: context deadline exceeded after 1s, the callee has taken the request", h); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		}
	})
}
