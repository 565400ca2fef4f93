package service

import (
	"errors"
	"fmt"

	"github.com/skynetgo/skynet/actor"
)

// The runtime's errors, for use with errors.Is. See package actor.
var (
	ErrNoService  = actor.ErrNoService
	ErrCallFailed = actor.ErrCallFailed
	ErrExited     = actor.ErrExited
	ErrBreak      = actor.ErrBreak
	ErrTimeout    = actor.ErrTimeout
	ErrOverload   = actor.ErrOverload
	ErrMisuse     = actor.ErrMisuse
	ErrDeadlock   = actor.ErrDeadlock
	ErrNameTaken  = actor.ErrNameTaken
)

// ErrUnknownCommand means that the callee has no such command.
var ErrUnknownCommand = errors.New("service: Unknown command")

// ErrNoDefinition means that the node knows no service of that name.
var ErrNoDefinition = errors.New("service: no such definition")

// textError is an error whose text may cross to another node.
type textError struct{ err error }

func (e *textError) Error() string { return e.err.Error() }
func (e *textError) Unwrap() error { return e.err }

// Errorf makes an error as fmt.Errorf does whose text is shown to callers on
// other nodes too. The text of any other error stays inside the node, where
// callers get the error itself; a remote caller then sees "call failed", as in
// Skynet.
func Errorf(format string, args ...any) error {
	return &textError{fmt.Errorf(format, args...)}
}

// ErrorText returns the text that Errorf has marked for other nodes.
func ErrorText(err error) (string, bool) {
	var t *textError
	if errors.As(err, &t) {
		return t.Error(), true
	}
	return "", false
}

// handlerError is what a caller gets when a handler returned an error: the
// error itself, and ErrCallFailed.
type handlerError struct{ err error }

func failure(err error) error {
	if err == nil {
		return ErrCallFailed
	}
	return &handlerError{err}
}

func (e *handlerError) Error() string   { return e.err.Error() }
func (e *handlerError) Unwrap() []error { return []error{e.err, ErrCallFailed} }
