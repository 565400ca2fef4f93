package socket

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/skynetgo/skynet/service"
)

// limits are how long an ending connection may take. They are fields of the
// table for the tests' sake.
type limits struct {
	flush     time.Duration // without progress, for what is still to be sent
	leave     time.Duration // the same, once the owner has ended
	linger    time.Duration // for the peer to notice that it was closed
	hold      time.Duration // frames of a peer that left before Start
	handshake time.Duration // until a peer speaks TLS
}

var defaultLimits = limits{
	flush: 10 * time.Second, leave: time.Second, linger: time.Second, hold: 10 * time.Second, handshake: DialTimeout,
}

// readAhead is how much is read of a connection before Start, so that the
// peer's leaving is noticed.
const readAhead = minBuffer

// breath is after how many bytes in one go the reader and the writer let other
// goroutines run, which may have little to do: a stream that does not end would
// have them wait for the scheduler's 10 ms.
const breath = 16 << 10

// States of a connection. They only go up.
type state uint8

const (
	stateOpen    state = iota
	stateClosing       // takes no more output, sends what it has
	stateDead          // the connection is closed
)

// conn is one connection. Its reader goroutine lives as long as the connection
// and alone reports Error and Close, so that they come after every frame and
// once.
type conn struct {
	owner   *owner
	fd      FD
	peer    string
	handler *Handler
	nc      net.Conn
	writev  func(*net.Buffers) (int64, error)
	raw     syscall.RawConn // nil: all is left to the writer goroutine
	web     *web            // nil: frames as they are
	limits  *Limits
	pace    *pace       // nil: any
	single  bool        // frames go one by one, since delivering may block
	joined  atomic.Bool // small frames go together
	channel bool        // of a Channel
	owed    int         // input that a channel has handled, of which the window does not know yet
	route   atomic.Pointer[route]
	muted   atomic.Bool   // closed by this node: nothing more is delivered
	wake    chan struct{} // the reader, when it does not read, looks again
	window  window
	batch   []service.Message // of the reader
	read    atomic.Uint64
	written atomic.Uint64
	writes  atomic.Uint64
	lastIn  atomic.Int64  // uptime of the last read
	lastOut atomic.Int64  // of the last write
	packets atomic.Uint64 // delivered
	greeted atomic.Bool   // a whole frame has come
	held    atomic.Bool   // what has come has to wait, so nobody knows what else would
	since   time.Time

	mu      sync.Mutex
	state   state
	failure error // why it died, unless this node closed it
	writing bool  // the writer goroutine runs, or
	late    bool  // Flush will come
	out     output
	border  border // of what was written, with Limits.Heartbeat
	lost    int    // bytes that were dropped when it died, about
	dropped uint64 // bytes, by OverflowDrop
	watch   *watch // nil: nothing to look at
}

// route is where frames go: to is 0 for the owner's Handler.
type route struct {
	to     service.Handle
	ptype  service.PType
	source service.Handle
}

func newConn(o *owner, fd FD, nc net.Conn, h *Handler, l *Limits) *conn {
	if h == nil {
		h = &Handler{}
	}
	s := &conn{
		owner: o, fd: fd, peer: nc.RemoteAddr().String(), handler: h, nc: nc, wake: make(chan struct{}, 1),
		limits: l, pace: newPace(l), since: time.Now(),
	}
	s.single = o.table.node.Config().Isolate != nil
	if t, ok := nc.(*secure); ok {
		s.writev = t.writev
	} else {
		s.writev = func(b *net.Buffers) (int64, error) { return b.WriteTo(nc) }
		if sc, ok := nc.(syscall.Conn); ok {
			s.raw, _ = sc.SyscallConn()
		}
	}
	return s
}

// start sets where frames go; the first time it sets the reader going.
func (s *conn) start(r *route) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen || s.muted.Load() {
		return s.closedLocked()
	}
	if s.route.Swap(r) == nil {
		s.interrupt()
	}
	return nil
}

