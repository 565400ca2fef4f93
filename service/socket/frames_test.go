package socket_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/skynetgo/skynet/service/socket"
)

// pieces reads a stream in pieces of the given sizes, over and over.
type pieces struct {
	stream []byte
	sizes  []byte
	at     int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.stream) == 0 {
		return 0, io.EOF
	}
	size := len(b)
	if len(p.sizes) > 0 {
		size = 1 + int(p.sizes[p.at%len(p.sizes)])
		p.at++
	}
	n := copy(b, p.stream[:min(size, len(p.stream))])
	p.stream = p.stream[n:]
	return n, nil
}

// cut returns the whole frames of stream.
func cut(stream []byte) (frames [][]byte) {
	for len(stream) >= 2 {
		n := int(binary.BigEndian.Uint16(stream))
		if len(stream) < 2+n {
			break
		}
		frames = append(frames, stream[2:2+n])
		stream = stream[2+n:]
	}
	return frames
}

func checkFrames(t *testing.T, stream, sizes []byte) {
	t.Helper()
	want := cut(stream)
	in := socket.NewFrames()
	r := &pieces{stream: stream, sizes: sizes}
	for {
		_, err := in.Fill(r)
		for frame, ok := in.Next(); ok; frame, ok = in.Next() {
			if len(want) == 0 || !bytes.Equal(frame, want[0]) {
				t.Fatalf("frame of %d bytes is wrong, %d to come", len(frame), len(want))
			}
			want = want[1:]
		}
		if came := len(stream) - len(r.stream); in.Cap() > max(2048, 2*came) {
			t.Fatalf("a buffer of %d bytes for %d", in.Cap(), came)
		}
		if err != nil {
			break
		}
	}
	if len(want) > 0 {
		t.Fatalf("%d frames did not come", len(want))
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x03abc\x00\x00\x00\x01x\xff"), []byte{0})
	f.Add(bytes.Repeat([]byte("\x08\x00"), 5000), []byte{255, 3})
	f.Add(bytes.Repeat([]byte("\x10\x00"), 5000), []byte{})
	f.Fuzz(checkFrames)
}

// The buffer of a connection that was busy once becomes small again.
func TestBufferShrinks(t *testing.T) {
	in := socket.NewFrames()
	fill := func(stream []byte) {
		for r := (&pieces{stream: stream}); len(r.stream) > 0; {
			if _, err := in.Fill(r); err != nil {
				t.Fatal(err)
			}
			for _, ok := in.Next(); ok; _, ok = in.Next() {
			}
		}
	}
	fill(make([]byte, 1<<20))
	if in.Cap() != 2+socket.MaxFrame {
		t.Errorf("busy: %d", in.Cap())
	}
	for range 200 {
		fill(packet("small"))
	}
	if in.Cap() > 4096 {
		t.Errorf("quiet: %d", in.Cap())
	}
}
