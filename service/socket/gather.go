package socket

import (
	"encoding/binary"
	"sync"
)

const (
	// GatherSize is the largest slice that Write copies, to send it together with
	// others, and does not keep.
	GatherSize = 1 << 10
	// gatherMost is how much of such is put together.
	gatherMost = 64 << 10
)

var gathers = sync.Pool{New: func() any { return new([]byte) }}

// push queues b with high priority.
func (o *output) push(b []byte) {
	if len(b) > GatherSize {
		o.seal()
		o.high.push(b)
		return
	}
	o.gather()
	if *o.small = append(*o.small, b...); len(*o.small) >= gatherMost {
		o.seal()
	}
}

// pushLength queues the length of a frame.
func (o *output) pushLength(n int) {
	o.gather()
	*o.small = binary.BigEndian.AppendUint16(*o.small, uint16(n))
}

func (o *output) gather() {
	if o.small == nil {
		o.small = gathers.Get().(*[]byte)
	}
}

// seal has what was gathered go out before what is pushed next.
func (o *output) seal() {
	if o.small != nil {
		o.high.push(*o.small)
		o.small = nil
	}
}

// takeSmall returns what was gathered. It is to be given back once it has been
// written.
func (o *output) takeSmall() *[]byte {
	b := o.small
	o.small = nil
	return b
}

// giveBack keeps the memory of small output for other small output.
func giveBack(b *[]byte) {
	if b != nil && cap(*b) <= 2*gatherMost {
		*b = (*b)[:0]
		gathers.Put(b)
	}
}

// writeNowLocked tries to send small output, the only one that waits, with a
// system call of the caller's; what the system does not take stays. True when
// nothing is left.
func (s *conn) writeNowLocked() bool {
	o := &s.out
	if s.raw == nil || o.small == nil || o.high.len() > 0 || s.state != stateOpen {
		return false
	}
	n := writeSome(s.raw, *o.small)
	s.writes.Add(1)
	s.written.Add(uint64(n))
	o.pending -= n
	if n < len(*o.small) {
		*o.small = append((*o.small)[:0], (*o.small)[n:]...)
		return false
	}
	giveBack(o.takeSmall())
	return true
}