// interrupt makes the reader look at the state again, whatever it waits for.
func (s *conn) interrupt() {
	_ = s.nc.SetReadDeadline(time.Unix(1, 0))
	s.poke()
}

func (s *conn) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// usable returns why the connection takes no output any more, or nil.
func (s *conn) usable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return s.closedLocked()
	}
	return nil
}

func (s *conn) closedLocked() error {
	if s.failure != nil {
		return fmt.Errorf("%w: %w", ErrClosed, s.failure)
	}
	return ErrClosed
}

func (s *conn) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return ErrClosed
	}
	s.closeLocked(s.owner.table.limits.flush)
	return nil
}

func (s *conn) closeLocked(within time.Duration) {
	s.muted.Store(true)
	if s.state == stateOpen {
		s.state = stateClosing
		s.farewellLocked(closeNormal)
	}
	_ = s.nc.SetWriteDeadline(time.Now().Add(within))
	s.limitUnsent(0) // nothing comes after what is to be sent
	s.interrupt()
}

func (s *conn) shutdown() {
	s.muted.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dieLocked()
}

// abandon is close for an owner that has ended: nobody waits for the peer.
func (s *conn) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateDead {
		s.closeLocked(s.owner.table.limits.leave)
	}
}

// dieLocked drops what waits to be sent and closes the connection.
func (s *conn) dieLocked() {
	s.state = stateDead
	s.lost += s.out.pending
	s.out.clear()
	s.nc.Close()
	s.poke()
}

// run is the reader goroutine.
func (s *conn) run() {
	err := s.pump()
	s.mu.Lock()
	if err != nil {
		s.failure = err
	}
	code := s.closeCode(err)
	switch {
	case err != nil && code == 0:
		s.dieLocked()
	case s.state == stateOpen: // the peer has closed, or is told why it is closed
		s.state = stateClosing
		s.farewellLocked(code)
		_ = s.nc.SetWriteDeadline(time.Now().Add(s.owner.table.limits.flush))
	}
	s.mu.Unlock()
	if err != nil {
		s.owner.tell(event{socket: s, kind: eventError, err: err})
	}
	s.owner.tell(event{socket: s, kind: eventClose})
	s.finish(s.muted.Load() || err != nil)
	s.owner.table.removeConn(s)
}

// pump delivers frames until the end of the stream or a close by this node, for
// which it returns nil, or an error.
func (s *conn) pump() error {
	in := frames{most: s.maxPacket()}
	var from io.Reader = input{s}
	if s.web != nil {
		from = s.web
	}
	ended := false
	for !s.muted.Load() {
		if s.route.Load() != nil {
			for in.complete() {
				s.awaitWindow()
				if !s.awaitPace() {
					return s.cause(nil)
				}
				s.deliver(&in)
			}
			if in.huge {
				return s.cause(ErrPacketSize)
			}
			if ended {
				return nil
			}
		} else if ended {
			if !in.complete() || !s.hold() {
				return s.cause(nil)
			}
			continue
		} else if in.len() >= readAhead {
			if awaitLeave(s.nc, s.wake) && !s.hold() || s.usable() != nil {
				return s.cause(nil)
			}
			continue
		}
		if s.pace.indebted() && !s.awaitPace() {
			return s.cause(nil)
		}
		n, err := in.fill(from)
		if n > breath {
			runtime.Gosched()
		}
		switch {
		case err == nil:
			if s.web == nil && s.read.Load() == uint64(in.len()) && looksLikeTLS(in.buf[in.r:in.w]) {
				return s.cause(fmt.Errorf("%w: %s sends what looks like TLS, not plain frames", ErrTLS, s.peer))
			}
			if s.limits.FirstPacket > 0 && !s.greeted.Load() && in.complete() {
				s.greeted.Store(true)
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			// An interrupt. Whoever interrupts has changed the state before, so
			// that it is seen after this.
			_ = s.nc.SetReadDeadline(time.Time{})
		case err == io.EOF, err == io.ErrUnexpectedEOF: // TLS without its own end: frames tell what is whole
			ended = true
		default:
			return s.cause(err)
		}
	}
	return nil
}

// input is what comes, counted.
type input struct{ *conn }

func (s input) Read(b []byte) (int, error) {
	n, err := s.nc.Read(b)
	if n > 0 {
		s.conn.read.Add(uint64(n))
		s.lastIn.Store(int64(s.owner.table.node.Uptime()))
	}
	return n, err
}

// hold waits for Start when the peer has left frames behind; false when it has
// waited long enough, or the connection is of no use any more.
func (s *conn) hold() bool {
	limit := time.NewTimer(s.owner.table.limits.hold)
	defer limit.Stop()
	for s.route.Load() == nil {
		if s.usable() != nil {
			return false
		}
		select {
		case <-s.wake:
		case <-limit.C:
			return false
		}
	}
	return true
}

// cause returns why reading ended with err: nil for this node's own doing, the
// writer's error when it has closed the connection.
func (s *conn) cause(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.muted.Load():
		return nil
	case s.failure != nil:
		return s.failure
	}
	return err
}

