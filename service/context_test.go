package service_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/service"
)

// TestMisuse: a Context after the end of its coroutine, and in another one of
// the same service.
func TestMisuse(t *testing.T) {
	n := newNode(t, false)
	h := serve(t, n, "misuse", func(start *service.Context) {
		start.Handle("GIVE", service.P0(func(handler *service.Context) error {
			done := false
			start := start.WithTimeout(time.Hour)
			handler.Fork(func(c *service.Context) {
				for name, other := range map[string]*service.Context{"ended": start, "parked": handler} {
					checkMisuse(t, name, other)
				}
				if _, err := c.Call(".launcher", "LIST"); err != nil {
					t.Errorf("the own Context: %v", err)
				}
				done = true
				c.Wakeup("token")
			})
			err := handler.Wait("token")
			if !done {
				t.Error("the fork did not run")
			}
			return err
		}))
	})
	do(t, n, func(c *service.Context) {
		if _, err := c.Call(h, "GIVE"); err != nil {
			t.Error(err)
		}
	})
	n.expectLog(t, "used outside its coroutine")
	if n.logged("KILL self") {
		t.Error("Exit worked")
	}
}

// TestStaleContext: in a burst of messages, which one coroutine handles, none of
// the Contexts before works, and many messages pass before one comes again.
func TestStaleContext(t *testing.T) {
	const burst, apart = 100, 16
	n := newNode(t, false)
	var kept []*service.Context
	done := make(chan struct{})
	h := serve(t, n, "keeper", func(c *service.Context) {
		c.Handle("KEEP", service.P0(func(c *service.Context) error {
			for i, old := range kept {
				if recent := len(kept)-i < apart; old == c && recent {
					t.Errorf("message %d has the Context of message %d", len(kept), i)
				} else if err := old.Send(c.Self(), "never"); old != c && !errors.Is(err, service.ErrMisuse) {
					t.Errorf("message %d, the Context of message %d: %v", len(kept), i, err)
				}
			}
			if kept = append(kept, c); len(kept) == burst {
				close(done)
			}
			return nil
		}))
	})
	do(t, n, func(c *service.Context) {
		for range burst {
			if err := c.Send(h, "KEEP"); err != nil {
				t.Error(err)
			}
		}
	})
	receive(t, done)
}

// checkMisuse uses c, which the caller is not entitled to.
func checkMisuse(t *testing.T, name string, c *service.Context) {
	t.Helper()
	var q service.Queue
	never := func(*service.Context) { t.Errorf("%s: ran", name) }
	_, call := c.Call(".launcher", "LIST")
	_, typed := service.Call[int](c, ".launcher", "LIST")
	_, raw := c.RawCall(".launcher", service.PTypeLua, nil)
	_, launch := c.Launch("misuse")
	_, newService := c.NewService("misuse")
	_, unique := c.UniqueService("misuse")
	_, query := c.QueryService("misuse")
	_, ret := c.Ret()
	_, response := c.Response().Ret()
	_, await := service.Await(c, func(context.Context) (int, error) { never(nil); return 0, nil })
	for what, err := range map[string]error{
		"Call": call, "service.Call": typed, "RawCall": raw, "Launch": launch, "NewService": newService,
		"UniqueService": unique, "QueryService": query, "Ret": ret, "Response": response, "Await": await,
		"Send": c.Send(".launcher", "LIST"), "RawSend": c.RawSend(".launcher", service.PTypeLua, nil),
		"Redirect": c.Redirect(".launcher", 1, service.PTypeLua, 0, nil), "Sleep": c.Sleep(0), "Wait": c.Wait("x"), "Yield": c.Yield(),
		"Kill": c.Kill(".launcher"), "RegisterProtocol": c.RegisterProtocol(service.Protocol{Name: "p", Type: 99}),
		"Queue": q.Do(c, func() error { never(nil); return nil }),
	} {
		if !errors.Is(err, service.ErrMisuse) {
			t.Errorf("%s: %s: %v", name, what, err)
		}
	}
	c.Fork(never)
	if c.Timeout(0, never).Cancel() {
		t.Errorf("%s: Timeout worked", name)
	}
	if c.Wakeup("token") {
		t.Errorf("%s: Wakeup worked", name)
	}
	if c.Context().Err() == nil {
		t.Errorf("%s: a context.Context that has not ended", name)
	}
	if m := c.Message(); m != (service.Message{}) {
		t.Errorf("%s: Message: %+v", name, m)
	}
	c.Handle("GIVE", service.P0(func(*service.Context) error { return nil }))
	c.Dispatch(service.PTypeLua, func(*service.Context, service.Message) { never(nil) })
	c.Fail(errOwn)
	c.IgnoreRet()
	c.Exit()
}

