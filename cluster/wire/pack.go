package wire

import (
	"encoding/binary"
	"math"
	"strings"
)

// The layouts. Every frame begins with the length of its body, 2 bytes, big-endian; all other integers
// are little-endian. One column is one field, u8 to u32 by width; "…" runs to the end of the body.
//
// From the caller's side to the called node:
//
//	                            type     address                  session  then
//	request, push, by handle    u8 0x00  handle u32               u32      payload …
//	request, push, by name      u8 0x80  length u8, name          u32      payload …
//	begin, by handle            u8 0x01  handle u32               u32      size u32 (body: exactly 13 bytes)
//	begin, by name              u8 0x81  length u8, name          u32      size u32 (more bytes are ignored)
//	begin of a push, by handle  u8 0x41  handle u32               u32      size u32 (body: exactly 13 bytes)
//	begin of a push, by name    u8 0xc1  length u8, name          u32      size u32 (more bytes are ignored)
//	part, more to come          u8 0x02                           u32      payload …
//	last part                   u8 0x03                           u32      payload …
//	trace                       u8 0x04                                    tag …
//
// Answers:
//
//	              session  type     then
//	error         u32      u8 0x00  text …
//	ok            u32      u8 0x01  payload …
//	begin         u32      u8 0x02  size u32 (body: exactly 9 bytes)
//	part          u32      u8 0x03  payload …
//	last part     u32      u8 0x04  payload …
//
// A small push is a request with session 0; a large push bears a session, which ties its parts together.
// A payload of exactly PartSize bytes is large in a request and small in an answer.
const (
	typeNumber        = 0x00
	typeBegin         = 0x01
	typePart          = 0x02
	typeEnd           = 0x03
	typeTrace         = 0x04
	typeBeginPush     = 0x41
	typeName          = 0x80
	flagName          = 0x80
	typeNameBegin     = flagName | typeBegin
	typeNameBeginPush = flagName | typeBeginPush

	answerError = 0
	answerOK    = 1
	answerBegin = 2
	answerPart  = 3
	answerEnd   = 4

	beginNumberLen = 13
	frameLen       = 2 // in front of each frame
	partHeaderLen  = 5
	answerBeginLen = 9
)

// AppendRequest appends a request for a to dst: the whole frame when payload is smaller than PartSize,
// else the begin frame. It returns the extended buffer and how many parts must follow, 0 for none; they
// are made by AppendPart, or by AppendPartHeader and PartRange when the payload shall not be copied.
// It fails, with dst unchanged, when session or the name is not one that can be sent.
func AppendRequest(dst []byte, a Addr, session uint32, payload []byte) ([]byte, int, error) {
	return appendRequest(dst, a, session, payload, false)
}

// AppendPush appends a request that wants no answer; it works as AppendRequest does. A small push is sent
// without a session, so the caller may use the same one again; it must be valid all the same.
func AppendPush(dst []byte, a Addr, session uint32, payload []byte) ([]byte, int, error) {
	return appendRequest(dst, a, session, payload, true)
}

// AppendBegin appends the begin frame of a request, or a push, whose payload has size bytes, PartSize or more. The parts
// that must follow are made by RequestParts. It fails as AppendRequest does.
func AppendBegin(dst []byte, a Addr, session uint32, size int, push bool) ([]byte, error) {
	if err := checkRequest(a, session); err != nil {
		return dst, err
	}
	if err := checkSize(uint64(size)); err != nil {
		return dst, err
	}
	typ := byte(typeBegin)
	if push {
		typ = typeBeginPush
	}
	dst = appendAddr(dst, typ, a, session, 4)
	return binary.LittleEndian.AppendUint32(dst, uint32(size)), nil
}

// AppendPart appends part i, counted from 0, of a large request or push. It panics if there is no such part.
func AppendPart(dst []byte, session uint32, payload []byte, i int) []byte {
	lo, hi := PartRange(len(payload), i)
	dst = AppendPartHeader(dst, session, len(payload), i)
	return append(dst, payload[lo:hi]...)
}

// AppendPartHeader appends what precedes the bytes of part i of a large request or push of size bytes.
// The bytes themselves are payload[lo:hi] with lo, hi := PartRange(size, i), to be written as they are.
func AppendPartHeader(dst []byte, session uint32, size, i int) []byte {
	lo, hi := PartRange(size, i)
	typ := byte(typePart)
	if hi == size {
		typ = typeEnd
	}
	dst = appendLen(dst, hi-lo+partHeaderLen)
	dst = append(dst, typ)
	return binary.LittleEndian.AppendUint32(dst, session)
}

// AppendTrace appends a trace frame, which goes directly before the request that it belongs to.
// It fails when the tag is longer than 0x8000 bytes.
func AppendTrace(dst []byte, tag string) ([]byte, error) {
	if len(tag) > maxTag {
		return dst, errorf("trace tag is too long : %d", len(tag))
	}
	dst = appendLen(dst, len(tag)+1)
	dst = append(dst, typeTrace)
	return append(dst, tag...), nil
}

