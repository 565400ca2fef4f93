package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// Kinds of WebSocket frames, the low bits of their first byte.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa

	finalBit   = 0x80
	reserved   = 0x70
	maskBit    = 0x80
	maxControl = 125
)

// Codes of WebSocket's close frame.
const (
	closeNormal   = 1000
	closeProtocol = 1002
	closeKind     = 1003
	closeTooLarge = 1009
)

// ErrWebSocket is the error of a peer that does not keep to WebSocket, or to one
// packet in each binary message.
var ErrWebSocket = errors.New("socket: WebSocket")

var errText = fmt.Errorf("%w: a text message", ErrWebSocket)

// web is the WebSocket layer of a connection of this side's listener. It turns
// messages into frames of the package as they are read, and frames into messages
// as they are written, so that all else is as on plain TCP. Package websocket
// can not do that: its reader can not be interrupted, and its writer makes a
// system call for each message.
type web struct {
	conn *conn

	// Of the reader.
	in        io.Reader
	header    [14]byte
	have      int // bytes of header
	kind      byte
	final     bool
	left      int // bytes of the payload to come
	key       uint32
	partial   bool   // between the first frame of a message and its last
	fragments []byte // of a message that came in several frames
	control   []byte // the payload of a control frame
	ready     []byte // frames that go first
	rest      []byte // what was read and not looked at
	err       error  // ends the stream
	code      uint16 // of the peer's close frame

	// Under conn.mu.
	length [headerSize]byte
	known  int    // bytes of length
	owed   int    // bytes of the frame being written
	late   []byte // a control frame that waits for the end of it
}

// Read reads once from the connection, and gives whatever that makes of the
// stream of frames, which may be nothing.
func (w *web) Read(p []byte) (int, error) {
	if len(w.ready) > 0 {
		n := copy(p, w.ready)
		if w.ready = w.ready[n:]; len(w.ready) == 0 {
			w.ready = nil
		}
		return n, nil
	}
	if w.err != nil {
		return 0, w.err
	}
	// Messages are turned into frames where they stand. Of a header that has come
	// in pieces the last one may be shorter than what it turns into.
	lead, small := 0, false
	if w.left == 0 {
		lead = headerSize
		if small = len(p) <= lead; small {
			p = make([]byte, 2*len(w.header))
		}
	}
	n, err := w.fill(p[lead:])
	out := w.decode(p[:0], p[lead:lead+n])
	if small {
		w.ready = append(out, w.ready...)
		return 0, err
	}
	return len(out), err
}

func (w *web) fill(p []byte) (int, error) {
	if len(w.rest) > 0 {
		n := copy(p, w.rest)
		if w.rest = w.rest[n:]; len(w.rest) == 0 {
			w.rest = nil
		}
		return n, nil
	}
	return w.in.Read(p)
}

// decode appends the frames that src makes to dst. dst may lie before src in the
// same memory.
func (w *web) decode(dst, src []byte) []byte {
	for len(src) > 0 && w.err == nil && len(w.ready) == 0 {
		if w.left == 0 {
			n := copy(w.header[w.have:w.headerSize()], src)
			w.have += n
			src = src[n:]
			if w.have < w.headerSize() {
				continue
			}
			w.have = 0
			if w.err = w.begin(); w.err != nil {
				break
			}
			if w.kind == opBinary && w.final {
				dst = binary.BigEndian.AppendUint16(dst, uint16(w.left))
			}
		} else {
			part := src[:min(len(src), w.left)]
			src = src[len(part):]
			w.left -= len(part)
			w.key = unmask(part, w.key)
			switch {
			case w.kind >= opClose:
				w.control = append(w.control, part...)
			case w.kind == opBinary && w.final:
				dst = append(dst, part...)
			default:
				w.fragments = append(w.fragments, part...)
				if len(w.fragments) > w.conn.maxPacket() {
					w.err = ErrPacketSize
				}
			}
		}
		if w.left == 0 && w.err == nil {
			w.end()
		}
	}
	if len(src) > 0 && w.err == nil {
		w.rest = append(slices.Clone(src), w.rest...)
	}
	return dst
}

// headerSize returns how long the header is, as far as can be told.
func (w *web) headerSize() int {
	switch {
	case w.have < 2:
		return 2
	case w.header[1]&^maskBit == 127:
		return 14
	case w.header[1]&^maskBit == 126:
		return 8
	}
	return 6
}

