package socket

import (
	"encoding/binary"
	"errors"
	"time"
)

// Limits bound what a peer may do and what it may cost. Zero, or less, is no
// limit: Skynet's behaviour. A peer that goes beyond one of them is an Error of
// the Handler, and Close.
type Limits struct {
	// MaxPacket is the largest packet that may come, in bytes; a larger one is
	// ErrPacketSize as soon as it is announced.
	MaxPacket int `lua:"maxpacket"`
	// FirstPacket is how long the first whole packet may take from the beginning
	// of the connection. Idle is how long nothing may come. Either is ErrIdle, up
	// to a quarter later.
	FirstPacket time.Duration `lua:"firstpacket"`
	Idle        time.Duration `lua:"idle"`
	// Heartbeat is after how long of nothing the peer is asked for a sign of life,
	// again and again: on WebSocket with a ping, which browsers answer by
	// themselves, else with an empty packet.
	Heartbeat time.Duration `lua:"heartbeat"`
	// PacketRate and ByteRate are how many packets, and how many bytes of packets, a
	// second are delivered. As much may come at once after a quiet second. What
	// comes faster waits in the system, and then at the peer; none of it is lost.
	// WebSocket's control frames and the pieces of messages count as packets too, and
	// the bytes that they have besides.
	PacketRate int `lua:"packetrate"`
	ByteRate   int `lua:"byterate"`
	// MaxPending is how many bytes may wait to be sent; Overflow says what becomes
	// of what is written beyond.
	MaxPending int      `lua:"maxpending"`
	Overflow   Overflow `lua:"overflow"`
	// HighWater is how many bytes that wait to be sent are worth a Warning, and
	// then twice as many and so on; 0 is 1 MiB. LowWater is at how few the warning
	// that all is well comes.
	HighWater int `lua:"highwater"`
	LowWater  int `lua:"lowwater"`
}

// Overflow is what becomes of output beyond Limits.MaxPending.
type Overflow uint8

const (
	// OverflowKick ends the connection at once.
	OverflowKick Overflow = iota
	// OverflowDrop drops what is written, which should be whole packets, and gives
	// ErrOverflow to who writes it.
	OverflowDrop
	// OverflowWarn sends it, and gives the Handler a Warning.
	OverflowWarn
)

// Errors of a peer that goes beyond its Limits.
var (
	ErrPacketSize = errors.New("socket: packet too large")
	ErrIdle       = errors.New("socket: nothing came for too long")
	ErrOverflow   = errors.New("socket: too much waits to be sent")
)

func (s *conn) maxPacket() int {
	if s.limits.MaxPacket > 0 {
		return min(s.limits.MaxPacket, MaxFrame)
	}
	return MaxFrame
}

// admitLocked decides what becomes of size more bytes of output.
func (s *conn) admitLocked(size int) error {
	l := s.limits
	if l.MaxPending <= 0 || s.out.pending+size <= l.MaxPending {
		return nil
	}
	switch l.Overflow {
	case OverflowDrop:
		s.dropped += uint64(size)
		return ErrOverflow
	case OverflowWarn:
		if !s.out.over {
			s.out.over = true
			s.owner.tell(event{socket: s, kind: eventWarning, kb: (s.out.pending + size + 1023) / 1024})
		}
		return nil
	}
	s.failure = ErrOverflow
	s.dieLocked()
	return s.closedLocked()
}

// watch looks at a connection a few times in each of its limits: no clock has to
// be read, and no timer set, when something comes.
type watch struct {
	timer *time.Timer
	tick  time.Duration
	first time.Duration // what is left of Limits.FirstPacket
	quiet time.Duration // for which nothing has come
	read  uint64        // as last seen
}

// looks is how often in each limit.
const looks = 4

func (s *conn) startWatch() {
	l := s.limits
	w := &watch{first: l.FirstPacket}
	for _, d := range []time.Duration{l.FirstPacket, l.Idle, l.Heartbeat} {
		if d > 0 && (w.tick == 0 || d/looks < w.tick) {
			w.tick = max(d/looks, 1)
		}
	}
	if w.tick == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch = w
	w.timer = time.AfterFunc(w.tick, s.look)
}

