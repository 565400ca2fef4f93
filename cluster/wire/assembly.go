package wire

import (
	"strings"
	"unsafe"
)

// firstReserve is how much memory the first part of a message may set aside for those to come. After that the memory
// grows sixteenfold, so the far side must have sent a sixteenth of what it is given.
const firstReserve = 1<<20 + PartSize

// Assembly collects the parts of one large message. It copies each behind those before, into memory that grows with
// what has arrived, whatever size the far side has announced.
//
// The zero value stands for a message whose parts came without a begin; it is never complete.
// An Assembly is used by one goroutine at a time and must not be copied once a part has come.
type Assembly struct {
	buf   strings.Builder // gives memory that is not cleared first
	size  uint32
	state assemblyState
}

type assemblyState uint8

const (
	assemblyUnannounced assemblyState = iota
	assemblyOpen
	assemblyBroken // more bytes than announced; what came is given up
)

// Reset begins a message that was announced with size bytes. Bytes handed out before stay valid.
func (a *Assembly) Reset(size uint32) {
	*a = Assembly{size: size, state: assemblyOpen}
}

// Append adds one part, which may be empty. Bytes that can no longer become a message, because there was no begin or
// more came than announced, are not kept.
func (a *Assembly) Append(part []byte) {
	need := a.buf.Len() + len(part)
	switch {
	case a.state != assemblyOpen || len(part) == 0:
		return
	case uint64(need) > uint64(a.size):
		*a = Assembly{state: assemblyBroken}
		return
	case need > a.buf.Cap():
		before := a.buf.String()
		a.buf.Reset()
		a.buf.Grow(int(min(uint64(a.size), uint64(max(16*len(before), firstReserve, need)))))
		a.buf.WriteString(before)
	}
	a.buf.Write(part)
}

// Held returns about how many bytes of memory a holds.
func (a *Assembly) Held() int { return int(min(uint64(a.buf.Cap()), uint64(a.size))) }

// Complete reports whether the parts add up to exactly the announced size.
func (a *Assembly) Complete() bool {
	return a.state == assemblyOpen && uint64(a.buf.Len()) == uint64(a.size)
}

// Bytes returns the message; ok is true only when it is complete. The slice belongs to the caller from then on, as
// long as nothing but Reset is called on a.
func (a *Assembly) Bytes() (b []byte, ok bool) {
	if !a.Complete() {
		return nil, false
	}
	if a.size == 0 {
		return []byte{}, true
	}
	return unsafe.Slice(unsafe.StringData(a.buf.String()), a.buf.Len()), true // nothing else refers to that memory
}
