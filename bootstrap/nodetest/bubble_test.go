package nodetest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// In a bubble hours of sleeping, of timers and of deadlines take no time, and
// are exact.
func TestNodeInABubble(t *testing.T) {
	silent := service.Def("silent", func(c *service.Context, _ ...any) error {
		c.Handle("ASK", service.P0(func(c *service.Context) error { return c.Sleep(365 * 24 * time.Hour) }))
		return nil
	})
	begin := time.Now()
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t, nodetest.Services(silent), nodetest.Env("calltimeout", "3600"))
		start := time.Now()
		n.Run(func(c *service.Context) error {
			c.Timeout(10*time.Hour, func(c *service.Context) { c.Error("ten hours") })
			if err := c.Sleep(time.Hour); err != nil {
				return err
			}
			h, err := c.NewService("silent")
			if err != nil {
				return err
			}
			if _, err := c.Call(h, "ASK"); !errors.Is(err, service.ErrTimeout) {
				return fmt.Errorf("call: %v", err)
			}
			_, err = service.Await(c, func(context.Context) (any, error) {
				time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
				return nil, nil
			})
			return err
		})
		if got := time.Since(start); got != 3*time.Hour {
			t.Errorf("a sleep, a deadline and an Await took %v", got)
		}
		n.WaitIdle()
		if got := time.Since(start); got != 3*time.Hour {
			t.Errorf("WaitIdle let time pass: %v", got)
		}
		time.Sleep(7 * time.Hour) //nolint:forbidigo // in a bubble
		n.Log.Wait(t, "ten hours")
		if got := time.Since(start); got != 10*time.Hour {
			t.Errorf("the timer went off after %v", got)
		}
		n.Stop()
	})
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

// The end of the test is the end of the node inside a bubble too, with the drain
// of Shutdown: a handler that is at work comes to its end.
func TestBubbleEndsItsNode(t *testing.T) {
	var finished atomic.Bool
	slow := service.Def("slow", func(c *service.Context, _ ...any) error {
		c.Handle("WORK", service.P0(func(c *service.Context) error {
			err := c.Sleep(10 * time.Second)
			finished.Store(err == nil)
			return err
		}))
		return nil
	})
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t, nodetest.Services(slow),
			nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = time.Hour }))
		n.Run(func(c *service.Context) error {
			h, err := c.NewService("slow")
			if err != nil {
				return err
			}
			return c.Send(h, "WORK")
		})
		n.WaitIdle()
	})
	if !finished.Load() {
		t.Error("the handler did not come to its end")
	}
}

func TestWaitIdle(t *testing.T) {
	var n *nodetest.Node
	var ran atomic.Int32
	def := service.Def("relay", func(c *service.Context, _ ...any) error {
		c.Handle("RELAY", service.P1(func(c *service.Context, left int) error {
			ran.Add(1)
			if left == 0 {
				return nil
			}
			h, err := c.NewService("relay")
			if err != nil {
				return err
			}
			return c.Send(h, "RELAY", left-1)
		}))
		return nil
	})
	n = nodetest.Start(t, nodetest.Services(def))
	const hops = 50
	for round := int32(1); round <= 20; round++ {
		n.Run(func(c *service.Context) error {
			h, err := c.NewService("relay")
			if err != nil {
				return err
			}
			return c.Send(h, "RELAY", hops)
		})
		n.WaitIdle()
		if got := ran.Load(); got != round*(hops+1) {
			t.Fatalf("at rest after %d of %d", got, round*(hops+1))
		}
	}
}

func TestWaitIdleFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, open := &verdict{TB: t}, make(chan struct{})
		block := service.Def("block", func(c *service.Context, _ ...any) error {
			c.Fork(func(*service.Context) { <-open })
			return nil
		})
		n := nodetest.Start(v, nodetest.Services(block))
		n.Run(func(c *service.Context) error { _, err := c.NewService("block"); return err })
		done := make(chan struct{})
		go func() {
			defer close(done)
			n.WaitIdle()
		}()
		<-done
		if v.text == "" {
			t.Error("WaitIdle came back from a node that runs")
		}
		close(open)
		n.WaitIdle()
	})
}

func TestIsolateOfTheSuite(t *testing.T) {
	share := func(c *service.Context) error { return c.Send(c.Self(), "SHARE", func() {}) }
	for value, shared := range map[string]bool{"": true, "1": false} {
		t.Setenv(nodetest.IsolateEnv, value)
		n := nodetest.Start(t)
		n.Run(func(c *service.Context) error {
			if err := share(c); (err == nil) != shared {
				return fmt.Errorf("%s=%q: %w", nodetest.IsolateEnv, value, err)
			}
			return nil
		})
		own := nodetest.Start(t, nodetest.Isolate(false))
		own.Run(share)
		apart := nodetest.Start(t, nodetest.Isolate(true))
		apart.Run(func(c *service.Context) error {
			if share(c) == nil {
				return errors.New("Isolate(true) did nothing")
			}
			return nil
		})
	}
}

// asLeaky in the environment has TestLeaky leave a goroutine.
const asLeaky = "NODETEST_TEST_LEAK"

func TestCheckLeaks(t *testing.T) {
	for _, leaky := range []string{"", "1"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLeaky$")
		cmd.Env = append(os.Environ(), asLeaky+"="+leaky)
		out, err := cmd.CombinedOutput()
		found := err != nil && strings.Contains(string(out), "found unexpected goroutines")
		if found != (leaky != "") {
			t.Errorf("leak %q: %v\n%s", leaky, err, out)
		}
	}
}

func TestLeaky(t *testing.T) {
	nodetest.Start(t)
	if os.Getenv(asLeaky) != "" {
		go func() { select {} }()
	}
}
