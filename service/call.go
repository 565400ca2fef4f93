package service

import (
	"fmt"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
)

// Call sends args, by custom a command and its arguments, to addr and blocks
// until the answer comes (skynet.call). addr is a Handle, ".name" or ":HEX".
// The results are in their Lua shape. The error wraps ErrNoService when addr is
// nobody, ErrExited when the callee ended first, ErrTimeout when the deadline
// passed, and what the callee's handler returned, which is ErrCallFailed too.
func (c *Context) Call(addr any, args ...any) (lualike.Args, error) {
	reply, err := c.request(addr, &Message{Type: PTypeLua, Data: lualike.Args(args)})
	if err == nil {
		var out lualike.Args
		if out, err = dataArgs(reply.Data); err == nil {
			return out, nil
		}
	}
	return nil, callError(addr, args, err)
}

// Call is Context.Call with one result, as an R. A missing result is nil and
// nil the zero value; a pointer tells them apart.
func Call[R any](c *Context, addr any, args ...any) (R, error) {
	reply, err := c.request(addr, &Message{Type: PTypeLua, Data: lualike.Args(args)})
	if err == nil {
		var r R
		if r, err = dataAs[R](reply.Data); err == nil {
			return r, nil
		}
	}
	var zero R
	return zero, callError(addr, args, err)
}

// Send sends args to addr without asking for an answer; it does not block
// (skynet.send). ErrNoService when addr is nobody.
func (c *Context) Send(addr any, args ...any) error {
	if err := c.post(addr, &Message{Type: PTypeLua, Data: lualike.Args(args)}); err != nil {
		return fmt.Errorf("send %s %s: %w", addressText(addr), commandText(args), err)
	}
	return nil
}

// RawCall sends one payload as it is, as a request of type t, blocks, and
// returns the answer's payload as it is (skynet.rawcall).
func (c *Context) RawCall(addr any, t PType, payload any) (any, error) {
	err := noAnswer(t)
	if err == nil {
		var reply Message
		if reply, err = c.request(addr, &Message{Type: t, Data: payload}); err == nil {
			return reply.Data, nil
		}
	}
	return nil, callError(addr, nil, err)
}

// RawCallThen is RawCall that does not block: then runs as a coroutine of its own
// with the answer's payload or the error, which is ErrTimeout after timeout unless
// that is Forever.
func (c *Context) RawCallThen(addr any, t PType, payload any, timeout time.Duration, then func(c *Context, answer any, err error)) error {
	err := c.check()
	if err == nil {
		err = noAnswer(t)
	}
	var to Handle
	if err == nil {
		to, err = c.target(addr)
	}
	if err == nil {
		err = c.co.CallThen(to, Message{Type: t, Data: payload}, max(timeout, 0), thenFunc(then))
	}
	if err != nil {
		return callError(addr, nil, err)
	}
	return nil
}

// thenFunc is the function of a RawCallThen.
type thenFunc func(c *Context, answer any, err error)

func (f thenFunc) Answered(co *actor.Coroutine, m Message, err error) {
	inst := co.Service().Behaviour().(*instance)
	f(inst.context(co), m.Data, err)
}

// noAnswer refuses what an answer is made of, which nobody would wait for.
func noAnswer(t PType) error {
	if t == actor.PTypeResponse || t == actor.PTypeError {
		return fmt.Errorf("%w: message of type %d is an answer", ErrMisuse, t)
	}
	return nil
}

// RawSend sends one payload as it is, as a message of type t (skynet.rawsend).
// It does not block.
func (c *Context) RawSend(addr any, t PType, payload any) error {
	err := noAnswer(t)
	if err == nil {
		err = c.post(addr, &Message{Type: t, Data: payload})
	}
	if err != nil {
		return fmt.Errorf("send %s: %w", addressText(addr), err)
	}
	return nil
}

// RawSendAll is RawSend of messages to one receiver, whose Type and Data count, in
// order. It changes ms, and keeps nothing of it. What can not be delivered is
// counted in the node's Drops.
func (c *Context) RawSendAll(to Handle, ms []Message) error {
	err := c.check()
	for i := range ms {
		if err == nil {
			err = noAnswer(ms[i].Type)
		}
	}
	if err != nil {
		return fmt.Errorf("send %s: %w", to, err)
	}
	c.co.PostAll(to, ms)
	return nil
}

// Redirect sends one payload to addr under the name of another source and with
// a session of the caller's choice (skynet.redirect). It does not block.
func (c *Context) Redirect(addr any, source Handle, t PType, session Session, payload any) error {
	err := c.check()
	if err == nil {
		var to Handle
		if to, err = c.target(addr); err == nil {
			err = c.Node().Send(to, Message{Type: t, Session: session, Source: source, Data: payload})
		}
	}
	if err != nil {
		return fmt.Errorf("redirect %s: %w", addressText(addr), err)
	}
	return nil
}

