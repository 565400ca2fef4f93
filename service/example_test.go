package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// simpledb keeps strings by key. Its state needs no lock.
type simpledb struct{ kv map[string]string }

func startSimpledb(c *service.Context, _ ...any) error {
	db := &simpledb{kv: make(map[string]string)}
	c.Handle("GET", service.F1(db.get))
	c.Handle("SET", service.F2(db.set))
	return nil
}

func (db *simpledb) get(_ *service.Context, key string) (string, error) {
	if v, ok := db.kv[key]; ok {
		return v, nil
	}
	return "", fmt.Errorf("get %s: %w", key, os.ErrNotExist)
}

// set returns what was there before; nil is Lua's nil.
func (db *simpledb) set(_ *service.Context, key, value string) (*string, error) {
	old, ok := db.kv[key]
	db.kv[key] = value
	if !ok {
		return nil, nil
	}
	return &old, nil
}

// newExampleNode makes a node that logs nothing. Programs use package bootstrap.
func newExampleNode(defs ...*service.Definition) (*service.Node, func()) {
	cfg := actor.DefaultConfig()
	cfg.Logger = actor.LoggerFunc(func(service.Handle, string) {})
	n, err := actor.NewNode(cfg)
	if err != nil {
		panic(err)
	}
	service.Install(n, defs...)
	return n, func() { _ = n.Shutdown(context.Background()) }
}

// A service is a start function that names its commands. Others call them with
// Lua-shaped results, or with a result of a type.
func Example() {
	n, stop := newExampleNode(service.Def("simpledb", startSimpledb))
	defer stop()
	ctx := context.Background()
	db, err := service.Start(ctx, n, "simpledb")
	if err != nil {
		fmt.Println(err)
		return
	}
	err = service.Run(ctx, n, func(c *service.Context) error {
		old, err := service.Call[*string](c, db, "SET", "a", "1")
		fmt.Println(old == nil, err)
		vals, err := c.Call(db, "GET", "a")
		fmt.Println(vals, err)
		_, err = c.Call(db, "GET", "b")
		return err
	})
	fmt.Println(errors.Is(err, os.ErrNotExist), errors.Is(err, service.ErrCallFailed))
	// Output:
	// true <nil>
	// [1] <nil>
	// true true
}

// A Cmd is shared by callee and caller, and checked by the compiler on both
// sides.
func ExampleCmd() {
	upper := service.Cmd[string, string]("UPPER")
	n, stop := newExampleNode(service.Def("text", func(c *service.Context, _ ...any) error {
		upper.Handle(c, func(_ *service.Context, s string) (string, error) { return strings.ToUpper(s), nil })
		return nil
	}))
	defer stop()
	h, err := service.Start(context.Background(), n, "text")
	if err != nil {
		fmt.Println(err)
		return
	}
	err = service.Run(context.Background(), n, func(c *service.Context) error {
		s, err := upper.Call(c, h, "skynet")
		fmt.Println(s)
		return err
	})
	fmt.Println(err)
	// Output:
	// SKYNET
	// <nil>
}

// Response answers later, from any coroutine of the service.
func ExampleContext_Response() {
	n, stop := newExampleNode(service.Def("later", func(c *service.Context, _ ...any) error {
		c.Handle("GET", service.P0(func(c *service.Context) error {
			resp := c.Response()
			c.Fork(func(*service.Context) { _, _ = resp.Ret("from a fork") })
			return nil
		}))
		return nil
	}))
	defer stop()
	h, err := service.Start(context.Background(), n, "later")
	if err != nil {
		fmt.Println(err)
		return
	}
	err = service.Run(context.Background(), n, func(c *service.Context) error {
		s, err := service.Call[string](c, h, "GET")
		fmt.Println(s)
		return err
	})
	fmt.Println(err)
	// Output:
	// from a fork
	// <nil>
}

// Await runs a function that blocks, while the service goes on.
func ExampleAwait() {
	n, stop := newExampleNode()
	defer stop()
	err := service.Run(context.Background(), n, func(c *service.Context) error {
		name := make(chan string)
		c.Fork(func(*service.Context) { close(name) })
		_, err := service.Await(c, func(ctx context.Context) (string, error) {
			select {
			case s := <-name:
				return s, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		})
		return err
	})
	fmt.Println(err)
	// Output: <nil>
}

// Queue makes a section atomic, although what is in it blocks.
func ExampleQueue() {
	n, stop := newExampleNode()
	defer stop()
	err := service.Run(context.Background(), n, func(c *service.Context) error {
		var q service.Queue
		left := 2
		for _, name := range []string{"a", "b"} {
			c.Fork(func(c *service.Context) {
				_ = q.Do(c, func() error {
					fmt.Println(name, "begins")
					_ = c.Yield()
					fmt.Println(name, "ends")
					return nil
				})
				left--
			})
		}
		for left > 0 {
			if err := c.Yield(); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// a begins
	// a ends
	// b begins
	// b ends
	// <nil>
}
