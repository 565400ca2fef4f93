package actor

import (
	"container/heap"
	"math"
	"sync"
	"time"
)

// timer answers one session of one service when its time has come.
type timer struct {
	when    time.Duration // since the node's start
	seq     uint64        // timers of one time fire in the order made
	handle  Handle
	session Session
	index   int // in the heap; -1 when not in it
}

// later is t+d, as late as can be said when that is too much.
func later(t, d time.Duration) time.Duration {
	if d > math.MaxInt64-t {
		return math.MaxInt64
	}
	return t + d
}

type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].when < h[j].when || h[i].when == h[j].when && h[i].seq < h[j].seq
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}

// timers holds every pending timer of a node behind one runtime timer.
type timers struct {
	node    *Node
	mu      sync.Mutex
	heap    timerHeap
	seq     uint64
	alarm   *time.Timer
	armed   time.Duration // when alarm goes off; 0: not set
	firing  bool          // fire delivers; it sets the alarm anew when done
	stopped bool
}

// add answers session of h with a PTypeResponse from 0, never early.
func (q *timers) add(when time.Duration, h Handle, session Session) *timer {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seq++
	t := &timer{when: when, seq: q.seq, handle: h, session: session}
	heap.Push(&q.heap, t)
	q.armLocked()
	return t
}

func (q *timers) cancel(t *timer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.index >= 0 && !q.stopped {
		heap.Remove(&q.heap, t.index)
	}
}

func (q *timers) armLocked() {
	if q.firing || q.stopped || len(q.heap) == 0 {
		return
	}
	when := q.heap[0].when
	if q.armed != 0 && q.armed <= when {
		return
	}
	q.armed = when
	wait := when - q.node.Uptime()
	if q.alarm == nil {
		q.alarm = time.AfterFunc(wait, q.fire)
	} else {
		q.alarm.Reset(wait)
	}
}

func (q *timers) fire() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.firing {
		return
	}
	q.firing = true
	for !q.stopped && len(q.heap) > 0 && q.heap[0].when <= q.node.Uptime() {
		t := heap.Pop(&q.heap).(*timer)
		q.mu.Unlock()
		if s := q.node.reg.find(t.handle); s != nil {
			_, _ = s.deliver(&Message{Type: PTypeResponse, Session: t.session}, false)
		}
		q.mu.Lock()
	}
	q.firing = false
	q.armed = 0
	q.armLocked()
}

func (q *timers) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.heap = nil
	if q.alarm != nil {
		q.alarm.Stop()
	}
}