// AppendResponse appends the answer to the request with that session: the whole frame when payload is
// no larger than PartSize, else the begin frame. It returns the extended buffer and how many parts must
// follow, 0 for none; they are made by AppendResponsePart or AppendResponsePartHeader. When ok is false
// the payload is an error text, and what exceeds PartSize is cut off.
//
// An answer of 4 GiB or more cannot be expressed; an error answer that says so takes its place.
func AppendResponse(dst []byte, session uint32, ok bool, payload []byte) ([]byte, int) {
	if ok && len(payload) > PartSize {
		return AppendResponseBegin(dst, session, len(payload))
	}
	if ok {
		return appendAnswer(dst, session, answerOK, payload), 0
	}
	return appendAnswer(dst, session, answerError, payload[:min(len(payload), PartSize)]), 0
}

// AppendResponseBegin appends the begin frame of an answer of size bytes, more than PartSize, as AppendResponse does. The
// parts that must follow are made by ResponseParts.
func AppendResponseBegin(dst []byte, session uint32, size int) ([]byte, int) {
	if err := checkSize(uint64(size)); err != nil {
		return appendAnswer(dst, session, answerError, err.Text), 0
	}
	dst = appendLen(dst, answerBeginLen)
	dst = binary.LittleEndian.AppendUint32(dst, session)
	dst = append(dst, answerBegin)
	return binary.LittleEndian.AppendUint32(dst, uint32(size)), parts(size)
}

// AppendResponsePart appends part i, counted from 0, of a large answer. It panics if there is no such part.
func AppendResponsePart(dst []byte, session uint32, payload []byte, i int) []byte {
	lo, hi := PartRange(len(payload), i)
	dst = AppendResponsePartHeader(dst, session, len(payload), i)
	return append(dst, payload[lo:hi]...)
}

// AppendResponsePartHeader appends what precedes the bytes of part i of a large answer of size bytes,
// as AppendPartHeader does for a request.
func AppendResponsePartHeader(dst []byte, session uint32, size, i int) []byte {
	lo, hi := PartRange(size, i)
	typ := byte(answerPart)
	if hi == size {
		typ = answerEnd
	}
	dst = appendLen(dst, hi-lo+partHeaderLen)
	dst = binary.LittleEndian.AppendUint32(dst, session)
	return append(dst, typ)
}

// PartRange returns which bytes of a large payload of size bytes part i carries. Only the last part may
// be smaller than PartSize. It panics if there is no such part.
func PartRange(size, i int) (lo, hi int) {
	if i < 0 || i >= parts(size) {
		panic("wire: no such part")
	}
	lo = i * PartSize
	return lo, min(size, lo+PartSize)
}

func appendRequest(dst []byte, a Addr, session uint32, payload []byte, push bool) ([]byte, int, error) {
	if len(payload) >= PartSize {
		dst, err := AppendBegin(dst, a, session, len(payload), push)
		if err != nil {
			return dst, 0, err
		}
		return dst, parts(len(payload)), nil
	}
	if err := checkRequest(a, session); err != nil {
		return dst, 0, err
	}
	if push {
		session = 0
	}
	dst = appendAddr(dst, typeNumber, a, session, len(payload))
	return append(dst, payload...), 0, nil
}

func checkRequest(a Addr, session uint32) error {
	if session == 0 || session > MaxSession {
		return errorf("Invalid request session %d", int32(session))
	}
	if a.ByName() && (len(a.Name) == 0 || len(a.Name) > maxName) {
		// The text goes through C, where a zero byte ends it.
		name, _, _ := strings.Cut(a.Name, "\x00")
		return errorf("name length is invalid, must be between 1 and 255 characters: %s", name)
	}
	return nil
}

// appendAddr appends a frame of type typ up to and including the session; n bytes are to follow.
func appendAddr(dst []byte, typ byte, a Addr, session uint32, n int) []byte {
	if a.ByName() {
		dst = appendLen(dst, n+6+len(a.Name))
		dst = append(dst, typ|flagName, byte(len(a.Name)))
		dst = append(dst, a.Name...)
	} else {
		dst = appendLen(dst, n+9)
		dst = append(dst, typ)
		dst = binary.LittleEndian.AppendUint32(dst, a.Handle)
	}
	return binary.LittleEndian.AppendUint32(dst, session)
}

func appendAnswer[T string | []byte](dst []byte, session uint32, typ byte, payload T) []byte {
	dst = appendLen(dst, len(payload)+partHeaderLen)
	dst = binary.LittleEndian.AppendUint32(dst, session)
	dst = append(dst, typ)
	return append(dst, payload...)
}

func appendLen(dst []byte, n int) []byte {
	return binary.BigEndian.AppendUint16(dst, uint16(n))
}

// checkSize refuses what a begin frame cannot announce; Skynet drops the upper bits in silence.
func checkSize(n uint64) *FormatError {
	if n > math.MaxUint32 {
		return errorf("message too large for the cluster protocol: %d bytes", n)
	}
	return nil
}

func parts(size int) int { return (size + PartSize - 1) / PartSize }
