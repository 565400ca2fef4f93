package actor

import (
	"fmt"
	"strconv"
	"strings"
)

// Handle is the address of a service inside its node, unique among the living.
// 0 is no service; as the source of a message it is the runtime itself.
type Handle uint32

// String gives Skynet's text form, ":%08x".
func (h Handle) String() string {
	const hex = "0123456789abcdef"
	b := [9]byte{':'}
	for i := 8; i > 0; i-- {
		b[i] = hex[h&15]
		h >>= 4
	}
	return string(b[:])
}

// ParseHandle reads the form ":HEX", of any length and case; anything else is
// ErrMisuse.
func ParseHandle(s string) (Handle, error) {
	digits, ok := strings.CutPrefix(s, ":")
	if !ok {
		return 0, fmt.Errorf("%w: address %q does not begin with ':'", ErrMisuse, s)
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: address %q is not :HEX", ErrMisuse, s)
	}
	return Handle(n), nil
}

// Session ties an answer to its request. Each service counts its own, from 1
// to 0x7fffffff and round again; 0 asks for no answer.
type Session uint32

const maxSession Session = 0x7fffffff

// PType is the type of a message. The numbers are Skynet's (skynet.h); those
// from 13 on are free.
type PType uint8

// Message types.
const (
	PTypeText      PType = 0
	PTypeResponse  PType = 1
	PTypeMulticast PType = 2
	PTypeClient    PType = 3
	PTypeSystem    PType = 4
	PTypeHarbor    PType = 5
	PTypeSocket    PType = 6
	PTypeError     PType = 7
	PTypeQueue     PType = 8
	PTypeDebug     PType = 9
	PTypeLua       PType = 10
	PTypeSnax      PType = 11
	PTypeTrace     PType = 12
)

// Message is what a mailbox holds. Cmd and Data mean what the layer above lets
// them mean; Data goes by reference and belongs to the receiver once sent.
// A PTypeError answer carries its error in Data.
type Message struct {
	Type    PType
	Session Session
	Source  Handle
	Cmd     string
	Data    any
}

// fifo is a queue that reuses its memory once it has been emptied.
type fifo[T any] struct {
	buf  []T
	head int
}

func (q *fifo[T]) len() int { return len(q.buf) - q.head }

// push makes room in front rather than grow, so that a queue which is never
// quite empty stays small.
func (q *fifo[T]) push(v T) {
	if len(q.buf) == cap(q.buf) && q.head > 0 && 2*q.head >= len(q.buf) {
		n := copy(q.buf, q.buf[q.head:])
		clear(q.buf[n:])
		q.buf, q.head = q.buf[:n], 0
	}
	q.buf = append(q.buf, v)
}

func (q *fifo[T]) peek() *T { return &q.buf[q.head] }

func (q *fifo[T]) pop() T {
	var v T
	q.popTo(&v)
	return v
}

// popTo is pop into place.
func (q *fifo[T]) popTo(v *T) {
	var zero T
	*v = q.buf[q.head]
	q.buf[q.head] = zero
	q.head++
	if q.head == len(q.buf) {
		q.buf, q.head = q.buf[:0], 0
	}
}

// keepCap is how many places an empty queue may keep; more are given back once
// the service is idle, so that a burst does not cost memory for ever.
const keepCap = 128

// trim gives the memory of a burst back. The queue must be empty.
func (q *fifo[T]) trim() {
	if cap(q.buf) > keepCap {
		q.buf, q.head = nil, 0
	}
}
