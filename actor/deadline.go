package actor

import "time"

// maxDeadlineLists is how many durations have a list. Services use few, and each
// call looks at all lists.
const maxDeadlineLists = 8

// deadlines keeps the calls of a service by how long they may take: one list
// for each distinct duration, in which later calls end later. No call needs a
// timer of its own, but when there are many durations at once.
type deadlines struct {
	lists []*deadlineList
	alarm *timer // at the earliest end, or before it
}

type deadlineList struct {
	after       time.Duration
	first, last *waiter
}

// add enters w; false when there is no list for it.
func (d *deadlines) add(w *waiter, now, after time.Duration) bool {
	w.since = now
	var list *deadlineList
	for _, l := range d.lists {
		if l.after == after || l.first == nil {
			list = l
			break
		}
	}
	if list == nil {
		if len(d.lists) == maxDeadlineLists {
			return false
		}
		list = &deadlineList{}
		d.lists = append(d.lists, list)
	}
	list.after = after
	w.deadline = list
	w.prev, w.next = list.last, nil
	if list.last == nil {
		list.first = w
	} else {
		list.last.next = w
	}
	list.last = w
	return true
}

func (d *deadlines) remove(w *waiter) {
	list := w.deadline
	if list == nil {
		return
	}
	if w.prev == nil {
		list.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		list.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.deadline, w.prev, w.next = nil, nil, nil
}

func (d *deadlines) earliest() time.Duration {
	var when time.Duration
	for _, l := range d.lists {
		if l.first == nil {
			continue
		}
		if end := later(l.first.since, l.after); when == 0 || end < when {
			when = end
		}
	}
	return when
}

func (d *deadlines) expired(now time.Duration, f func(*waiter)) {
	for _, l := range d.lists {
		for w := l.first; w != nil && later(w.since, l.after) <= now; {
			after := w.next
			f(w)
			d.remove(w)
			w = after
		}
	}
}