// deliver sends the frames that have come where they go, as many as the window
// allows. An inline service runs on this goroutine.
func (s *conn) deliver(in *frames) {
	r := s.route.Load()
	to := r.to
	if to == 0 && !s.owner.ended.Load() {
		to = s.owner.handle
	}
	joined := s.joined.Load() && !s.single && s.pace == nil
	packets := 0
	for in.complete() {
		m := service.Message{Type: r.ptype, Session: service.Session(s.fd), Source: r.source}
		full := false
		var some *Bundle
		if joined {
			some = in.together()
		}
		if some != nil {
			m.Data, full = some, s.window.add(some.Cost())
			packets += some.count
		} else {
			frame := in.next()
			m.Data, full = frame, s.window.add(len(frame)+FrameCost)
			full = s.pace != nil && !s.pace.take(frame) || full
			packets++
		}
		if r.to == 0 {
			m = service.Message{Type: service.PTypeSocket, Data: arrival{s, m.Data}}
		}
		s.batch = append(s.batch, m)
		if full || s.single {
			break
		}
	}
	s.packets.Add(uint64(packets))
	if to != 0 {
		s.owner.table.node.LendAll(to, s.batch)
	}
	clear(s.batch)
	s.batch = s.batch[:0]
}

// finish lets the writer end, then the peer, if it has not: a connection that is
// closed while input waits is reset, and the peer may lose what was sent last. So
// it is read empty until the peer has closed too, for a short time.
func (s *conn) finish(linger bool) {
	for !s.flushed() {
		<-s.wake
	}
	if w, ok := s.nc.(interface{ CloseWrite() error }); ok {
		_ = s.nc.SetReadDeadline(time.Now().Add(s.owner.table.limits.linger))
		if w.CloseWrite() == nil && linger && !s.owner.ended.Load() {
			_, _ = io.Copy(io.Discard, s.nc)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dieLocked()
}

// unsentForEver returns how many bytes were dropped.
func (s *conn) unsentForEver() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

func (s *conn) flushed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.writing || s.state == stateDead
}

func (s *conn) stat() Stat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stat{
		FD: s.fd, Type: TypeTCP, Scheme: s.scheme(), Peer: s.peer, Owner: s.owner.handle, Since: s.since,
		Read: s.read.Load(), Packets: s.packets.Load(),
		Written: s.written.Load(), Writes: s.writes.Load(), Pending: s.out.pending, Dropped: s.dropped,
		Reading: s.route.Load() != nil, LastRead: time.Duration(s.lastIn.Load()), LastWrite: time.Duration(s.lastOut.Load()),
	}
}

// scheme returns what is spoken.
func (s *conn) scheme() string {
	_, secured := s.nc.(*secure)
	switch {
	case s.web != nil && secured:
		return SecureWebScheme
	case s.web != nil:
		return WebScheme
	case secured:
		return TLSScheme
	}
	return ""
}
