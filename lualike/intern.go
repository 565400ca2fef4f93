package lualike

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

const (
	// internSlots and internLength bound what the table of known strings can hold.
	internSlots  = 1024
	internLength = 24
)

// interned keeps short strings that come again and again, so that they are not copied each time: Lua interns its short strings too.
// A slot is one atomic pointer, so readers share the cache line; a slot is given to another string only now and then, so that
// a flood of distinct strings neither wears the slots out nor costs more than a look.
var interned [internSlots]atomic.Pointer[any]

// intern returns the string b as a value, and whether it is known. If not it may be so the next time.
func intern(b []byte) (any, bool) {
	if len(b) > internLength {
		return nil, false
	}
	slot := &interned[internSlot(b)]
	known := slot.Load()
	if known != nil && (*known).(string) == string(b) {
		return *known, true
	}
	if known != nil && rand.Uint32()%16 != 0 {
		return nil, false
	}
	v := any(string(b))
	slot.Store(&v)
	return v, true
}

// internSlot looks at both ends of b only. Strings made to fall into one slot make each other be copied, nothing worse, so that
// there is no need for a better hash, which would cost more than the copy.
func internSlot(b []byte) uint64 {
	h := uint64(len(b))
	if n := len(b); n >= 8 {
		h += bits.RotateLeft64(binary.LittleEndian.Uint64(b), 31) ^ binary.LittleEndian.Uint64(b[n-8:])
	} else {
		for _, c := range b {
			h = h<<8 | uint64(c)
		}
	}
	return h * 0x9e3779b97f4a7c15 >> 32 % internSlots // 2^64 by the golden ratio spreads what is alike
}
