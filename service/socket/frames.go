package socket

import (
	"encoding/binary"
	"io"
	"sync"

	"github.com/skynetgo/skynet/service"
)

const (
	headerSize = 2
	minBuffer  = 2 << 10
	// maxBuffer holds the largest frame.
	maxBuffer = MaxFrame + headerSize
	// shrinkAfter is how many small reads halve the buffer.
	shrinkAfter = 16
	// smallFrame is the most that shares sharedMemory with others.
	smallFrame   = 256
	sharedMemory = 2 << 10
)

// frames cuts a stream into frames. The buffer grows with what has come, not
// with what a length announces, and shrinks when little comes.
type frames struct {
	buf  []byte
	r, w int
	few  int // reads in a row that left the buffer nearly empty
	free []byte
	most int  // bytes of a frame
	huge bool // a frame of more is next
}

func (f *frames) len() int { return f.w - f.r }

// complete reports whether a whole frame has come.
func (f *frames) complete() bool {
	b := f.buf[f.r:f.w]
	if len(b) < headerSize {
		return false
	}
	size := int(binary.BigEndian.Uint16(b))
	f.huge = size > f.most
	return len(b)-headerSize >= size && !f.huge
}

// next returns the next frame, which must have come, in memory that is the
// receiver's.
func (f *frames) next() []byte {
	b := f.buf[f.r+headerSize:]
	frame := f.memory(int(binary.BigEndian.Uint16(f.buf[f.r:])))
	copy(frame, b)
	f.r += headerSize + len(frame)
	return frame
}

// together returns as many of the small frames that come next as may share
// memory, nil when the next one is not small. A whole one must have come.
func (f *frames) together() *Bundle {
	end, count := f.r, 0
	for b := f.buf[f.r:f.w]; len(b) >= headerSize; b = f.buf[end:f.w] {
		size := headerSize + int(binary.BigEndian.Uint16(b))
		if size > headerSize+min(smallFrame, f.most) || size > len(b) || end+size-f.r > sharedMemory {
			break
		}
		end += size
		count++
	}
	if end == f.r {
		return nil
	}
	data := append([]byte(nil), f.buf[f.r:end]...)
	f.r = end
	return &Bundle{data, count}
}

// Bundle is small frames that came together.
type Bundle struct {
	data  []byte
	count int // of those that came
}

// Cost is what they count for a Window.
func (f *Bundle) Cost() int { return len(f.data) + FrameCost }

// Each calls do for each frame, which belongs to it. do must not block. Frames after
// one for which it panics come too, before the panic goes on.
func (f *Bundle) Each(c *service.Context, do func(c *service.Context, frame []byte)) {
	defer func() {
		if len(f.data) > 0 {
			f.Each(c, do)
		}
	}()
	for len(f.data) > 0 {
		end := headerSize + int(binary.BigEndian.Uint16(f.data))
		frame := f.data[headerSize:end:end]
		f.data = f.data[end:]
		do(c, frame)
	}
}

// largeFrame is the memory of one frame of about the size of a part of a large
// cluster message. Only frames of that size are worth being used again.
type largeFrame [40 << 10]byte

var largeFrames = sync.Pool{New: func() any { return new(largeFrame) }}

// Recycle gives back the memory of a frame that was delivered, for frames to
// come. Who calls it must be the only one that has the frame. Nobody has to.
func Recycle(frame []byte) {
	if cap(frame) == len(largeFrame{}) {
		largeFrames.Put((*largeFrame)(frame[:cap(frame)]))
	}
}

// memory returns that of a frame of size bytes. Small frames that came together
// share some, though never much: one that is kept keeps it all.
func (f *frames) memory(size int) []byte {
	if size >= len(largeFrame{})/2 && size <= len(largeFrame{}) {
		return largeFrames.Get().(*largeFrame)[:size]
	}
	if size > smallFrame {
		return make([]byte, size)
	}
	if len(f.free) < size {
		f.free = make([]byte, max(min(f.len(), sharedMemory), size))
	}
	frame := f.free[:size:size]
	f.free = f.free[size:]
	return frame
}

// fill reads once. The caller has taken all whole frames out, or has room left
// in a buffer of the smallest size.
func (f *frames) fill(r io.Reader) (int, error) {
	full := f.w == len(f.buf)
	f.w = copy(f.buf, f.buf[f.r:f.w])
	f.r = 0
	switch size := len(f.buf); {
	case size == 0:
		f.resize(minBuffer)
	case full && size < maxBuffer:
		f.resize(min(2*size, maxBuffer))
	case f.few >= shrinkAfter && size > minBuffer:
		f.resize(max(size/2, minBuffer, f.w))
	}
	n, err := r.Read(f.buf[f.w:])
	f.w += n
	if f.w < len(f.buf)/4 {
		f.few++
	} else {
		f.few = 0
	}
	return n, err
}

func (f *frames) resize(size int) {
	buf := make([]byte, size)
	copy(buf, f.buf[:f.w])
	f.buf, f.few = buf, 0
}
