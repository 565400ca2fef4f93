package main

import "sync"

// What plain Go does for a message: a queue, a channel, and for calls a mailbox
// whose owner goes on with other messages while it waits.

// letter is what a raw queue holds.
type letter struct {
	cmd string
	arg *ball
	all chan<- struct{} // closed by the reader, who has read all before
}

// queue is a mailbox without a service: one lock, two slices that swap, and one
// reader.
type queue struct {
	mu     sync.Mutex
	items  []letter
	asleep bool
	wake   chan struct{}
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) push(l letter) {
	q.mu.Lock()
	q.items = append(q.items, l)
	asleep := q.asleep
	q.asleep = false
	q.mu.Unlock()
	if asleep {
		q.wake <- struct{}{}
	}
}

// take waits until there is something and returns it all; spare is what it
// returned last.
func (q *queue) take(spare []letter) []letter {
	q.mu.Lock()
	for len(q.items) == 0 {
		q.asleep = true
		q.mu.Unlock()
		<-q.wake
		q.mu.Lock()
	}
	items := q.items
	q.items = spare[:0]
	q.mu.Unlock()
	return items
}

// read is the reader: it ends at the letter without a command.
func (q *queue) read() {
	var handled int
	var items []letter
	for {
		items = q.take(items)
		for _, l := range items {
			switch l.cmd {
			case string(tick):
				handled++
			case "all":
				close(l.all)
			default:
				return
			}
		}
	}
}

// readChannel is read for a channel.
func readChannel(ch <-chan letter) {
	var handled int
	for l := range ch {
		if l.cmd == "all" {
			close(l.all)
		} else {
			handled++
		}
	}
}

// mailbox is the least that a service with calls can be: whoever is busy runs its
// code, gives that up while it waits for an answer, and gets it back with the
// answer.
type mailbox struct {
	mu     sync.Mutex
	items  []mail
	head   int // of items, what was taken before it
	busy   bool
	handle func(*ball) *ball
}

// mail is a request, an answer when done is set, or code to run.
type mail struct {
	arg  *ball
	from *waiter
	done bool
	code func()
}

// waiter is a call that waits at its mailbox.
type waiter struct {
	home *mailbox
	wake chan *ball
}

var waiters = sync.Pool{New: func() any { return &waiter{wake: make(chan *ball, 1)} }}

// call is for code that m runs.
func (m *mailbox) call(to *mailbox, arg *ball) *ball {
	w := waiters.Get().(*waiter)
	w.home = m
	to.post(mail{arg: arg, from: w})
	if next, ok := m.next(); ok {
		m.pass(next)
	}
	answer := <-w.wake
	waiters.Put(w)
	return answer
}

// post sends mail, which a new goroutine handles when nobody is busy.
func (m *mailbox) post(one mail) {
	if m.take(one) {
		go m.run(one)
	}
}

// take reports whether the sender has to see to the mail, since nobody was busy.
func (m *mailbox) take(one mail) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy {
		if m.head > 0 && len(m.items) == cap(m.items) { // make room in front rather than grow
			m.items = append(m.items[:0], m.items[m.head:]...)
			m.head = 0
		}
		m.items = append(m.items, one)
		return false
	}
	m.busy = true
	return true
}

// next returns what to do next; when there is nothing nobody is busy any more.
func (m *mailbox) next() (mail, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.head == len(m.items) {
		m.items, m.head = m.items[:0], 0
		m.busy = false
		return mail{}, false
	}
	m.head++
	return m.items[m.head-1], true
}

// pass lets another goroutine go on with one.
func (m *mailbox) pass(one mail) {
	if one.done {
		one.from.wake <- one.arg
	} else {
		go m.run(one)
	}
}

func (m *mailbox) run(one mail) {
	for ok := true; ok; one, ok = m.next() {
		switch {
		case one.done:
			one.from.wake <- one.arg
			return
		case one.code != nil:
			one.code()
		default:
			home := one.from.home
			answer := mail{arg: m.handle(one.arg), from: one.from, done: true}
			if home.take(answer) {
				home.pass(answer)
			}
		}
	}
}
