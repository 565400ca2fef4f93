// Package freelist keeps values that are not in use, to be used again.
package freelist

// Most is how many a List keeps.
const Most = 256

// List is used by one goroutine at a time. The zero List is empty.
type List[T any] struct{ free []*T }

// Take returns a value that was given back, nil when there is none. It is as it
// was then.
func (l *List[T]) Take() *T {
	last := len(l.free) - 1
	if last < 0 {
		return nil
	}
	v := l.free[last]
	l.free = l.free[:last]
	return v
}

// Give takes back a value that nobody uses any more.
func (l *List[T]) Give(v *T) {
	if len(l.free) < Most {
		l.free = append(l.free, v)
	}
}
