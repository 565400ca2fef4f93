package wire

import (
	"bytes"
	"math"
	"testing"
)

// The frames are those of a payload in one piece, wherever it is cut.
func TestPartsOfPieces(t *testing.T) {
	for _, size := range []int{PartSize + 1, 2 * PartSize, 3*PartSize + 5} {
		payload := pattern(size)
		var requests, answers []byte
		for i := range parts(size) {
			requests = AppendPart(requests, 7, payload, i)
			answers = AppendResponsePart(answers, 7, payload, i)
		}
		for _, cuts := range [][]int{{size}, {0, size}, {1, size}, {3, size - 1, size}, {PartSize, size}, {5, 5, PartSize - 1, size, size}} {
			var pieces [][]byte
			from := 0
			for _, to := range cuts {
				pieces = append(pieces, payload[from:to])
				from = to
			}
			begin := []byte("begin")
			got := RequestParts([][]byte{begin}, 7, size, pieces[0], pieces[1:])
			if !bytes.Equal(bytes.Join(got, nil), append(begin, requests...)) {
				t.Errorf("size %d, cuts %v: other request frames", size, cuts)
			}
			got = ResponseParts(nil, 7, size, pieces[0], pieces[1:])
			if !bytes.Equal(bytes.Join(got, nil), answers) {
				t.Errorf("size %d, cuts %v: other answer frames", size, cuts)
			}
		}
	}
}

// The begin frames are those that AppendRequest and its like make.
func TestBeginFrames(t *testing.T) {
	payload := make([]byte, 2*PartSize)
	for _, addr := range []Addr{NumAddr(8), NameAddr("@sdb")} {
		for _, push := range []bool{false, true} {
			want, _, err := appendRequest(nil, addr, 7, payload, push)
			if got, err2 := AppendBegin(nil, addr, 7, len(payload), push); err != nil || err2 != nil || !bytes.Equal(got, want) {
				t.Errorf("%v, push %v: %x, want %x; %v, %v", addr, push, got, want, err2, err)
			}
		}
	}
	for name, err := range map[string]error{
		"session": second(AppendBegin(nil, NumAddr(8), 0, PartSize, false)),
		"name":    second(AppendBegin(nil, NameAddr(""), 1, PartSize, false)),
		"size":    second(AppendBegin(nil, NumAddr(8), 1, math.MaxUint32+1, false)),
	} {
		if err == nil {
			t.Errorf("a bad %s is taken", name)
		}
	}
	want, n := AppendResponse(nil, 7, true, payload)
	if got, m := AppendResponseBegin(nil, 7, len(payload)); n != m || !bytes.Equal(got, want) {
		t.Errorf("%x and %d parts, want %x and %d", got, m, want, n)
	}
}

func second(_ []byte, err error) error { return err }
