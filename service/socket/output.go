package socket

import (
	"encoding/binary"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	// warnSize is how many pending bytes are worth a first warning.
	warnSize = 1 << 20
	// batchSize and batchBufs bound one write call. The writer looks at its
	// deadline and at the output that came meanwhile after each.
	batchSize = 256 << 10
	batchBufs = 1024
	// lowBatch bounds a write call with low output in it: what comes with high
	// priority meanwhile has to wait for it.
	lowBatch = 128 << 10
	// lateMost is how much output waits for the messages in line to be handled.
	lateMost = 16 << 10
)

var batches = sync.Pool{New: func() any { return new([batchBufs][]byte) }}

// output is what waits to be written to one connection.
type output struct {
	high      queue[[]byte]
	small     *[]byte         // high output that comes after it, put together
	low       queue[[][]byte] // bufs that stay together
	overtaken bool            // the system takes little, since low output that it has can not be overtaken
	pending   int             // bytes, those being written included
	warnAt    int             // the pending bytes of the next warning; 0: no warning given
	over      bool            // OverflowWarn has warned
}

func (o *output) clear() { *o = output{} }

// priority of what is written.
type priority uint8

const (
	high  priority = iota
	low            // everything else goes first
	now            // high, and nothing more is about to be written
	later          // high, and more is about to be written before Flush
)

// write queues bufs and sees that they are sent: by the writer goroutine, which
// takes along what is written meanwhile, or now.
func (s *conn) write(bufs [][]byte, p priority) error {
	size := total(bufs)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return s.closedLocked()
	}
	if size == 0 {
		return nil
	}
	if err := s.admitLocked(size); err != nil {
		return err
	}
	if s.web != nil { // between the pieces of a packet nothing may go out: the order is that of the calls
		s.queuedLocked(s.web.push(&s.out, bufs), p)
		return nil
	}
	if p == low {
		s.lowLocked(slices.Clone(bufs))
		return nil
	}
	for _, b := range bufs {
		if s.limits.Heartbeat > 0 {
			s.border.pass(b)
		}
		s.out.push(b)
	}
	s.queuedLocked(size, p)
	return nil
}

// writePacket is write of a frame with packet in it. It reports whether Flush is
// to be called, once.
func (s *conn) writePacket(packet []byte, p priority) (flush bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return false, s.closedLocked()
	}
	size := headerSize + len(packet)
	if err := s.admitLocked(size); err != nil {
		return false, err
	}
	if s.web != nil {
		size = s.web.push(&s.out, [][]byte{binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet})
	} else {
		s.out.pushLength(len(packet))
		s.out.push(packet)
	}
	before := s.late
	s.queuedLocked(size, p)
	return s.late && !before, nil
}

// writeLowFrames is write with low priority for whole frames, one of which may be
// spread over several slices: each goes by itself. It keeps bufs.
func (s *conn) writeLowFrames(bufs [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return s.closedLocked()
	}
	if err := s.admitLocked(total(bufs)); err != nil {
		return err
	}
	if s.web != nil {
		s.queuedLocked(s.web.push(&s.out, bufs), high)
		return nil
	}
	for len(bufs) > 0 {
		n := frameSlices(bufs)
		s.lowLocked(bufs[:n:n])
		bufs = bufs[n:]
	}
	return nil
}

func (s *conn) lowLocked(bufs [][]byte) {
	if !s.out.overtaken {
		s.out.overtaken = true
		s.limitUnsent(lowBatch)
	}
	s.out.low.push(bufs)
	s.queuedLocked(total(bufs), low)
}

func (s *conn) queuedLocked(size int, p priority) {
	s.out.pending += size
	s.warnLocked()
	switch {
	case s.writing && !s.late:
	case p == later && s.out.pending < lateMost:
		s.writing, s.late = true, true
	default:
		s.writing, s.late = p != now || !s.writeNowLocked(), false
		if s.writing {
			go s.writeLoop()
		}
	}
}

// Flush sends what was written for later.
func (s *conn) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.late:
	case s.writeNowLocked():
		s.late = false
		s.idleLocked()
	default:
		s.late = false
		go s.writeLoop()
	}
}

func (s *conn) limitUnsent(n int) {
	nc := s.nc
	if t, ok := nc.(*secure); ok {
		nc = t.tcp
	}
	if t, ok := nc.(*net.TCPConn); ok {
		limitUnsent(t, n)
	}
}