func TestContextOfTheStandardLibrary(t *testing.T) {
	n := newNode(t, false)
	contexts := make(chan context.Context, 2)
	h := serve(t, n, "contexts", func(c *service.Context) {
		c.Handle("RETURN", service.P0(func(c *service.Context) error {
			ctx := c.Context()
			if ctx != c.Context() || ctx != c.WithTimeout(1).Context() {
				t.Error("a coroutine has two contexts")
			}
			if ctx.Err() != nil {
				t.Error(ctx.Err())
			}
			contexts <- ctx
			return nil
		}))
		c.Handle("WAIT", service.P0(func(c *service.Context) error {
			contexts <- c.Context()
			return c.Wait()
		}))
	})
	do(t, n, func(c *service.Context) {
		if _, err := c.Call(h, "RETURN"); err != nil {
			t.Error(err)
		}
		if err := c.Send(h, "WAIT"); err != nil {
			t.Error(err)
		}
		receive(t, (<-contexts).Done())
		waits := <-contexts
		if waits.Err() != nil {
			t.Error("a parked coroutine's context has ended")
		}
		if err := c.Kill(h); err != nil {
			t.Error(err)
		}
		receive(t, waits.Done())
	})
}

type localKey struct{}

func TestLocal(t *testing.T) {
	n := newNode(t, false)
	ended := make(chan string, 2)
	setUp := func(c *service.Context) {
		made := 0
		c.Handle("NEXT", service.F0(func(c *service.Context) (int, error) {
			p := service.Local(c, localKey{}, func() *int { made++; return new(int) })
			*p++
			return *p + 100*(made-1), nil
		}))
		name := c.ServiceName()
		c.AtServiceEnd(func() { ended <- name })
	}
	a, b := serve(t, n, "a", setUp), serve(t, n, "b", setUp)
	do(t, n, func(c *service.Context) {
		for want := 1; want <= 3; want++ {
			for _, h := range []service.Handle{a, b} {
				if v, err := service.Call[int](c, h, "NEXT"); err != nil || v != want {
					t.Errorf("%d, %v, want %d", v, err, want)
				}
			}
		}
		if err := c.Kill(a); err != nil {
			t.Error(err)
		}
	})
	if got := receive(t, ended); got != "a" {
		t.Errorf("%s ended", got)
	}
}

func TestSmallMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, false)
		do(t, n, func(c *service.Context) {
			c.Error("a", 1, nil, true, errOwn)
			c.Error() // B131
			c.Logf("%d-%s", 5, "x")
			c.Debugf("%s", "hidden")
			n.Find(c.Self()).SetLogLevel(slog.LevelDebug)
			c.Debugf("%s", "shown")
			n.Find(c.Self()).SetLogLevel(slog.LevelError)
			c.Logf("%s", "hidden")
			c.Error("loud")
			n.Find(c.Self()).SetLogLevel(slog.LevelInfo)
			if n.logged("hidden") {
				t.Error("a line below the service's level")
			}
			me := "[" + c.Self().String() + "] "
			for _, want := range []string{me + "a 1 nil true of the handler's own\n", me + "nil\n", me + "5-x\n", me + "shown\n", me + "loud\n"} {
				if !n.logged(want) {
					t.Errorf("no line %q", want)
				}
			}
			if v, ok := c.LookupEnv("k"); ok || v != "" || c.Getenv("k") != "" {
				t.Error("an unset key")
			}
			if err := c.Setenv("k", "v"); err != nil {
				t.Error(err)
			}
			if err := c.Setenv("k", "w"); err == nil || c.Getenv("k") != "v" { // B090
				t.Errorf("a key set twice: %v", err)
			}
			before, wall := c.Now(), c.Time()
			if err := c.Sleep(3 * time.Second); err != nil {
				t.Error(err)
			}
			if c.Now()-before != 3*time.Second || c.Time().Sub(wall) != 3*time.Second {
				t.Errorf("slept %v, %v", c.Now()-before, c.Time().Sub(wall))
			}
			c.Abort()
			<-c.Node().Aborted()
		})
	})
}
