package actor

// sessions holds the waiters of a service by their sessions: a hash table with
// linear probing.
type sessions struct {
	slots []*waiter // a power of two, at most half of them taken
	count int
}

const minSlots = 8

// home is where a search for s begins: multiplied by the golden ratio, sessions
// that follow one another lie far apart, so that a removal has few to move.
func (t *sessions) home(s Session) int {
	const golden = 0x9e3779b97f4a7c15
	return int(uint64(s)*golden>>32) & (len(t.slots) - 1)
}

func (t *sessions) len() int { return t.count }

// place returns the slot of s, or the free one at which a search for it ends.
func (t *sessions) place(s Session) int {
	mask := len(t.slots) - 1
	i := t.home(s)
	for t.slots[i] != nil && t.slots[i].session != s {
		i = (i + 1) & mask
	}
	return i
}

func (t *sessions) find(s Session) *waiter {
	if t.count == 0 {
		return nil
	}
	return t.slots[t.place(s)]
}

func (t *sessions) add(w *waiter) {
	if t.count++; 2*t.count > len(t.slots) {
		t.resize(max(2*len(t.slots), minSlots))
	}
	t.slots[t.place(w.session)] = w
}

func (t *sessions) resize(size int) {
	old := t.slots
	t.slots = make([]*waiter, size)
	for _, w := range old {
		if w != nil {
			t.slots[t.place(w.session)] = w
		}
	}
}

// remove takes out the waiter of s, if there is one, and moves those up that a
// search would not find behind the gap.
func (t *sessions) remove(s Session) {
	if t.find(s) == nil {
		return
	}
	mask := len(t.slots) - 1
	gap := t.place(s)
	for i := (gap + 1) & mask; t.slots[i] != nil; i = (i + 1) & mask {
		if (i-t.home(t.slots[i].session))&mask >= (i-gap)&mask {
			t.slots[gap] = t.slots[i]
			gap = i
		}
	}
	t.slots[gap] = nil
	t.count--
}

// all returns the waiters in no particular order.
func (t *sessions) all() []*waiter {
	list := make([]*waiter, 0, t.count)
	for _, w := range t.slots {
		if w != nil {
			list = append(list, w)
		}
	}
	return list
}

// trim gives the memory back of many that waited once.
func (t *sessions) trim() {
	switch {
	case len(t.slots) <= keepCap || 16*t.count > len(t.slots):
	case t.count == 0:
		t.slots = nil
	default:
		t.resize(len(t.slots) / 8)
	}
}
