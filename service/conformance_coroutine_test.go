package service_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// said collects words from the coroutines of one service.
type said []string

func (s *said) add(word string) { *s = append(*s, word) }

func (s said) String() string { return strings.Join(s, " ") }

func TestB070Sleep(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		want(t, "to the end", c.Sleep(1), nil)
		me := c.Token()
		c.Fork(func(c *service.Context) { want(t, "wakeup", c.Wakeup(me), true) })
		began := c.Now()
		want(t, "woken", c.Sleep(time.Hour), service.ErrBreak)
		if took := c.Now() - began; took > time.Minute {
			t.Errorf("it slept %v", took)
		}
	})
}

func TestB071Wakeup(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		want(t, "of nobody", c.Wakeup("token"), false)
		want(t, "before the sleep", c.Wakeup(c.Token()), false)
		want(t, "has no effect", c.Sleep(1), nil)
		for _, sleep := range []func(c *service.Context) error{
			func(c *service.Context) error { return c.Sleep(time.Hour, "token") },
			func(c *service.Context) error { return c.Wait("token") },
		} {
			c.Fork(func(c *service.Context) { _ = sleep(c) })
			_ = c.Yield()
			want(t, "of a sleeper", c.Wakeup("token"), true)
			_ = c.Yield()
			want(t, "of one that is awake", c.Wakeup("token"), false)
		}
	})
}

func TestB072TwoWakeups(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		var first, second error
		done := false
		c.Fork(func(c *service.Context) {
			first = c.Sleep(time.Hour, "token")
			second = c.Sleep(time.Hour, "token")
			done = true
		})
		_ = c.Yield()
		want(t, "wakeups", fmt.Sprint(c.Wakeup("token"), c.Wakeup("token")), "true true")
		until(c, func() bool { return done })
		want(t, "sleeps", fmt.Sprint(errors.Is(first, service.ErrBreak), errors.Is(second, service.ErrBreak)), "true true")
	})
}

func TestB073Wait(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		result := errors.New("not yet")
		c.Fork(func(c *service.Context) { result = c.Wait("token") })
		_ = c.Yield()
		wantErr(t, "a second wait", c.Wait("token"), service.ErrMisuse, "token duplicative")
		c.Wakeup("token")
		_ = c.Yield()
		want(t, "the first", result, nil)
	})
}

func TestB074WokenRunInOrder(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		var s said
		for i := 1; i <= 4; i++ {
			c.Fork(func(c *service.Context) {
				_ = c.Wait(i)
				s.add(fmt.Sprint(i))
			})
		}
		_ = c.Yield()
		c.Fork(func(*service.Context) { s.add("fork") })
		for _, i := range []int{3, 1, 4, 2} {
			c.Wakeup(i)
		}
		s.add("main")
		_ = c.Yield()
		want(t, "order", s, "main 3 1 4 2 fork")
	})
}

func TestB075ForksRunInOrder(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		var s said
		c.Timeout(0, func(*service.Context) { s.add("timer") })
		c.Fork(func(c *service.Context) {
			s.add("a")
			c.Fork(func(*service.Context) { s.add("c") })
		})
		c.Fork(func(*service.Context) { s.add("b") })
		c.Fork(func(*service.Context) { s.add("d") })
		s.add("main")
		_ = c.Sleep(0)
		want(t, "order", s, "main a b d c timer")
	})
}

func TestB076ErrorInAFork(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		ran := false
		c.Fork(func(*service.Context) { panic("in a fork") })
		c.Fork(func(*service.Context) { ran = true })
		_ = c.Yield()
		want(t, "the other", ran, true)
		n.Log.Wait(t, fmt.Sprintf("[%s] lua call [0 to :%x : 0 msgsz = 0] error : \x1b[31min a fork", c.Self(), uint32(c.Self())))
	})
}

func TestB077TimersFireInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		onNode(t, func(_ *nodetest.Node, c *service.Context) {
			var s said
			for _, tt := range []struct {
				d    time.Duration
				name string
			}{{3, "3"}, {1, "1"}, {2, "2"}, {0, "0"}, {-5, "-5"}, {1, "1b"}} {
				c.Timeout(tt.d*time.Second, func(*service.Context) { s.add(tt.name) })
			}
			_ = c.Sleep(4 * time.Second)
			want(t, "order", s, "0 -5 1 1b 2 3")
		})
	})
}

// TestB078Timeout gives what cancels it, in place of a coroutine.
func TestB078Timeout(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		ran := 0
		timer := c.Timeout(0, func(*service.Context) { ran++ })
		_ = c.Yield()
		want(t, "ran, cancelled too late", fmt.Sprint(ran, timer.Cancel()), "1 false")
		timer = c.Timeout(0, func(*service.Context) { ran++ })
		want(t, "cancelled", fmt.Sprint(timer.Cancel(), timer.Cancel()), "true false")
		_ = c.Yield()
		want(t, "ran", ran, 1)
	})
}

// TestB079KillThread: a coroutine can not be killed from outside here; a timer is
// cancelled and leaves no unknown session.
func TestB079KillThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		onNode(t, func(n *nodetest.Node, c *service.Context) {
			timer := c.Timeout(time.Second, func(*service.Context) { t.Error("it ran") })
			want(t, "cancelled", timer.Cancel(), true)
			_ = c.Sleep(2 * time.Second)
			flush(t, n, c)
			want(t, "unknown sessions", n.Log.Count("Unknown session"), 0)
			want(t, "late answers", c.Stat().Drops.Late, 0)
		})
	})
}

func TestB080Clocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		onNode(t, func(n *nodetest.Node, c *service.Context) {
			began, wall := c.Now(), c.Time()
			_ = c.Sleep(1500 * time.Millisecond)
			want(t, "now", c.Now()-began, 1500*time.Millisecond)
			want(t, "time", c.Time().Sub(wall), 1500*time.Millisecond)
			want(t, "starttime", n.StartTime().Add(c.Now()).Equal(c.Time()), true)
		})
	})
}

func TestB081Queue(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		var q, other service.Queue
		var s said
		left := 3
		for i := range 3 {
			c.Fork(func(c *service.Context) {
				err := q.Do(c, func() error {
					s.add(fmt.Sprint("in", i))
					_ = c.Yield()
					again := q.Do(c, func() error { return nil })
					s.add(fmt.Sprint("out", i))
					if i == 1 {
						return errOwn
					}
					return again
				})
				want(t, fmt.Sprint("result ", i), errors.Is(err, errOwn), i == 1)
				left--
			})
		}
		_ = c.Yield()
		want(t, "another queue", other.Do(c, func() error { s.add("other"); return nil }), nil)
		until(c, func() bool { return left == 0 })
		got := strings.Replace(s.String(), " other", "", 1)
		want(t, "order", got, "in0 out0 in1 out1 in2 out2")
		if !strings.Contains(s.String(), "other") {
			t.Error("the other queue was never entered")
		}
	})
}

func TestB090Environment(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		_, ok := c.LookupEnv("newkey")
		want(t, "unset", fmt.Sprint(c.Getenv("newkey") == "", ok), "true false")
		want(t, "set", c.Setenv("newkey", "1"), nil)
		wantErr(t, "set again", c.Setenv("newkey", "2"), actor.ErrEnvExists, "Can't setenv exist key : newkey")
		want(t, "its value", c.Getenv("newkey"), "1")
	})
}
