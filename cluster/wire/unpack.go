package wire

import "encoding/binary"

// Request is one parsed frame of the request direction. Which fields are set depends on Kind:
//
//	KindRequest         Addr, Session (0 when Push), Push, Payload
//	KindBegin           Addr, Session, Push, Size
//	KindPart, KindEnd   Session, Payload
//	KindTrace           Payload (the tag)
type Request struct {
	Kind    Kind
	Push    bool // nobody waits for an answer
	Session uint32
	Size    uint32 // announced size of a large message; the far side's word only
	Addr    Addr
	Payload []byte // points into the frame
}

// Response is one parsed answer frame. Payload is the error text, the answer or a part of it; a KindBegin
// frame has Size instead.
type Response struct {
	Kind    Kind
	Session uint32
	Size    uint32 // announced size of a large answer; the far side's word only
	Payload []byte // points into the frame
}

// ParseRequest reads the body of one frame of the request direction, without its 2-byte length. The
// payload of the result points into b and is valid as long as b is; the name in Addr is a copy.
// An error is a *FormatError with Skynet's text.
func ParseRequest(b []byte) (Request, error) {
	if len(b) == 0 {
		return Request{}, errorf("Invalid req package. size == 0")
	}
	switch typ := b[0]; typ {
	case typeNumber, typeName:
		return parseWhole(b)
	case typeBegin, typeBeginPush:
		if len(b) != beginNumberLen {
			return Request{}, errorf("Invalid cluster message size %d (multi req must be 13)", len(b))
		}
		return parseBegin(b)
	case typeNameBegin, typeNameBeginPush:
		return parseBegin(b)
	case typePart, typeEnd:
		if len(b) < partHeaderLen {
			return Request{}, errorf("Invalid cluster multi part message")
		}
		kind := KindPart
		if typ == typeEnd {
			kind = KindEnd
		}
		return Request{Kind: kind, Session: binary.LittleEndian.Uint32(b[1:]), Payload: b[partHeaderLen:]}, nil
	case typeTrace:
		return Request{Kind: KindTrace, Payload: b[1:]}, nil
	default:
		// The type is a C char, which has a sign on every platform that Skynet's texts come from.
		return Request{}, errorf("Invalid req package type %d", int8(typ))
	}
}

// ParseResponse reads the body of one answer frame, without its 2-byte length. The payload of the result
// points into b and is valid as long as b is. An error is a *FormatError; Skynet has no text for a bad
// answer (it ignores the frame), so the texts are ours.
func ParseResponse(b []byte) (Response, error) {
	if len(b) < partHeaderLen {
		return Response{}, errorf("Invalid cluster response (size=%d)", len(b))
	}
	r := Response{Session: binary.LittleEndian.Uint32(b), Payload: b[partHeaderLen:]}
	switch b[4] {
	case answerError:
		r.Kind = KindError
	case answerOK:
		r.Kind = KindOK
	case answerBegin:
		if len(b) != answerBeginLen {
			return Response{}, errorf("Invalid cluster response size %d (multi begin must be 9)", len(b))
		}
		r.Kind, r.Size, r.Payload = KindBegin, binary.LittleEndian.Uint32(b[partHeaderLen:]), nil
	case answerPart:
		r.Kind = KindPart
	case answerEnd:
		r.Kind = KindEnd
	default:
		return Response{}, errorf("Invalid cluster response type %d", b[4])
	}
	return r, nil
}

func parseWhole(b []byte) (Request, error) {
	a, rest, ok := parseAddr(b, 4)
	if !ok {
		return Request{}, errorf("Invalid cluster message (size=%d)", len(b))
	}
	session := binary.LittleEndian.Uint32(rest)
	return Request{Kind: KindRequest, Push: session == 0, Session: session, Addr: a, Payload: rest[4:]}, nil
}

func parseBegin(b []byte) (Request, error) {
	a, rest, ok := parseAddr(b, 8)
	if !ok {
		return Request{}, errorf("Invalid cluster message (size=%d)", len(b))
	}
	return Request{
		Kind:    KindBegin,
		Push:    b[0]&^flagName == typeBeginPush,
		Session: binary.LittleEndian.Uint32(rest),
		Size:    binary.LittleEndian.Uint32(rest[4:]),
		Addr:    a,
	}, nil
}

// parseAddr reads the address at the front of a frame and returns what follows it; it fails when that is
// less than need bytes.
func parseAddr(b []byte, need int) (a Addr, rest []byte, ok bool) {
	if b[0]&flagName == 0 {
		if len(b) < 5+need {
			return Addr{}, nil, false
		}
		return NumAddr(binary.LittleEndian.Uint32(b[1:])), b[5:], true
	}
	if len(b) < 2 {
		return Addr{}, nil, false
	}
	end := 2 + int(b[1])
	if len(b) < end+need {
		return Addr{}, nil, false
	}
	return NameAddr(string(b[2:end])), b[end:], true
}