// begin takes a header.
func (w *web) begin() error {
	h := &w.header
	kind, final, size := h[0]&0xf, h[0]&finalBit != 0, uint64(h[1]&^maskBit)
	key := h[2:6]
	switch size {
	case 126:
		size, key = uint64(binary.BigEndian.Uint16(h[2:])), h[4:8]
	case 127:
		size, key = binary.BigEndian.Uint64(h[2:]), h[10:14]
	}
	switch {
	case kind == opText:
		return errText
	case h[0]&reserved != 0 || h[1]&maskBit == 0 || kind > opBinary && kind < opClose || kind > opPong,
		kind >= opClose && (!final || size > maxControl),
		kind < opClose && (kind == opContinue) != w.partial:
		return fmt.Errorf("%w: a frame that begins with %x", ErrWebSocket, h[:2])
	case kind < opClose && size > uint64(w.conn.maxPacket()):
		return ErrPacketSize
	}
	if kind < opClose {
		w.partial = !final
	}
	if p := w.conn.pace; p != nil && (kind >= opClose || !final || kind == opContinue) {
		bytes := 2 + len(key) // of pieces the rest is the packet's
		if kind >= opClose {
			bytes += int(size)
		}
		p.charge(bytes)
	}
	w.kind, w.final, w.left, w.key = kind, final, int(size), binary.LittleEndian.Uint32(key)
	return nil
}

// end takes the end of a frame.
func (w *web) end() {
	switch w.kind {
	case opClose:
		w.err = io.EOF
		if w.code = closeNormal; len(w.control) >= 2 {
			w.code = binary.BigEndian.Uint16(w.control)
		}
	case opPing:
		w.conn.answerPing(w.control)
	case opContinue:
		if w.final {
			w.ready = append(binary.BigEndian.AppendUint16(nil, uint16(len(w.fragments))), w.fragments...)
			w.fragments = nil
		}
	}
	w.control = w.control[:0]
}

// unmask changes b and returns the key for what comes after it.
func unmask(b []byte, key uint32) uint32 {
	for wide := uint64(key)<<32 | uint64(key); len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
	}
	for i := range b {
		b[i] ^= byte(key)
		key = bits.RotateLeft32(key, -8)
	}
	return key
}

// push queues bufs, pieces of a stream of frames, as messages; it returns their
// size.
func (w *web) push(o *output, bufs [][]byte) (size int) {
	put := func(b []byte) {
		o.push(b)
		size += len(b)
	}
	for _, b := range bufs {
		for len(b) > 0 {
			if w.owed == 0 {
				n := copy(w.length[w.known:], b)
				w.known += n
				if b = b[n:]; w.known < headerSize {
					break
				}
				w.known, w.owed = 0, int(binary.BigEndian.Uint16(w.length[:]))
				put(messageHeader(opBinary, w.owed))
			} else {
				n := min(len(b), w.owed)
				put(b[:n:n])
				b = b[n:]
				w.owed -= n
			}
			if w.owed == 0 && w.late != nil {
				put(w.late)
				w.late = nil
			}
		}
	}
	return size
}

// pushControl queues a control frame, between two messages.
func (w *web) pushControl(o *output, kind byte, payload []byte) (size int) {
	frame := append(messageHeader(kind, len(payload)), payload...)
	if w.owed > 0 || w.known > 0 {
		w.late = frame
		return 0
	}
	o.push(frame)
	return len(frame)
}

func messageHeader(kind byte, size int) []byte {
	if size <= maxControl {
		return []byte{finalBit | kind, byte(size)}
	}
	return []byte{finalBit | kind, 126, byte(size >> 8), byte(size)}
}

// answerPing answers unless much waits to be sent: a peer that pings and does
// not read must not fill the memory.
func (s *conn) answerPing(payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen && s.out.pending < gatherMost {
		s.queuedLocked(s.web.pushControl(&s.out, opPong, payload), high)
	}
}

// farewellLocked tells a WebSocket peer that nothing comes any more, and why.
func (s *conn) farewellLocked(code uint16) {
	if s.web != nil && code != 0 {
		s.queuedLocked(s.web.pushControl(&s.out, opClose, binary.BigEndian.AppendUint16(nil, code)), high)
	}
}

// closeCode returns what a WebSocket peer is told when reading has ended with
// err: of an end that it has told itself, the same. 0 is nothing.
func (s *conn) closeCode(err error) uint16 {
	switch {
	case s.web == nil:
	case err == nil:
		return s.web.code
	case err == errText:
		return closeKind
	case errors.Is(err, ErrWebSocket):
		return closeProtocol
	case err == ErrPacketSize:
		return closeTooLarge
	}
	return 0
}
