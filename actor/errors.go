package actor

import (
	"context"
	"errors"
)

// Errors that calls and sends end with; test with errors.Is.
var (
	// ErrNoService: the address names no living service.
	ErrNoService = errors.New("actor: no such service")
	// ErrCallFailed: the callee answered with an error (Skynet's "call failed").
	ErrCallFailed = errors.New("actor: call failed")
	// ErrExited: a service, the callee's or one's own, has ended.
	ErrExited = errors.New("actor: service exited")
	// ErrBreak: Wakeup ended a Sleep early.
	ErrBreak = errors.New("actor: woken up")
	// ErrTimeout: the deadline of a call passed; it wraps context.DeadlineExceeded.
	ErrTimeout error = timeoutError{}
	// ErrOverload: a bound was reached and the message was not taken.
	ErrOverload = errors.New("actor: overload")
	// ErrMisuse: a call that its caller was not entitled to make, such as the
	// use of a coroutine after its end.
	ErrMisuse = errors.New("actor: misuse")
	// ErrNameTaken: a local name belongs to another living service.
	ErrNameTaken = errors.New("actor: name is taken")
	// ErrShutdown: the node is shutting down and starts nothing new.
	ErrShutdown = errors.New("actor: node is shutting down")
	// ErrDeadlock: the call would have closed a circle of serial services that
	// wait for each other.
	ErrDeadlock = errors.New("actor: deadlock")
	// ErrEnvExists: environment keys are written once.
	ErrEnvExists = errors.New("actor: environment key exists")
)

type timeoutError struct{}

func (timeoutError) Error() string   { return "actor: call timed out" }
func (timeoutError) Unwrap() error   { return context.DeadlineExceeded }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
