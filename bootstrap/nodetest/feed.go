package nodetest

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must come. In a bubble of
// testing/synctest this takes no time.
const patience = 20 * time.Second

// feed is a list that services add to and a test waits on. The zero feed is
// empty; its methods are safe from any goroutine.
type feed[T any] struct {
	mu      sync.Mutex
	items   []T
	taken   int           // how many of items take has returned
	changed chan struct{} // closed by the next add; nil while nobody waits
}

func (f *feed[T]) add(v T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items = append(f.items, v)
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

func (f *feed[T]) all() []T {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.items)
}

// wait returns once ok, which runs under the lock, is true; false when the
// test's patience has ended first.
func (f *feed[T]) wait(ok func() bool) bool {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		f.mu.Lock()
		if ok() {
			f.mu.Unlock()
			return true
		}
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-timeout.C:
			return false
		}
	}
}

// take waits until there are at least n items that were not taken, and takes
// most of them, all when most is negative. What there is comes back as well when
// it is too little; ok tells.
func (f *feed[T]) take(t testing.TB, n, most int) (items []T, ok bool) {
	t.Helper()
	ok = f.wait(func() bool { return len(f.items)-f.taken >= n })
	f.mu.Lock()
	defer f.mu.Unlock()
	items = slices.Clone(f.items[f.taken:])
	if most >= 0 && len(items) > most {
		items = items[:most]
	}
	f.taken += len(items)
	return items, ok
}
