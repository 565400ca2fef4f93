package socket

import (
	"io"
	"net"
	"time"

	"github.com/skynetgo/skynet/service"
)

// SetWriter replaces the write call of a connection.
func SetWriter(n *service.Node, fd FD, f func(*net.Buffers) (int64, error)) {
	tableOf(n).conn(fd).writev = f
}

// NetConn returns the connection behind fd.
func NetConn(n *service.Node, fd FD) net.Conn { return tableOf(n).conn(fd).nc }

// SetHold sets how long the frames of a peer that has left are kept.
func SetHold(n *service.Node, d time.Duration) { tableOf(n).limits.hold = d }

// SetLinger sets how long a closed connection waits for its peer.
func SetLinger(n *service.Node, d time.Duration) { tableOf(n).limits.linger = d }

// SetFlush sets how long a closing connection may be stuck.
func SetFlush(n *service.Node, d time.Duration) { tableOf(n).limits.flush = d }

// SetHandshake sets how long a peer may take for its TLS handshake.
func SetHandshake(n *service.Node, d time.Duration) { tableOf(n).limits.handshake = d }

// Serve is Listen on a listener made elsewhere.
func Serve(c *service.Context, ln net.Listener, h *Handler) (FD, error) {
	l, err := ownerOf(c).serve(&listener{ln: ln, handler: h})
	if err != nil {
		return 0, err
	}
	return l.fd, nil
}

// SetLastFD sets the number given last.
func SetLastFD(n *service.Node, fd FD) {
	t := tableOf(n)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = fd
}

// Frames is the cutter of streams.
type Frames struct{ frames }

// NewFrames returns one that takes any frame.
func NewFrames() *Frames { return &Frames{frames{most: MaxFrame}} }

// Fill reads once from r.
func (f *Frames) Fill(r interface{ Read([]byte) (int, error) }) (int, error) { return f.fill(r) }

// Next returns the next frame.
func (f *Frames) Next() ([]byte, bool) {
	if !f.complete() {
		return nil, false
	}
	return f.next(), true
}

// Cap returns the size of the buffer.
func (f *Frames) Cap() int { return len(f.buf) }

// NewWebFrames returns a function that gives the next packet of the WebSocket
// messages of r, false at their end.
func NewWebFrames(r io.Reader) func() ([]byte, bool) {
	s := &conn{limits: &Limits{}, state: stateDead}
	s.web = &web{conn: s, in: r}
	in := frames{most: MaxFrame}
	return func() ([]byte, bool) {
		for {
			if in.complete() {
				return in.next(), true
			}
			if _, err := in.fill(s.web); err != nil {
				return nil, false
			}
		}
	}
}
