package wire

import (
	"fmt"
	"testing"
)

func TestPayloadPointsIntoFrame(t *testing.T) {
	request, _, err := AppendRequest(nil, NameAddr("@sdb"), 1, []byte("abc"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRequest(request[2:])
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := AppendResponse(nil, 1, true, []byte("abc"))
	a, err := ParseResponse(answer[2:])
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{request, answer} {
		for i := range b {
			b[i] = 'z'
		}
	}
	if string(r.Payload) != "zzz" || string(a.Payload) != "zzz" {
		t.Errorf("payloads %q, %q; want them to change with the frames", r.Payload, a.Payload)
	}
	if r.Addr.Name != "@sdb" {
		t.Errorf("name %q changed with the frame", r.Addr.Name)
	}
}

// Every first byte but nine is refused, and the text shows it as C's signed char does.
func TestRequestTypes(t *testing.T) {
	known := map[byte]bool{0: true, 1: true, 2: true, 3: true, 4: true, 0x41: true, 0x80: true, 0x81: true, 0xc1: true}
	for typ := range 256 {
		_, err := ParseRequest([]byte{byte(typ)})
		text := fmt.Sprintf("Invalid req package type %d", int8(typ))
		if refused := err != nil && err.Error() == text; refused == known[byte(typ)] {
			t.Errorf("type %#x: %v", typ, err)
		}
	}
}

func TestBadResponses(t *testing.T) {
	for body, text := range map[string]string{
		"":                         "Invalid cluster response (size=0)",
		"\x01\x00\x00\x00":         "Invalid cluster response (size=4)",
		"\x01\x00\x00\x00\x02":     "Invalid cluster response size 5 (multi begin must be 9)",
		"\x01\x00\x00\x00\x05abcd": "Invalid cluster response type 5",
		"\x01\x00\x00\x00\xffabcd": "Invalid cluster response type 255",
	} {
		r, err := ParseResponse([]byte(body))
		checkFormatError(t, err, text)
		if r.Kind != 0 || r.Session != 0 || r.Payload != nil {
			t.Errorf("%q: got %+v beside the error", body, r)
		}
	}
}

func TestParseAllocs(t *testing.T) {
	byHandle, _, _ := AppendRequest(nil, NumAddr(8), 1, []byte("abc"))
	begin, _, _ := AppendRequest(nil, NumAddr(8), 1, make([]byte, PartSize))
	part := AppendPart(nil, 1, []byte("abc"), 0)
	trace, _ := AppendTrace(nil, ":00000008-1")
	answer, _ := AppendResponse(nil, 1, true, []byte("abc"))
	byName, _, _ := AppendRequest(nil, NameAddr("@sdb"), 1, []byte("abc"))
	request := func(frame []byte) func() { return func() { _, _ = ParseRequest(frame[2:]) } }
	for what, tt := range map[string]struct {
		run  func()
		want float64
	}{
		"by handle": {request(byHandle), 0},
		"begin":     {request(begin), 0},
		"part":      {request(part), 0},
		"trace":     {request(trace), 0},
		"answer":    {func() { _, _ = ParseResponse(answer[2:]) }, 0},
		"by name":   {request(byName), 1}, // the copy of the name
	} {
		if n := testing.AllocsPerRun(100, tt.run); n != tt.want {
			t.Errorf("%s: %v allocations, want %v", what, n, tt.want)
		}
	}
}
