package actor

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// maxHandle leaves the top 8 bits free, where Skynet keeps the harbor.
const maxHandle Handle = 0xffffff

// registry allots handles as skynet_handle.c does (B022): a table of slots,
// slot = handle modulo size; a counter goes up, a number whose slot is taken is
// skipped, and the table doubles when every slot is taken. Readers take no lock.
type registry struct {
	mu    sync.Mutex
	next  Handle
	count int
	slots atomic.Pointer[[]atomic.Pointer[Service]]
	names sync.Map // string -> Handle; changes under mu
}

func (r *registry) init() {
	slots := make([]atomic.Pointer[Service], 4)
	r.slots.Store(&slots)
	r.next = 1
}

func (r *registry) add(s *Service) {
	r.mu.Lock()
	defer r.mu.Unlock()
	slots := *r.slots.Load()
	if r.count == len(slots) {
		slots = r.growLocked(slots)
	}
	for h := r.next; ; h++ {
		if h > maxHandle {
			h = 1
		}
		slot := &slots[int(h)&(len(slots)-1)]
		if slot.Load() == nil {
			s.handle = h
			slot.Store(s)
			r.next = h + 1
			r.count++
			return
		}
	}
}

func (r *registry) growLocked(old []atomic.Pointer[Service]) []atomic.Pointer[Service] {
	slots := make([]atomic.Pointer[Service], 2*len(old))
	for i := range old {
		if s := old[i].Load(); s != nil {
			slots[int(s.handle)&(len(slots)-1)].Store(s)
		}
	}
	r.slots.Store(&slots)
	return slots
}

func (r *registry) find(h Handle) *Service {
	slots := *r.slots.Load()
	if s := slots[int(h)&(len(slots)-1)].Load(); s != nil && s.handle == h {
		return s
	}
	return nil
}

// remove frees the slot of s and its names, unless they are free.
func (r *registry) remove(s *Service) {
	r.mu.Lock()
	defer r.mu.Unlock()
	slots := *r.slots.Load()
	slot := &slots[int(s.handle)&(len(slots)-1)]
	if slot.Load() != s {
		return
	}
	slot.Store(nil)
	r.count--
	for _, name := range s.names {
		r.names.Delete(name)
	}
}

func (r *registry) all() []*Service {
	slots := *r.slots.Load()
	var list []*Service
	for i := range slots {
		if s := slots[i].Load(); s != nil {
			list = append(list, s)
		}
	}
	return list
}

func (r *registry) setName(name string, h Handle) error {
	if !strings.HasPrefix(name, ".") {
		return fmt.Errorf("%w: local name %q does not begin with '.'", ErrMisuse, name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.find(h)
	if s == nil {
		return fmt.Errorf("name %s for %s: %w", name, h, ErrNoService)
	}
	if owner, taken := r.names.LoadOrStore(name, h); taken {
		return fmt.Errorf("name %s for %s: %w by %s", name, h, ErrNameTaken, owner)
	}
	s.names = append(s.names, name)
	return nil
}

func (r *registry) query(name string) (Handle, bool) {
	h, ok := r.names.Load(name)
	if !ok {
		return 0, false
	}
	return h.(Handle), true
}
