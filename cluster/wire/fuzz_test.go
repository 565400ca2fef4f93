package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"regexp"
	"testing"
)

// FuzzParseRequest feeds arbitrary bodies; what parses must come out of the packers again.
func FuzzParseRequest(f *testing.F) {
	seedBodies(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ParseRequest(body)
		if err != nil {
			checkRefused(t, err)
			return
		}
		again, ok := repackRequest(t, r)
		if !ok {
			return
		}
		want := body
		if r.Kind == KindBegin && r.Addr.ByName() {
			want = body[:10+len(r.Addr.Name)] // bytes after the size are ignored
		}
		if !bytes.Equal(again, want) {
			t.Errorf("%+v packs to %x, came from %x", r, again, want)
		}
	})
}

// FuzzParseResponse feeds arbitrary bodies; what parses must come out of the packers again.
func FuzzParseResponse(f *testing.F) {
	seedBodies(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ParseResponse(body)
		if err != nil {
			checkRefused(t, err)
			return
		}
		if again, ok := repackResponse(r); ok && !bytes.Equal(again, body) {
			t.Errorf("%+v packs to %x, came from %x", r, again, body)
		}
	})
}

// FuzzRoundTrip sends a message in each direction and puts it together again on the far side.
func FuzzRoundTrip(f *testing.F) {
	f.Add("@sdb", uint32(0), uint32(1), uint16(3), []byte("abc"), false)
	f.Add("", uint32(8), uint32(MaxSession), uint16(PartSize-1), []byte("xyz"), true)
	f.Add("a", uint32(0), uint32(2), uint16(PartSize), []byte("0123456789"), true)
	f.Add("", uint32(0xffffffff), uint32(7), uint16(65535), []byte{0xff, 0}, false)
	f.Fuzz(func(t *testing.T, name string, handle, session uint32, size uint16, unit []byte, push bool) {
		payload := fill(int(size), unit)
		a := Addr{Name: name, Handle: handle}
		if name != "" {
			a.Handle = 0
		}
		pack := AppendRequest
		if push {
			pack = AppendPush
		}
		stream, n, err := pack(nil, a, session, payload)
		if valid := len(name) <= maxName && session >= 1 && session <= MaxSession; valid != (err == nil) {
			t.Fatalf("error = %v; valid: %v", err, valid)
		}
		if err == nil {
			for i := range n {
				stream = AppendPart(stream, session, payload, i)
			}
			checkRequestStream(t, stream, a, session, push, payload)
		}

		stream, n = AppendResponse(nil, session, !push, payload)
		for i := range n {
			stream = AppendResponsePart(stream, session, payload, i)
		}
		checkResponseStream(t, stream, session, !push, payload)
	})
}

// FuzzAssembly splits data wherever cuts says; whatever the split, the message is complete exactly when
// its size was announced.
func FuzzAssembly(f *testing.F) {
	f.Add([]byte("abcdef"), []byte{3, 3}, int16(0))
	f.Add([]byte("abcdef"), []byte{0, 1, 0, 200}, int16(-1))
	f.Add([]byte{}, []byte{}, int16(0))
	f.Add([]byte("abcdef"), []byte{2}, int16(1))
	f.Fuzz(func(t *testing.T, data, cuts []byte, off int16) {
		announced := uint32(len(data)) + uint32(int32(off)) // may wrap: a size that nobody will reach
		var a Assembly
		a.Reset(announced)
		rest, come := data, 0
		add := func(part []byte) {
			a.Append(part)
			come += len(part)
			if held := a.Held(); held > max(16*come, firstReserve) || come == 0 && held > 0 {
				t.Fatalf("after %d bytes %d are held", come, held)
			}
		}
		for _, c := range cuts {
			n := min(int(c), len(rest))
			add(rest[:n])
			rest = rest[n:]
		}
		add(rest)
		b, ok := a.Bytes()
		if ok != (announced == uint32(len(data))) {
			t.Fatalf("announced %d, came %d: ok = %v", announced, len(data), ok)
		}
		if ok && !bytes.Equal(b, data) {
			t.Errorf("put together %x, want %x", b, data)
		}
	})
}

