package service

import (
	"fmt"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
)

// maxContexts is how many Contexts a coroutine uses in turn.
const maxContexts = 16

// scratch is what a coroutine keeps for this package from one run to the next.
type scratch struct {
	in       input
	inst     *instance
	contexts []Context // of inst, no more than it has needed
	next     int
	last     command // of inst, the one handled last
}

// command is what a command did when it was looked up.
type command struct {
	cmd     string
	handler Handler
	version uint32
}

// context returns a Context for the run that co begins. It has not been used in
// the maxContexts runs before, or by another service, so that one kept beyond its
// run can be told from a current one.
func (i *instance) context(co *actor.Coroutine) *Context {
	s, _ := co.Layer.(*scratch)
	if s == nil {
		s = new(scratch)
		co.Layer = s
	}
	switch {
	case s.inst != i:
		s.inst, s.contexts, s.next, s.last = i, make([]Context, min(1+i.svc.Waiting(), maxContexts)), 0, command{}
	case s.next < len(s.contexts):
	case s.next < maxContexts:
		s.contexts, s.next = make([]Context, min(2*len(s.contexts), maxContexts)), 0
	default:
		s.next = 0
	}
	c := &s.contexts[s.next]
	s.next++
	c.id = co.ID()
	if c.co != co {
		c.co, c.inst = co, i
	}
	if c.ctx != nil {
		c.ctx = nil
	}
	return c
}

// input returns where the arguments of the handler come from that c runs.
func (c *Context) input() *input { return &c.co.Layer.(*scratch).in }

// input is where a handler's arguments come from. Which field has them form
// says.
type input struct {
	form   inputForm
	next   int // how many have been taken
	value  any
	args   lualike.Args
	packed lualike.Decoder
}

type inputForm uint8

const (
	formNone   inputForm = iota
	formValue            // one value
	formArgs             // a list
	formPacked           // a list, packed
)

// open sets in to read the payload of a message.
func (in *input) open(data any) {
	in.next = 0
	switch d := data.(type) {
	case nil:
		in.form = formNone
	case lualike.Args:
		in.form, in.args = formArgs, d
	case []byte:
		in.form = formPacked
		in.packed.Reset(d)
		in.packed.Own() // messages change owner
	default:
		in.form, in.value = formValue, d
	}
}

// close lets go of the arguments.
func (in *input) close() {
	switch in.form {
	case formValue:
		in.value = nil
	case formArgs:
		in.args = nil
	case formPacked:
		in.packed.Reset(nil)
	}
	in.form = formNone
}

// command opens the payload of m and returns the command in front.
func (in *input) command(m *Message) (string, error) {
	if m.Cmd != "" {
		in.open(m.Data)
		return m.Cmd, nil
	}
	first, err := in.first(m)
	if err != nil {
		return "", err
	}
	cmd, ok := first.(string)
	if !ok {
		return "", fmt.Errorf("%w %v", ErrUnknownCommand, first)
	}
	return cmd, nil
}

// first is command for a value of any kind in front, in its Lua shape, nil when
// there is none.
func (in *input) first(m *Message) (any, error) {
	var first any
	in.open(m.Data)
	switch {
	case m.Cmd != "":
		return m.Cmd, nil
	case in.form == formValue:
		first = in.value
		in.close()
	case in.form == formArgs:
		first = in.args.At(0)
		in.args = in.args[min(1, len(in.args)):]
	case in.form == formPacked && in.packed.More():
		return in.packed.Next()
	}
	if _, ok := first.(string); ok {
		return first, nil
	}
	return lualike.Normalize(first)
}

// rest returns all values not taken yet, as they came.
func (in *input) rest() (lualike.Args, error) {
	switch in.form {
	case formValue:
		if in.next == 0 {
			return lualike.Args{in.value}, nil
		}
	case formArgs:
		return in.args[min(in.next, len(in.args)):], nil
	case formPacked:
		var out lualike.Args
		for in.packed.More() {
			v, err := in.packed.Next()
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	return nil, nil
}

// take returns the next value as a T, nil past the end.
func take[T any](in *input) (T, error) {
	in.next++
	var v any
	switch in.form {
	case formValue:
		if in.next == 1 {
			v = in.value
		}
	case formArgs:
		v = in.args.At(in.next - 1)
	case formPacked:
		v, err := lualike.DecodeAs[T](&in.packed)
		return v, argError(in.next, err)
	}
	if t, ok := v.(T); ok {
		return t, nil
	}
	t, err := lualike.As[T](v)
	return t, argError(in.next, err)
}

// argumentError is that of an argument which a handler can't take.
type argumentError struct {
	n   int
	of  string // " of " and the command, where the handler has one
	err error
}

func argError(n int, err error) error {
	if err != nil {
		return &argumentError{n: n, err: err}
	}
	return nil
}

func (e *argumentError) Error() string { return fmt.Sprintf("argument %d%s: %v", e.n, e.of, e.err) }

func (e *argumentError) Unwrap() error { return e.err }