// look runs on a goroutine of the timer.
func (s *conn) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return
	}
	w, l := s.watch, s.limits
	before := w.quiet
	if w.quiet += w.tick; w.read != s.read.Load() || s.held.Load() {
		w.read, before, w.quiet = s.read.Load(), 0, 0
	}
	w.first -= w.tick
	switch {
	case l.FirstPacket > 0 && w.first <= 0 && !s.greeted.Load(), l.Idle > 0 && w.quiet >= l.Idle:
		s.failure = ErrIdle
		s.dieLocked()
		return
	case l.Heartbeat > 0 && w.quiet/l.Heartbeat > before/l.Heartbeat:
		s.askLocked()
	}
	w.timer.Reset(w.tick)
}

// askLocked asks for a sign of life, unless the peer has so much to read that it
// can not be at a loss for one.
func (s *conn) askLocked() {
	switch {
	case s.out.pending >= gatherMost, s.border.inside():
	case s.web != nil:
		s.queuedLocked(s.web.pushControl(&s.out, opPing, nil), high)
	default:
		s.out.push(make([]byte, headerSize))
		s.queuedLocked(headerSize, high)
	}
}

// border follows the frames of a stream that is written in pieces.
type border struct {
	length [headerSize]byte
	known  int // bytes of length
	owed   int // bytes of the frame
}

func (b *border) pass(p []byte) {
	for len(p) > 0 {
		n := min(len(p), b.owed)
		if b.owed -= n; n == 0 {
			n = copy(b.length[b.known:], p)
			if b.known += n; b.known == headerSize {
				b.known, b.owed = 0, int(binary.BigEndian.Uint16(b.length[:]))
			}
		}
		p = p[n:]
	}
}

// inside reports whether a frame has begun and not ended.
func (b *border) inside() bool { return b.known > 0 || b.owed > 0 }

// pace is how fast frames may be delivered: two buckets that fill with the
// clock. It is the reader's.
type pace struct {
	last           time.Time
	packets, bytes bucket
	charged        bool // since all debts were paid
}

// bucket holds what may be taken; less than nothing when a frame was larger than
// the rest.
type bucket struct{ rate, held float64 }

func newPace(l *Limits) *pace {
	if l.PacketRate <= 0 && l.ByteRate <= 0 {
		return nil
	}
	full := func(rate int) bucket { return bucket{float64(max(rate, 0)), float64(max(rate, 0))} }
	return &pace{last: time.Now(), packets: full(l.PacketRate), bytes: full(l.ByteRate)}
}

// wait returns how long until a frame may be taken, 0 for now.
func (p *pace) wait(now time.Time) time.Duration {
	passed := now.Sub(p.last).Seconds()
	p.last = now
	d := max(p.packets.wait(passed, 1), p.bytes.wait(passed, 0))
	p.charged = p.charged && d > 0
	return d
}

// wait adds what came in passed seconds and returns how long until more than
// want is held.
func (b *bucket) wait(passed, want float64) time.Duration {
	if b.rate == 0 {
		return 0
	}
	b.held = min(b.held+passed*b.rate, max(b.rate, want))
	if b.held >= want {
		return 0
	}
	return max(time.Duration((want-b.held)/b.rate*float64(time.Second)), 1)
}

// take counts a frame; false when no other may be taken now.
func (p *pace) take(frame []byte) bool {
	p.packets.held--
	p.bytes.held -= float64(len(frame))
	return (p.packets.rate == 0 || p.packets.held >= 1) && (p.bytes.rate == 0 || p.bytes.held >= 0)
}

// charge counts what is no packet and makes as much work.
func (p *pace) charge(bytes int) {
	p.packets.charge(1)
	p.bytes.charge(float64(bytes))
	p.charged = true
}

// charge takes n, up to a second's worth of debt.
func (b *bucket) charge(n float64) { b.held = min(b.held, max(b.held-n, -b.rate)) }

// indebted reports whether nothing may be read now. What packets owe delays only
// the next one.
func (p *pace) indebted() bool { return p != nil && p.charged && (p.packets.owes() || p.bytes.owes()) }

func (b *bucket) owes() bool { return b.rate > 0 && b.held < 0 }

// awaitPace waits until another frame may be delivered; false when the connection
// has ended, and what is left comes too late.
func (s *conn) awaitPace() bool {
	for s.pace != nil {
		if s.usable() != nil {
			return false
		}
		d := s.pace.wait(time.Now())
		if d == 0 {
			break
		}
		s.held.Store(true)
		timer := time.NewTimer(d)
		select {
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
		s.held.Store(false)
	}
	return !s.muted.Load()
}