// repackRequest packs r again; ok is false when our packers never write such a frame: an empty name, a
// session that Skynet reads only, a size that needs no parts.
func repackRequest(t *testing.T, r Request) (body []byte, ok bool) {
	var frame []byte
	var err error
	switch r.Kind {
	case KindRequest:
		if r.Push {
			frame, _, err = AppendPush(nil, r.Addr, 1, r.Payload)
		} else {
			frame, _, err = AppendRequest(nil, r.Addr, r.Session, r.Payload)
		}
		if len(r.Payload) >= PartSize {
			return nil, false
		}
	case KindBegin:
		if r.Size < PartSize || r.Size > 1<<20 { // keep the payload of a run small
			return nil, false
		}
		pack := AppendRequest
		if r.Push {
			pack = AppendPush
		}
		frame, _, err = pack(nil, r.Addr, r.Session, make([]byte, r.Size))
	case KindPart:
		// A part that is not the last is full, so one that more follows is cut from a larger payload.
		if len(r.Payload) != PartSize {
			return nil, false
		}
		frame = AppendPart(nil, r.Session, append(bytes.Clone(r.Payload), 0), 0)
	case KindEnd:
		if len(r.Payload) == 0 || len(r.Payload) > PartSize {
			return nil, false
		}
		frame = AppendPart(nil, r.Session, r.Payload, 0)
	case KindTrace:
		if len(r.Payload) > maxTag {
			return nil, false
		}
		frame, err = AppendTrace(nil, string(r.Payload))
	default:
		t.Fatalf("a request of kind %v", r.Kind)
	}
	if err != nil {
		checkRefused(t, err)
		return nil, false
	}
	return frame[2:], true
}

func repackResponse(r Response) (body []byte, ok bool) {
	var frame []byte
	switch r.Kind {
	case KindOK, KindError:
		if len(r.Payload) > PartSize {
			return nil, false
		}
		frame, _ = AppendResponse(nil, r.Session, r.Kind == KindOK, r.Payload)
	case KindBegin:
		if r.Size <= PartSize || r.Size > 1<<20 {
			return nil, false
		}
		frame, _ = AppendResponse(nil, r.Session, true, make([]byte, r.Size))
	case KindPart:
		if len(r.Payload) != PartSize {
			return nil, false
		}
		frame = AppendResponsePart(nil, r.Session, append(bytes.Clone(r.Payload), 0), 0)
	case KindEnd:
		if len(r.Payload) == 0 || len(r.Payload) > PartSize {
			return nil, false
		}
		frame = AppendResponsePart(nil, r.Session, r.Payload, 0)
	}
	return frame[2:], true
}

func checkRequestStream(t *testing.T, stream []byte, a Addr, session uint32, push bool, payload []byte) {
	t.Helper()
	var got Request
	var large Assembly
	for _, body := range splitFrames(t, stream) {
		r, err := ParseRequest(body)
		if err != nil {
			t.Fatal(err)
		}
		switch r.Kind {
		case KindBegin:
			got = r
			large.Reset(r.Size)
		case KindPart, KindEnd:
			if r.Session != got.Session {
				t.Fatalf("part of session %d, want %d", r.Session, got.Session)
			}
			large.Append(r.Payload)
			if b, ok := large.Bytes(); ok != (r.Kind == KindEnd) {
				t.Fatalf("complete: %v after a frame of kind %v", ok, r.Kind)
			} else if ok {
				got.Payload = b
			}
		default:
			got = r
		}
	}
	if push && len(payload) < PartSize {
		session = 0
	}
	if got.Addr != a || got.Session != session || got.Push != push || !bytes.Equal(got.Payload, payload) {
		t.Errorf("got %+v %d push %v, %d bytes; want %+v %d push %v, %d bytes",
			got.Addr, got.Session, got.Push, len(got.Payload), a, session, push, len(payload))
	}
}

func checkResponseStream(t *testing.T, stream []byte, session uint32, ok bool, payload []byte) {
	t.Helper()
	var got []byte
	var large Assembly
	for _, body := range splitFrames(t, stream) {
		r, err := ParseResponse(body)
		if err != nil || r.Session != session || (r.Kind == KindError) == ok {
			t.Fatalf("kind %v, session %d, %v; want session %d, ok %v", r.Kind, r.Session, err, session, ok)
		}
		switch r.Kind {
		case KindBegin:
			large.Reset(r.Size)
		case KindPart, KindEnd:
			large.Append(r.Payload)
			got, _ = large.Bytes()
		default:
			got = r.Payload
		}
	}
	if !ok {
		payload = payload[:min(len(payload), PartSize)]
	}
	if !bytes.Equal(got, payload) {
		t.Errorf("got %d bytes, want %d", len(got), len(payload))
	}
}

func checkRefused(t *testing.T, err error) {
	t.Helper()
	var fe *FormatError
	if !errors.As(err, &fe) || fe.Text == "" {
		t.Errorf("error = %#v, want a *FormatError with a text", err)
	}
}

// seedBodies adds every body of the recorded vectors to the corpus.
func seedBodies(f *testing.F) {
	f.Helper()
	file, err := os.ReadFile("testdata/cluster_frames.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"body_hex":"([0-9a-f]*)"`).FindAllSubmatch(file, -1) {
		body, err := hex.DecodeString(string(m[1]))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}

// fill repeats unit up to n bytes.
func fill(n int, unit []byte) []byte {
	if len(unit) == 0 {
		return make([]byte, n)
	}
	return bytes.Repeat(unit, n/len(unit)+1)[:n]
}
