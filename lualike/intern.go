package lualike

import (
	"hash/maphash"
	"math/rand/v2"
	"sync/atomic"
)

const (
	// internSlots and internLength bound what the table of known strings can hold.
	internSlots  = 1024
	internLength = 24
)

// interned keeps short strings that come again and again, so that they are not copied each time: Lua interns its short strings too.
// Only table keys and the first value of a message, its command, are learnt; all strings profit. A slot is one atomic pointer, so readers
// share the cache line; learners replace another string only now and then, so that a flood of distinct keys neither wears
// the slots out nor costs more than a look.
var interned [internSlots]atomic.Pointer[any]

var internSeed = maphash.MakeSeed()

// intern returns the string b as a value, and whether it is known. With learn it may be so the next time.
func intern(b []byte, learn bool) (any, bool) {
	if len(b) > internLength {
		return nil, false
	}
	slot := &interned[maphash.Bytes(internSeed, b)%internSlots]
	known := slot.Load()
	if known != nil && (*known).(string) == string(b) {
		return *known, true
	}
	if !learn || known != nil && rand.Uint32()%16 != 0 {
		return nil, false
	}
	v := any(string(b))
	slot.Store(&v)
	return v, true
}