// warnLocked tells the owner that much output waits. It is told under the lock,
// so that the warning that all has gone does not come before.
func (s *conn) warnLocked() {
	o := &s.out
	first := warnSize
	if s.limits.HighWater > 0 {
		first = s.limits.HighWater
	}
	if o.pending < first || o.pending < o.warnAt {
		return
	}
	o.warnAt = max(2*first, 2*o.warnAt)
	s.owner.tell(event{socket: s, kind: eventWarning, kb: (o.pending + 1023) / 1024})
}

// writeLoop is the writer goroutine; it ends when nothing waits.
func (s *conn) writeLoop() {
	space := batches.Get().(*[batchBufs][]byte)
	defer batches.Put(space)
	size := 0
	var small *[]byte
	for {
		giveBack(small)
		small = nil
		batch := net.Buffers(space[:0])
		s.mu.Lock()
		if s.state != stateDead {
			s.out.pending -= size
			s.calmLocked()
			batch, size, small = s.out.take(batch)
		}
		if len(batch) == 0 {
			s.idleLocked()
			s.mu.Unlock()
			return
		}
		if s.state == stateClosing {
			_ = s.nc.SetWriteDeadline(time.Now().Add(s.owner.patience()))
		}
		s.mu.Unlock()

		s.writes.Add(1)
		n, err := s.writev(&batch)
		s.written.Add(uint64(n))
		s.lastOut.Store(int64(s.owner.table.node.Uptime()))
		if n > breath {
			runtime.Gosched()
		}
		if err != nil {
			clear(space[:])
			s.broken(err)
			return
		}
	}
}

// patience is how long one write may take once the connection is closing.
func (o *owner) patience() time.Duration {
	if o.ended.Load() {
		return o.table.limits.leave
	}
	return o.table.limits.flush
}

func (s *conn) idleLocked() {
	s.writing = false
	if s.state != stateOpen {
		s.poke()
	}
}

func (s *conn) unsent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.pending
}

// calmLocked tells the owner that little output waits, after a warning.
func (s *conn) calmLocked() {
	if o := &s.out; (o.warnAt > 0 || o.over) && o.pending <= s.limits.LowWater {
		o.warnAt, o.over = 0, false
		s.owner.tell(event{socket: s, kind: eventWarning})
	}
}

// broken ends the connection after a write has failed; the reader reports it.
func (s *conn) broken(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
	if s.state == stateOpen {
		s.failure = err
	}
	s.dieLocked()
}

// take moves what goes into the next write call to batch and returns its size,
// and which of it is to be given back: high output, and low output when that
// leaves room for some.
func (o *output) take(batch net.Buffers) (_ net.Buffers, size int, small *[]byte) {
	for o.high.len() > 0 && len(batch) < batchBufs && size < batchSize {
		b := o.high.pop()
		batch = append(batch, b)
		size += len(b)
	}
	if o.high.len() == 0 && o.small != nil && len(batch) < batchBufs && size < batchSize {
		small = o.takeSmall()
		batch = append(batch, *small)
		size += len(*small)
	}
	for o.low.len() > 0 {
		bufs := *o.low.peek()
		n := total(bufs)
		if size > 0 && size+n > lowBatch {
			break
		}
		batch = append(batch, bufs...)
		size += n
		o.low.pop()
	}
	return batch, size, small
}

// frameSlices returns how many slices the first frame is spread over.
func frameSlices(bufs [][]byte) int {
	size := len(bufs[0])
	if size < headerSize {
		return len(bufs)
	}
	want := headerSize + int(binary.BigEndian.Uint16(bufs[0]))
	n := 1
	for ; size < want && n < len(bufs); n++ {
		size += len(bufs[n])
	}
	return n
}

func total(bufs [][]byte) int {
	n := 0
	for _, b := range bufs {
		n += len(b)
	}
	return n
}

// queue is a first-in first-out list that reuses its memory and lets go of much
// of it once it has been emptied.
type queue[T any] struct {
	buf  []T
	head int
}

func (q *queue[T]) len() int { return len(q.buf) - q.head }

func (q *queue[T]) push(v T) { q.buf = append(q.buf, v) }

func (q *queue[T]) peek() *T { return &q.buf[q.head] }

func (q *queue[T]) pop() T {
	var none T
	v := q.buf[q.head]
	q.buf[q.head] = none
	q.head++
	switch {
	case q.head < len(q.buf):
	case cap(q.buf) > batchBufs:
		*q = queue[T]{}
	default:
		q.buf, q.head = q.buf[:0], 0
	}
	return v
}
