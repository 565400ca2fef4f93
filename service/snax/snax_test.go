package snax_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/snax"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// counter counts what is posted to it.
var counter = snax.NewInterface("counter", "response.count", "accept.add", "response.fail", "accept.leave", "accept.count")

var errFail = errors.New("no luck")

func counterService() *service.Definition {
	return snax.Def(counter, func(c *service.Context, args ...any) (snax.Methods, error) {
		n := 0
		if len(args) > 0 {
			var err error
			if n, err = lualike.As[int](args[0]); err != nil {
				return nil, err
			}
		}
		snax.OnExit(c, func(c *service.Context, args ...any) error {
			c.Error(append([]any{"counter exits:"}, args...)...)
			if len(args) == 0 {
				return errFail
			}
			return nil
		})
		return snax.Methods{
			"response.count": service.F0(func(*service.Context) (int, error) { return n, nil }),
			"accept.add":     service.P1(func(_ *service.Context, d int) error { n += d; return nil }),
			"response.fail":  service.P0(func(*service.Context) error { return errFail }),
			"accept.leave":   service.P0(func(c *service.Context) error { return snax.Exit(c, "left") }),
			"accept.count":   service.P0(func(*service.Context) error { n = 1000; return nil }),
		}, nil
	})
}

// blank defines a snax service called name with no methods.
func blank(name string, init func(c *service.Context) error) (*snax.Interface, *service.Definition) {
	i := snax.NewInterface(name)
	return i, snax.Def(i, func(c *service.Context, _ ...any) (snax.Methods, error) { return nil, init(c) })
}

func TestRequestAndPost(t *testing.T) {
	for _, isolate := range []bool{false, true} {
		t.Run(fmt.Sprintf("isolate=%v", isolate), func(t *testing.T) {
			n := nodetest.Start(t, nodetest.Isolate(isolate), nodetest.Services(counterService()))
			n.Run(func(c *service.Context) error {
				o, err := snax.NewService(c, counter, 5)
				if err != nil {
					return err
				}
				if err := o.Post(c, "add", 2); err != nil {
					return err
				}
				if got, err := snax.Req[int](c, o, "count"); err != nil || got != 7 {
					return fmt.Errorf("count: %d, %v", got, err)
				}
				if got, err := o.Req(c, "count"); err != nil || len(got) != 1 || got[0] != int64(7) {
					return fmt.Errorf("count, untyped: %v, %v", got, err)
				}
				if err := o.Post(c, "count"); err != nil { // not the response of that name
					return err
				}
				if got, err := snax.Req[int](c, o, "count"); err != nil || got != 1000 {
					return fmt.Errorf("count after the post: %d, %v", got, err)
				}
				if _, err := o.Req(c, "fail"); !errors.Is(err, errFail) || !errors.Is(err, service.ErrCallFailed) {
					return fmt.Errorf("fail: %v", err)
				}
				if want := fmt.Sprintf("[counter:%x]", uint32(o.Handle())); o.String() != want {
					return fmt.Errorf("an object is %s, want %s", o, want)
				}
				return nil
			})
			n.Log.Wait(t, "LAUNCH snlua snaxd counter 5")
		})
	}
}

