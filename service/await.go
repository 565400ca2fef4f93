package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

var (
	errAwaitPanic = errors.New("panic in Await")
	errAwaitEnded = errors.New("service: the goroutine of Await was ended")
)

// Await runs f, any Go function that may block, on a goroutine of its own and
// blocks until it has returned; meanwhile the service handles other messages.
// ctx ends when the coroutine does: when the service is killed Await does not
// come back, and f should return. f must not touch the service's state; what it
// knows it gets and gives by value. A panic in f is raised in the caller.
func Await[T any](c *Context, f func(ctx context.Context) (T, error)) (T, error) {
	var zero T
	if err := c.mayBlock(); err != nil {
		return zero, err
	}
	v, err := zero, errAwaitEnded // what a Goexit leaves
	var crash error
	ctx := c.Context()
	if werr := c.co.Await(func() {
		defer func() {
			if r := recover(); r != nil {
				crash = fmt.Errorf("%w: %v\n%s", errAwaitPanic, r, debug.Stack())
			}
		}()
		v, err = f(ctx)
	}); werr != nil {
		return zero, werr
	}
	if crash != nil {
		panic(crash)
	}
	return v, err
}
