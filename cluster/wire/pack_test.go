package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
)

// The two directions split at different sizes, which no symmetric codec would get right.
func TestSplitSizes(t *testing.T) {
	for size, want := range map[int]struct{ request, response int }{
		0:               {0, 0},
		PartSize - 1:    {0, 0},
		PartSize:        {1, 0},
		PartSize + 1:    {2, 2},
		2 * PartSize:    {2, 2},
		2*PartSize + 1:  {3, 3},
		10*PartSize - 1: {10, 10},
	} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			payload := make([]byte, size)
			_, request, err := AppendRequest(nil, NumAddr(1), 1, payload)
			if err != nil || request != want.request {
				t.Errorf("AppendRequest: %d parts, %v; want %d", request, err, want.request)
			}
			_, push, err := AppendPush(nil, NumAddr(1), 1, payload)
			if err != nil || push != want.request {
				t.Errorf("AppendPush: %d parts, %v; want %d", push, err, want.request)
			}
			if _, n := AppendResponse(nil, 1, true, payload); n != want.response {
				t.Errorf("AppendResponse: %d parts, want %d", n, want.response)
			}
		})
	}
}

func TestAppendKeepsDst(t *testing.T) {
	head := []byte("head")
	long := strings.Repeat("n", 256)
	tests := map[string]struct {
		run   func(dst []byte) []byte
		wants string
	}{
		"request":  {func(d []byte) []byte { d, _, _ = AppendRequest(d, NumAddr(1), 2, nil); return d }, "head\x00\x09\x00\x01\x00\x00\x00\x02\x00\x00\x00"},
		"push":     {func(d []byte) []byte { d, _, _ = AppendPush(d, NameAddr("a"), 2, []byte("x")); return d }, "head\x00\x08\x80\x01a\x00\x00\x00\x00x"},
		"trace":    {func(d []byte) []byte { d, _ = AppendTrace(d, "t"); return d }, "head\x00\x02\x04t"},
		"response": {func(d []byte) []byte { d, _ = AppendResponse(d, 2, true, []byte("x")); return d }, "head\x00\x06\x02\x00\x00\x00\x01x"},
		"name too long": {func(d []byte) []byte {
			d, _, _ = AppendRequest(d, NameAddr(long), 2, nil)
			return d
		}, "head"},
		"session 0":      {func(d []byte) []byte { d, _, _ = AppendPush(d, NumAddr(1), 0, nil); return d }, "head"},
		"trace too long": {func(d []byte) []byte { d, _ = AppendTrace(d, strings.Repeat("t", 0x8001)); return d }, "head"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.run(bytes.Clone(head)); string(got) != tt.wants {
				t.Errorf("dst = %q, want %q", got, tt.wants)
			}
		})
	}
}

func TestErrorNameEndsAtZeroByte(t *testing.T) {
	_, _, err := AppendRequest(nil, NameAddr("db\x00"+strings.Repeat("n", 255)), 1, nil)
	checkFormatError(t, err, "name length is invalid, must be between 1 and 255 characters: db")
}

func TestLiteralAddrs(t *testing.T) {
	for name, pair := range map[string][2]Addr{
		"name":   {{Name: "@sdb"}, NameAddr("@sdb")},
		"handle": {{Handle: 8}, NumAddr(8)},
		"both":   {{Name: "@sdb", Handle: 8}, NameAddr("@sdb")},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err1 := AppendRequest(nil, pair[0], 1, []byte("x"))
			want, _, err2 := AppendRequest(nil, pair[1], 1, []byte("x"))
			if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
				t.Errorf("frames %x, %x; errors %v, %v", got, want, err1, err2)
			}
		})
	}
}

func TestErrorAnswerIsCut(t *testing.T) {
	text := bytes.Repeat([]byte("e"), PartSize+5)
	frame, n := AppendResponse(nil, 9, false, text)
	if n != 0 {
		t.Errorf("%d parts follow an error answer", n)
	}
	r, err := ParseResponse(frame[2:])
	if err != nil || r.Kind != KindError || !bytes.Equal(r.Payload, text[:PartSize]) {
		t.Errorf("parsed %v with %d bytes, %v; want an error text of %d", r.Kind, len(r.Payload), err, PartSize)
	}
}