// Numbers are what goes on the wire: four of the system's, then in the order of
// the interface.
func TestNumbers(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(counterService()))
	n.Run(func(c *service.Context) error {
		o, err := snax.NewService(c, counter)
		if err != nil {
			return err
		}
		if err := c.RawSend(o.Handle(), service.PTypeSnax, lualike.Args{int64(6), 3}); err != nil {
			return err
		}
		answer, err := c.RawCall(o.Handle(), service.PTypeSnax, lualike.Args{int64(5)})
		if err != nil {
			return err
		}
		if got, err := service.Result[int](answer); err != nil || got != 3 {
			return fmt.Errorf("method 5: %d, %v", got, err)
		}
		for _, tc := range []struct {
			first any
			is    error
		}{
			{int64(1), service.ErrMisuse},         // init, once more
			{int64(6), service.ErrMisuse},         // accept, called
			{int64(0), service.ErrUnknownCommand}, // below and above the methods
			{int64(10), service.ErrUnknownCommand},
			{"count", service.ErrUnknownCommand},
			{nil, service.ErrUnknownCommand},
		} {
			if _, err := c.RawCall(o.Handle(), service.PTypeSnax, lualike.Args{tc.first, 1}); !errors.Is(err, tc.is) {
				return fmt.Errorf("method %v: %v, want %v", tc.first, err, tc.is)
			}
		}
		for _, system := range []int64{3, 4} {
			_, err := c.RawCall(o.Handle(), service.PTypeSnax, lualike.Args{system})
			if text, ok := service.ErrorText(err); !ok || text != "hotfix and profile are not in Go" {
				return fmt.Errorf("method %d: %v", system, err)
			}
		}
		if got, err := snax.Req[int](c, o, "count"); err != nil || got != 3 {
			return fmt.Errorf("count afterwards: %d, %v", got, err)
		}
		return nil
	})
}

func TestMethodsThatAreNot(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(counterService()))
	n.Run(func(c *service.Context) error {
		o, err := snax.NewService(c, counter)
		if err != nil {
			return err
		}
		_, reqErr := o.Req(c, "add")
		for want, err := range map[string]error{
			"request counter:add no exist: service: Unknown command": reqErr,
			"post counter:fail no exist: service: Unknown command":   o.Post(c, "fail"),
		} {
			if err == nil || err.Error() != want || !errors.Is(err, service.ErrUnknownCommand) {
				return fmt.Errorf("got %v, want %s", err, want)
			}
		}
		return nil
	})
}

// Without EnableCluster a snax service takes nothing of type lua, which is what
// comes from other nodes.
func TestEnableCluster(t *testing.T) {
	open := snax.NewInterface("open", "response.ping")
	n := nodetest.Start(t, nodetest.Services(counterService(), snax.Def(open,
		func(c *service.Context, _ ...any) (snax.Methods, error) {
			snax.EnableCluster(c)
			return snax.Methods{"response.ping": service.F1(func(_ *service.Context, s string) (string, error) {
				return "pong:" + s, nil
			})}, nil
		})))
	n.Run(func(c *service.Context) error {
		closed, err := snax.NewService(c, counter)
		if err != nil {
			return err
		}
		if _, err := c.Call(closed.Handle(), 5); !errors.Is(err, service.ErrCallFailed) {
			return fmt.Errorf("a service that is not open: %v", err)
		}
		o, err := snax.NewService(c, open)
		if err != nil {
			return err
		}
		if got, err := service.Call[string](c, o.Handle(), 5, "hi"); err != nil || got != "pong:hi" {
			return fmt.Errorf("got %q, %v", got, err)
		}
		return nil
	})
}

func TestUniqueAndQuery(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(counterService()))
	n.Run(func(c *service.Context) error {
		if _, err := snax.QueryService(c.WithTimeout(time.Millisecond), counter); !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("a query for nobody: %v", err)
		}
		var launched snax.Object
		var launchErr error
		c.Fork(func(c *service.Context) { launched, launchErr = snax.UniqueService(c, counter, 5) })
		queried, err := snax.QueryService(c, counter) // the fork launches while this waits
		if err != nil {
			return err
		}
		again, err := snax.UniqueService(c, counter, 6)
		if err != nil || launchErr != nil || again != launched || queried != launched {
			return fmt.Errorf("got %s, %v, then %s, %v, and from the query %s", launched, launchErr, again, err, queried)
		}
		if got, err := snax.Req[int](c, again, "count"); err != nil || got != 5 {
			return fmt.Errorf("count: %d, %v", got, err)
		}
		return nil
	})
}

