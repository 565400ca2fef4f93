package cluster

import (
	"errors"
	"fmt"
	"strings"

	"github.com/skynetgo/skynet/service"
)

// Errors of calls to other nodes; test with errors.Is.
var (
	// ErrNodeUnknown: the node table has no such node, and __nowaiting is set.
	ErrNodeUnknown = errors.New("cluster: node is unknown")
	// ErrNodeDown: the table says false for the node, or no connection to it
	// could be made or kept.
	ErrNodeDown = errors.New("cluster: node is down")
	// ErrNameNotFound: the other node has no service registered under the name.
	ErrNameNotFound = errors.New("cluster: name not found")
	// ErrTooLarge: a message is larger than the protocol or a limit allows.
	ErrTooLarge = errors.New("cluster: message too large")
)

// Error texts of the protocol (clusteragent.lua).
const (
	TextInvalidName    = "Invalid name"
	TextNameNotFound   = "name not found"
	TextInvalidLarge   = "Invalid large req"
	TextInvalidAddress = "call to invalid address"
	TextCallFailed     = "call failed"
)

// RemoteError is an error answer of another node, of which only the text
// crosses the wire. It is service.ErrCallFailed too, and ErrNameNotFound,
// ErrTooLarge or service.ErrOverload when that is what the text says.
type RemoteError struct {
	Node string // as in the node table
	Addr string // the address called there
	Text string
}

func (e *RemoteError) Error() string {
	return fmt.Sprintf("cluster: %s %s: %s", e.Node, e.Addr, e.Text)
}

// Is reports what kind of error the text stands for.
func (e *RemoteError) Is(target error) bool {
	switch target {
	case service.ErrCallFailed:
		return true
	case ErrNameNotFound:
		return e.Text == TextInvalidName || e.Text == TextNameNotFound
	case ErrTooLarge:
		return strings.HasPrefix(e.Text, ErrTooLarge.Error())
	case service.ErrOverload:
		return strings.HasPrefix(e.Text, service.ErrOverload.Error())
	}
	return false
}

// DownError is what became of a call whose link was not there or was lost. It is
// ErrNodeDown.
type DownError struct {
	Node   string // as in the node table
	Addr   string
	Left   bool // the request may have left this node, and been handled there
	Reason error
}

func (e *DownError) Error() string {
	left := "the request had not left"
	if e.Left {
		left = "the request had left, its answer is lost"
	}
	return fmt.Sprintf("%v: %s (%s): %s: %v", ErrNodeDown, e.Node, e.Addr, left, e.Reason)
}

// Is reports whether target is ErrNodeDown.
func (e *DownError) Is(target error) bool { return target == ErrNodeDown }

func (e *DownError) Unwrap() error { return e.Reason }
