package main

import (
	"context"
	"fmt"
	"os"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/service"
)

// startNode starts a node as a user's program does, with its log discarded; it
// ends with e. settings are lines of the config file.
func startNode(e *env, settings string, defs ...*service.Definition) (*service.Node, error) {
	cfg, err := bootstrap.Parse("bench", fmt.Sprintf("start = 'main'\nlogger = %q\n%s", os.DevNull, settings))
	if err != nil {
		return nil, err
	}
	defs = append(defs, workerDefinition, service.Def("main", func(*service.Context, ...any) error { return nil }))
	n, err := bootstrap.Start(context.Background(), cfg, defs...)
	if err != nil {
		return nil, err
	}
	e.atEnd(func() error { return n.Shutdown(context.Background()) })
	return n, nil
}

// in runs f on a coroutine of n, whose calls take as long as they take.
func in(n *service.Node, f func(c *service.Context) error) error {
	return service.Run(context.Background(), n, func(c *service.Context) error {
		return f(c.WithTimeout(service.Forever))
	})
}

// launch starts k services of one name.
func launch(n *service.Node, name string, k int) ([]service.Handle, error) {
	handles := make([]service.Handle, k)
	return handles, in(n, func(c *service.Context) (err error) {
		for i := range handles {
			if handles[i], err = c.NewService(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// task is what a worker is sent: it runs it as its handler.
type task func(c *service.Context) error

var workerDefinition = service.Def("worker", func(c *service.Context, _ ...any) error {
	c.Dispatch(service.PTypeText, func(c *service.Context, m service.Message) {
		if err := m.Data.(task)(c.WithTimeout(service.Forever)); err != nil {
			c.Fail(err)
			return
		}
		_, _ = c.Ret() // nobody else can have answered
	})
	return nil
})

// have runs f in each of the workers, at the same time.
func have(c *service.Context, workers []service.Handle, f func(c *service.Context, i int) error) error {
	return together(c, len(workers), func(c *service.Context, i int) error {
		_, err := c.RawCall(workers[i], service.PTypeText, task(func(c *service.Context) error { return f(c, i) }))
		return err
	})
}

// together runs f on k coroutines of c's service, and blocks until all have
// ended.
func together(c *service.Context, k int, f func(c *service.Context, i int) error) error {
	var failed error
	left, done := k, new(int)
	for i := range k {
		c.Fork(func(forked *service.Context) {
			if err := f(forked.WithTimeout(service.Forever), i); err != nil {
				failed = err
			}
			if left--; left == 0 {
				forked.Wakeup(done)
			}
		})
	}
	if err := c.Wait(done); err != nil {
		return err
	}
	return failed
}