func TestWrongServices(t *testing.T) {
	lacking := snax.NewInterface("lacking", "response.x")
	surplus := snax.NewInterface("surplus")
	x := service.P0(func(*service.Context) error { return nil })
	failing, failingService := blank("failing", func(*service.Context) error { return errFail })
	brief, briefService := blank("brief", func(c *service.Context) error { c.Exit(); return nil })
	n := nodetest.Start(t, nodetest.Services(failingService, briefService,
		snax.Def(lacking, func(*service.Context, ...any) (snax.Methods, error) { return snax.Methods{"accept.x": x}, nil }),
		snax.Def(surplus, func(*service.Context, ...any) (snax.Methods, error) { return snax.Methods{"accept.x": x}, nil }),
	))
	n.Run(func(c *service.Context) error {
		for i, want := range map[*snax.Interface]string{
			lacking:                      "newservice snaxd lacking: snax: lacking has no response.x",
			surplus:                      "newservice snaxd surplus: snax: the interface of surplus has no accept.x",
			failing:                      "newservice snaxd failing: no luck",
			brief:                        "snax.NewService brief: actor: service exited in its init",
			snax.NewInterface("unknown"): "newservice snaxd unknown: launch snaxd unknown: service: no such definition: snaxd unknown",
		} {
			if _, err := snax.NewService(c, i); err == nil || err.Error() != want {
				return fmt.Errorf("%s: got %v, want %s", i.Name(), err, want)
			}
		}
		return nil
	})
}

// Init functions that wait for each other are found as start functions are.
func TestCycleOfUniqueServices(t *testing.T) {
	var left, right *snax.Interface
	var l, r *service.Definition
	ask := func(i **snax.Interface) func(c *service.Context) error {
		return func(c *service.Context) error { _, err := snax.UniqueService(c, *i); return err }
	}
	left, l = blank("left", ask(&right))
	right, r = blank("right", ask(&left))
	n := nodetest.Start(t, nodetest.Services(l, r))
	n.Run(func(c *service.Context) error {
		if _, err := snax.UniqueService(c, left); !errors.Is(err, service.ErrDeadlock) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
}

func TestNoMethodBeforeInit(t *testing.T) {
	early := snax.NewInterface("early", "response.x")
	n := nodetest.Start(t, nodetest.Services(snax.Def(early, func(c *service.Context, _ ...any) (snax.Methods, error) {
		if _, err := snax.Bind(c.Self(), early).Req(c, "x"); !errors.Is(err, service.ErrMisuse) {
			return nil, fmt.Errorf("a request during init: %w", err)
		}
		return snax.Methods{"response.x": service.P0(func(*service.Context) error { return nil })}, nil
	})))
	n.Run(func(c *service.Context) error {
		o, err := snax.NewService(c, early)
		if err == nil {
			_, err = o.Req(c, "x")
		}
		return err
	})
}

func TestKillAndExit(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(counterService()))
	end := func(c *service.Context, how func(o snax.Object) error) error {
		o, err := snax.NewService(c, counter)
		if err != nil {
			return err
		}
		token := c.Token()
		if _, err := service.Watch(c, o.Handle(), func(c *service.Context, _ error) { c.Wakeup(token) }); err != nil {
			return err
		}
		if err := how(o); err != nil {
			return err
		}
		return c.Wait(token)
	}
	n.Run(func(c *service.Context) error {
		if err := end(c, func(o snax.Object) error {
			if err := o.Kill(c); !errors.Is(err, errFail) { // its exit function refuses
				return fmt.Errorf("kill: %w", err)
			}
			if _, err := o.Req(c, "count"); err != nil {
				return fmt.Errorf("after a kill that was refused: %w", err)
			}
			return o.Kill(c, "now", 1)
		}); err != nil {
			return err
		}
		return end(c, func(o snax.Object) error { return o.Post(c, "leave") })
	})
	n.Log.Wait(t, "counter exits: now 1")
	n.Log.Wait(t, "counter exits: left")
}

func TestWrongInterfaces(t *testing.T) {
	for _, methods := range [][]string{{"ping"}, {"system.init"}, {"response.a", "accept.a", "response.a"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v passed", methods)
				}
			}()
			snax.NewInterface("wrong", methods...)
		}()
	}
}
