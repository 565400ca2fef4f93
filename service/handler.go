package service

import "github.com/skynetgo/skynet/lualike"

// Handler is what a command does. Make one with F0 to F4 (one result and an
// error), P0 to P4 (an error only), Raw or Values.
//
// Arguments are positional, as in Lua: missing ones are nil, more than the
// function takes are ignored. nil becomes the zero value; a pointer tells the
// two apart. A value of the parameter's own type goes by reference, any other
// through the conversion that a trip to another node would make.
type Handler struct {
	run func(c *Context, in *input) (any, error)
}

// noResult is what a P handler replies: no value.
func noResult(err error) (any, error) { return nil, err }

// F0 is a handler without arguments.
func F0[R any](f func(*Context) (R, error)) Handler {
	return Handler{func(c *Context, _ *input) (any, error) { return result(f(c)) }}
}

// F1 is a handler with one argument.
func F1[A, R any](f func(*Context, A) (R, error)) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		a, err := take[A](in)
		if err != nil {
			return nil, err
		}
		return result(f(c, a))
	}}
}

// F2 is a handler with two arguments.
func F2[A, B, R any](f func(*Context, A, B) (R, error)) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		a, b, err := take2[A, B](in)
		if err != nil {
			return nil, err
		}
		return result(f(c, a, b))
	}}
}

// F3 is a handler with three arguments.
func F3[A, B, C, R any](f func(*Context, A, B, C) (R, error)) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		a, b, x, err := take3[A, B, C](in)
		if err != nil {
			return nil, err
		}
		return result(f(c, a, b, x))
	}}
}

// F4 is a handler with four arguments.
func F4[A, B, C, D, R any](f func(*Context, A, B, C, D) (R, error)) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		a, b, x, err := take3[A, B, C](in)
		if err != nil {
			return nil, err
		}
		d, err := take[D](in)
		if err != nil {
			return nil, err
		}
		return result(f(c, a, b, x, d))
	}}
}

// P0 is a handler without arguments and results.
func P0(f func(*Context) error) Handler {
	return Handler{func(c *Context, _ *input) (any, error) { return noResult(f(c)) }}
}

// P1 is a handler with one argument and no result.
func P1[A any](f func(*Context, A) error) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		a, err := take[A](in)
		if err != nil {
			return nil, err
		}
		return noResult(f(c, a))
	}}
}

// P2 is a handler with two arguments and no result.
func P2[A, B any](f func(*Context, A, B) error) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		a, b, err := take2[A, B](in)
		if err != nil {
			return nil, err
		}
		return noResult(f(c, a, b))
	}}
}

// P3 is a handler with three arguments and no result.
func P3[A, B, C any](f func(*Context, A, B, C) error) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		a, b, x, err := take3[A, B, C](in)
		if err != nil {
			return nil, err
		}
		return noResult(f(c, a, b, x))
	}}
}

// P4 is a handler with four arguments and no result.
func P4[A, B, C, D any](f func(*Context, A, B, C, D) error) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		a, b, x, err := take3[A, B, C](in)
		if err != nil {
			return nil, err
		}
		d, err := take[D](in)
		if err != nil {
			return nil, err
		}
		return noResult(f(c, a, b, x, d))
	}}
}

// Raw is a handler that gets its arguments in their Lua shape and returns any
// number of results.
func Raw(f func(*Context, lualike.Args) (lualike.Args, error)) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		args, err := in.rest()
		if err != nil {
			return nil, err
		}
		if args, err = normalize(args); err != nil {
			return nil, err
		}
		return list(f(c, args))
	}}
}

// Values is Raw without the conversion: the arguments are the very values that
// were sent, whatever their type.
func Values(f func(*Context, []any) ([]any, error)) Handler {
	return Handler{func(c *Context, in *input) (any, error) {
		args, err := in.rest()
		if err != nil {
			return nil, err
		}
		r, err := f(c, args)
		return list(r, err)
	}}
}

func list(args lualike.Args, err error) (any, error) {
	if err != nil || len(args) == 0 {
		return nil, err
	}
	return args, nil
}

// result is one result in its payload form. Lists stay lists, so that a
// function that returns lualike.Args returns several results.
func result[R any](r R, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return valueData(any(r)), nil
}

func take2[A, B any](in *input) (a A, b B, err error) {
	if a, err = take[A](in); err == nil {
		b, err = take[B](in)
	}
	return
}

func take3[A, B, C any](in *input) (a A, b B, c C, err error) {
	if a, b, err = take2[A, B](in); err == nil {
		c, err = take[C](in)
	}
	return
}
