package socket

import (
	"sync/atomic"

	"github.com/skynetgo/skynet/service"
)

// FrameCost is what a frame counts for a window besides its bytes: about the
// memory that it takes in a mailbox.
const FrameCost = 256

// Window has frames of fd wait in the system, and then at the peer, while those
// that have been delivered and not been Handled count for size or more, each
// its bytes and FrameCost; 0, as at first, is no limit: a peer that sends faster
// than its frames are handled then fills the memory.
func Window(c *service.Context, fd FD, size int) error {
	return onConn(c, "window", fd, func(s *conn) error {
		s.window.size.Store(int64(size))
		s.poke()
		return nil
	})
}

// Join has small frames of fd come as a *Bundle when several have come at once, which costs
// less; a Handler.Data gets each of them, and must not block. Others come as before. A frame of a node with an Isolate comes by itself.
func Join(c *service.Context, fd FD) error {
	return onConn(c, "join", fd, func(s *conn) error {
		s.joined.Store(true)
		return nil
	})
}

// Handled tells that frames that count for n have been handled.
func Handled(c *service.Context, fd FD, n int) error {
	return onConn(c, "handled", fd, func(s *conn) error {
		s.handled(n)
		return nil
	})
}

func (s *conn) handled(n int) {
	s.window.taken.Add(-int64(n))
	if !s.window.full() {
		s.poke()
	}
}

// window is what the reader may deliver.
type window struct {
	size  atomic.Int64 // 0: anything
	taken atomic.Int64
}

// awaitWindow waits until another frame may be delivered, or the connection ends.
func (s *conn) awaitWindow() {
	for s.window.full() && s.usable() == nil {
		s.held.Store(true)
		<-s.wake
		s.held.Store(false)
	}
}

// add counts what is delivered; true when it was the last for now.
func (w *window) add(cost int) (full bool) {
	if w.size.Load() > 0 {
		w.taken.Add(int64(cost))
	}
	return w.full()
}

func (w *window) full() bool {
	size := w.size.Load()
	return size > 0 && w.taken.Load() >= size
}