// Whoever does not want to copy a large payload writes header, slice of the payload, header, slice …
func TestHeadersAndSlicesEqualParts(t *testing.T) {
	payload := pattern(3*PartSize + 17)
	for name, f := range map[string]struct {
		part   func([]byte, uint32, []byte, int) []byte
		header func([]byte, uint32, int, int) []byte
	}{
		"request":  {AppendPart, AppendPartHeader},
		"response": {AppendResponsePart, AppendResponsePartHeader},
	} {
		t.Run(name, func(t *testing.T) {
			var whole, pieces []byte
			for i := range parts(len(payload)) {
				whole = f.part(whole, 7, payload, i)
				lo, hi := PartRange(len(payload), i)
				pieces = append(f.header(pieces, 7, len(payload), i), payload[lo:hi]...)
			}
			if !bytes.Equal(whole, pieces) {
				t.Error("parts differ from headers followed by slices")
			}
		})
	}
}

func TestPartRange(t *testing.T) {
	for _, size := range []int{1, PartSize - 1, PartSize, PartSize + 1, 5*PartSize + 1} {
		next := 0
		for i := range parts(size) {
			lo, hi := PartRange(size, i)
			if lo != next || hi <= lo || hi-lo > PartSize {
				t.Errorf("PartRange(%d, %d) = %d, %d; want to go on at %d", size, i, lo, hi, next)
			}
			next = hi
		}
		if next != size {
			t.Errorf("size %d: parts end at %d", size, next)
		}
	}
}

func TestPartRangePanics(t *testing.T) {
	for _, arg := range [][2]int{{PartSize, -1}, {PartSize, 1}, {0, 0}, {3 * PartSize, 3}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("PartRange(%d, %d) did not panic", arg[0], arg[1])
				}
			}()
			PartRange(arg[0], arg[1])
		}()
	}
}

// The size field has 32 bits; nothing of 4 GiB is allocated to see that more is refused.
func TestCheckSize(t *testing.T) {
	if err := checkSize(math.MaxUint32); err != nil {
		t.Errorf("the largest size is refused: %v", err)
	}
	checkFormatError(t, checkSize(math.MaxUint32+1), "message too large for the cluster protocol: 4294967296 bytes")
}

func TestPackAllocs(t *testing.T) {
	small, large := make([]byte, 100), make([]byte, 3*PartSize)
	dst := make([]byte, 0, 2*PartSize)
	name := NameAddr("@sdb")
	for what, f := range map[string]func(){
		"request":       func() { _, _, _ = AppendRequest(dst, name, 1, small) },
		"push":          func() { _, _, _ = AppendPush(dst, NumAddr(8), 1, small) },
		"begin":         func() { _, _, _ = AppendRequest(dst, name, 1, large) },
		"part":          func() { AppendPart(dst, 1, large, 2) },
		"part header":   func() { AppendPartHeader(dst, 1, len(large), 2) },
		"trace":         func() { _, _ = AppendTrace(dst, ":00000008-1") },
		"response":      func() { AppendResponse(dst, 1, true, small) },
		"error":         func() { AppendResponse(dst, 1, false, large) },
		"answer begin":  func() { AppendResponse(dst, 1, true, large) },
		"answer part":   func() { AppendResponsePart(dst, 1, large, 0) },
		"answer header": func() { AppendResponsePartHeader(dst, 1, len(large), 0) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", what, n)
		}
	}
}

// splitFrames cuts a stream into the bodies of its frames.
func splitFrames(t testing.TB, stream []byte) [][]byte {
	t.Helper()
	var bodies [][]byte
	for len(stream) > 0 {
		if len(stream) < 2 {
			t.Fatalf("half a length at the end: %x", stream)
		}
		n := 2 + int(binary.BigEndian.Uint16(stream))
		if n > len(stream) {
			t.Fatalf("frame of %d bytes, only %d left", n, len(stream))
		}
		bodies = append(bodies, stream[2:n])
		stream = stream[n:]
	}
	return bodies
}

// pattern returns n bytes in which no two parts are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}