func (c *Context) request(addr any, m *Message) (Message, error) {
	if err := c.mayBlock(); err != nil {
		return Message{}, err
	}
	to, err := c.target(addr)
	if err != nil {
		return Message{}, err
	}
	c.traceCall(to)
	answer, err := c.co.Call(to, *m, max(c.CallTimeout(), 0))
	if err != nil {
		c.traceFailed(to)
	}
	c.traceStep("resume")
	return answer, err
}

func (c *Context) post(addr any, m *Message) error {
	if err := c.check(); err != nil {
		return err
	}
	to, err := c.target(addr)
	if err != nil {
		return err
	}
	return c.co.Post(to, m)
}

func callError(addr any, args []any, err error) error {
	if cmd := commandText(args); cmd != "" {
		return fmt.Errorf("call %s %s: %w", addressText(addr), cmd, err)
	}
	return fmt.Errorf("call %s: %w", addressText(addr), err)
}

func commandText(args []any) string {
	if len(args) == 0 {
		return ""
	}
	cmd, _ := args[0].(string)
	return cmd
}

// Ret answers the request in hand with vals: true when the answer reached a
// living caller, false when nobody waits for one (skynet.ret, skynet.retpack).
// A second answer, or one where there was no request, is ErrMisuse.
func (c *Context) Ret(vals ...any) (bool, error) {
	var data any
	if len(vals) > 0 {
		data = lualike.Args(vals)
	}
	return c.RetRaw(data)
}

// RetRaw is Ret with one payload as it is.
func (c *Context) RetRaw(payload any) (bool, error) {
	if err := c.check(); err != nil {
		return false, err
	}
	c.traceStep("response")
	return c.co.Reply(payload)
}

// Fail answers the request in hand with an error, nil for a plain
// ErrCallFailed.
func (c *Context) Fail(err error) {
	if !c.misused() {
		c.co.Fail(failure(err))
	}
}

// IgnoreRet says that the session of the message in hand is no request that
// wants an answer (skynet.ignoreret).
func (c *Context) IgnoreRet() {
	if !c.misused() {
		c.co.IgnoreRet()
	}
}

// Response takes over the answer to the request in hand, to be given later from
// any coroutine of the service (skynet.response). Where there is no request to
// answer, its methods return ErrMisuse.
func (c *Context) Response() *Response {
	r := new(Response)
	if r.err = c.check(); r.err == nil {
		r.err = c.co.Response(&r.r)
	}
	return r
}

// Response is an answer that is still owed. It is used under the baton of the
// service that owes it.
type Response struct {
	r   actor.Response
	err error
}

// Pending reports whether the caller is known to wait still; Skynet's
// response("TEST").
func (r *Response) Pending() bool { return r.err == nil && r.r.Pending() }

// Ret answers with vals: true when the answer reached a living caller. A second
// answer is ErrMisuse.
func (r *Response) Ret(vals ...any) (bool, error) {
	var data any
	if len(vals) > 0 {
		data = lualike.Args(vals)
	}
	return r.RetRaw(data)
}

// RetRaw is Ret with one payload as it is.
func (r *Response) RetRaw(payload any) (bool, error) {
	if r.err != nil {
		return false, r.err
	}
	return r.r.Reply(payload)
}

// Fail answers with an error, nil for a plain ErrCallFailed: true when it
// reached a living caller. A second answer is ErrMisuse.
func (r *Response) Fail(err error) (bool, error) {
	if r.err != nil {
		return false, r.err
	}
	return r.r.Fail(failure(err))
}

// Cmd is a command as a value that caller and callee share, so that the
// compiler checks both: argument A, result R.
//
//	var Get = service.Cmd[string, string]("GET")
//	v, err := Get.Call(c, db, "a")
type Cmd[A, R any] string

// Call sends the command and blocks until the answer comes; see Context.Call.
func (cmd Cmd[A, R]) Call(c *Context, addr any, arg A) (R, error) {
	reply, err := c.request(addr, &Message{Type: PTypeLua, Cmd: string(cmd), Data: valueData(arg)})
	if err == nil {
		var r R
		if r, err = dataAs[R](reply.Data); err == nil {
			return r, nil
		}
	}
	var zero R
	return zero, fmt.Errorf("call %s %s: %w", addressText(addr), string(cmd), err)
}

// Send sends the command without asking for an answer; it does not block.
func (cmd Cmd[A, R]) Send(c *Context, addr any, arg A) error {
	if err := c.post(addr, &Message{Type: PTypeLua, Cmd: string(cmd), Data: valueData(arg)}); err != nil {
		return fmt.Errorf("send %s %s: %w", addressText(addr), string(cmd), err)
	}
	return nil
}

// Handle defines the command for the running service.
func (cmd Cmd[A, R]) Handle(c *Context, f func(*Context, A) (R, error)) {
	c.Handle(string(cmd), F1(f))
}
