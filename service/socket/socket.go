// Package socket gives services file descriptors: listeners, framed TCP
// connections with a batched writer, and Channel, a connection that carries many
// requests at once. It stands where Skynet has socket_server.c, gateserver.lua
// and socketchannel.lua.
//
// A socket belongs to the service that opened it and is closed when that
// service ends. What happens on it is told to the owner's Handler, under the
// owner's baton and in order: for each connection Open, frames, Warning, and at
// the end at most one Error and exactly one Close. Frames are Skynet's: two
// bytes length, big-endian, then that many bytes. Forward sends them past the
// owner, straight into another service's mailbox.
//
// Every service of the node may write to, forward and close any fd, as in
// Skynet. The functions of this package never block, but for Dial, Wait, a
// Listen on a host name or with TLS, and the methods of Channel that say so.
package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/skynetgo/skynet/service"
)

// Limits of the package.
const (
	// MaxFrame is the most bytes one frame carries.
	MaxFrame = 0xffff
	// DialTimeout is how long a Dial may take; less when calls may take less. A
	// peer that connects has as long for its TLS handshake.
	DialTimeout = 5 * time.Second
	// DefaultSilence is the Silence of the zero Config.
	DefaultSilence = 150 * time.Second
)

// What an address begins with at which more than plain frames is spoken:
// "tls://host:port", "ws://host:port/path". To the WebSocket ones can only be
// listened.
const (
	TLSScheme       = "tls://"
	WebScheme       = "ws://"
	SecureWebScheme = "wss://"
)

// FD is the number of a socket, counted from 1 in each node and not used again
// before all others have been.
type FD int32

// Config says how connections are made and accepted. Dial and Listen use the
// zero Config.
type Config struct {
	// TLS gives the configuration of one handshake, at addresses that begin with
	// TLSScheme or SecureWebScheme. It is called for each, without the baton and perhaps by several
	// goroutines at once; so it may block. The dialling side verifies the host of
	// the address where ServerName is empty. MutualTLS makes such a function.
	TLS func() (*tls.Config, error)
	// Silence is how long a host may not answer before its connections fail, to
	// the second: keepalive finds it on an idle connection, TCP_USER_TIMEOUT,
	// where the system has it, while output waits. 0 is DefaultSilence, negative
	// is never.
	Silence time.Duration
	// Limits hold for each connection.
	Limits Limits
	// MaxArriving is how many peers of one address (HostOf) may be in their TLS handshake,
	// or before their upgrade to WebSocket, at once; more are closed and an Error of
	// the listener. 0 is any number: one address may then hold all places there are.
	MaxArriving int
	// Origins are the hosts, other than the one asked for, whose pages may open a
	// WebSocket: "play.example.com", "*.example.com"; with scheme and port where
	// those matter. A client that names no origin, which no browser is, may too.
	Origins []string
}

// Handler is told what happens on a socket. Its functions run under the baton
// of the owner, each as a message of its own, and may block; nil ones are left
// out.
type Handler struct {
	// Open: a listener has accepted fd from peer, "ip:port". Nothing of it is
	// delivered before Start or Forward.
	Open func(c *service.Context, fd FD, peer string)
	// Data: a frame has come on a connection that Start was called for. frame
	// belongs to the handler.
	Data func(c *service.Context, fd FD, frame []byte)
	// Close: the connection has ended, whoever ended it.
	Close func(c *service.Context, fd FD)
	// Error: the connection has failed, Close follows; or a listener could not
	// accept and goes on. ErrorText gives Skynet's text.
	Error func(c *service.Context, fd FD, err error)
	// Warning: kb KiB wait to be sent, more than Limits.HighWater or twice as much
	// as last time; 0 when all has gone out after a warning, or all but
	// Limits.LowWater.
	Warning func(c *service.Context, fd FD, kb int)
}

// ErrClosed is the error for an fd that is unknown, or closed by this node or
// the peer.
var ErrClosed = errors.New("socket: closed")

// ErrTLS is the error of a TLS handshake, and of a peer that speaks TLS where
// plain frames are expected.
var ErrTLS = errors.New("socket: TLS")

// Types of a socket in Stat.
const (
	TypeListen = "LISTEN"
	TypeTCP    = "TCP"
)

// Stat is what Info knows of one socket.
type Stat struct {
	FD      FD
	Type    string // TypeListen or TypeTCP
	Scheme  string // TLSScheme or another; "": plain frames
	Peer    string // of a listener its own address
	Owner   service.Handle
	Since   time.Time // of a connection: when it was accepted or dialled
	Read    uint64    // bytes; of a listener the connections accepted
	Packets uint64    // that were delivered
	Written uint64    // bytes
	Writes  uint64    // write calls
	Pending int       // bytes that wait to be written
	Dropped uint64    // bytes, by OverflowDrop
	Reading bool      // Start or Forward was called
	// LastRead and LastWrite say when it read, or accepted, and wrote last, as
	// Node.Uptime counts; 0 is never.
	LastRead, LastWrite time.Duration
}

// Listen accepts connections on addr, "host:port", for h until Close, and
// returns the real "ip:port", which tells the port chosen for port 0. It blocks
// only to look up a host name.
func Listen(c *service.Context, addr string, h *Handler) (FD, string, error) {
	return Config{}.Listen(c, addr, h)
}

// Dial connects to addr, "host:port", and blocks until it has. Nothing is
// delivered before Start or Forward.
func Dial(c *service.Context, addr string, h *Handler) (FD, error) {
	return Config{}.Dial(c, addr, h)
}

// Listen is the function Listen with this Config. With TLS it blocks for
// Config.TLS too, and a peer is accepted once its handshake has succeeded; one
// that fails is an Error of the listener.
func (cfg Config) Listen(c *service.Context, addr string, h *Handler) (FD, string, error) {
	l, err := listen(c, addr, h, cfg)
	if err != nil {
		return 0, "", fmt.Errorf("socket: listen %s: %w", addr, err)
	}
	return l.fd, l.ln.Addr().String(), nil
}

// Dial is the function Dial with this Config. A TLS peer that refuses this
// side's certificate may do so after Dial: then the connection has an Error.
func (cfg Config) Dial(c *service.Context, addr string, h *Handler) (FD, error) {
	s, err := dial(c, context.Background(), addr, h, cfg)
	if err != nil {
		return 0, fmt.Errorf("socket: dial %s: %w", addr, err)
	}
	return s.fd, nil
}

// Start delivers the frames of fd, those that have come already first, to the
// Handler.Data of its owner.
func Start(c *service.Context, fd FD) error {
	return onConn(c, "start", fd, func(s *conn) error { return s.start(&route{}) })
}

// Forward delivers the frames of fd to the service to, each as a message of
// type t with session fd and the given source. Called again it holds for frames
// read from then on. A frame whose receiver is gone is dropped and counted in
// the node's Drops.
func Forward(c *service.Context, fd FD, to service.Handle, t service.PType, source service.Handle) error {
	return onConn(c, "forward", fd, func(s *conn) error {
		return s.start(&route{to: to, ptype: t, source: source})
	})
}

// Write sends bufs, which belong to the socket from then on but for those of
// GatherSize or less, one after the other with nothing in between.
func Write(c *service.Context, fd FD, bufs ...[]byte) error {
	return onConn(c, "write", fd, func(s *conn) error { return s.write(bufs, high) })
}

// WritePacket sends a packet, of MaxFrame bytes at most, as one frame. It is the
// socket's from then on unless it has GatherSize or less.
func WritePacket(c *service.Context, fd FD, packet []byte) error {
	return writePacket(c, fd, packet, high)
}

// WritePacketNow is WritePacket by one who is not about to write more before the
// next message: it makes the system call itself, without waiting in it. When more
// messages are in line the packet goes out with what their handlers write, as soon
// as those have been handled, or 128 of them, or 16 KiB wait. So a handler that
// computes for long may keep it back.
func WritePacketNow(c *service.Context, fd FD, packet []byte) error {
	if c.MoreWaits() {
		return writePacket(c, fd, packet, later)
	}
	return writePacket(c, fd, packet, now)
}

func writePacket(c *service.Context, fd FD, packet []byte, p priority) error {
	if len(packet) > MaxFrame {
		return fmt.Errorf("socket: write %d: %w", fd, ErrPacketSize)
	}
	s := tableOf(c.Node()).conn(fd)
	err := ErrClosed
	if s != nil {
		var flush bool
		if flush, err = s.writePacket(packet, p); flush {
			c.FlushLater(s)
		}
	}
	if err != nil {
		return fmt.Errorf("socket: write %d: %w", fd, err)
	}
	return nil
}

// WriteNow is Write by one who is not about to write more: when nothing waits to
// be sent it makes the system call itself, without waiting in it.
func WriteNow(c *service.Context, fd FD, bufs ...[]byte) error {
	return onConn(c, "write", fd, func(s *conn) error { return s.write(bufs, now) })
}

// WriteLow is Write for data that may wait: everything written with Write goes
// out first, though never inside the bufs of one WriteLow.
func WriteLow(c *service.Context, fd FD, bufs ...[]byte) error {
	return onConn(c, "write", fd, func(s *conn) error { return s.write(bufs, low) })
}

// WriteLowFrames is WriteLow for whole frames, one of which may be spread over
// several bufs: other output may go between them.
func WriteLowFrames(c *service.Context, fd FD, bufs ...[]byte) error {
	return onConn(c, "write", fd, func(s *conn) error { return s.writeLowFrames(bufs) })
}

// Pending returns how many bytes wait to be sent on fd.
func Pending(c *service.Context, fd FD) int {
	if s := tableOf(c.Node()).conn(fd); s != nil {
		return s.unsent()
	}
	return 0
}

// Close ends fd: what was written is sent, then the end of the stream; nothing
// more is delivered but Handler.Close, once. Of a listener it ends the
// listening, without a word to the Handler; its connections go on.
func Close(c *service.Context, fd FD) error {
	if l := tableOf(c.Node()).listener(fd); l != nil {
		l.close()
		return nil
	}
	return onConn(c, "close", fd, (*conn).close)
}

// Shutdown is Close without sending what was written.
func Shutdown(c *service.Context, fd FD) error {
	if l := tableOf(c.Node()).listener(fd); l != nil {
		l.close()
		return nil
	}
	return onConn(c, "shutdown", fd, func(s *conn) error {
		s.shutdown()
		return nil
	})
}

// Info returns what is known of the sockets of n, by fd. Safe from any
// goroutine.
func Info(n *service.Node) []Stat { return tableOf(n).info() }

// Wait blocks until n has no socket left, which is soon after the services that
// own them have ended, or until ctx ends. It is for code outside of services.
func Wait(ctx context.Context, n *service.Node) error {
	for {
		empty := tableOf(n).emptied()
		if empty == nil {
			return nil
		}
		select {
		case <-empty:
		case <-ctx.Done():
			return fmt.Errorf("socket: wait: %w", ctx.Err())
		}
	}
}

// onConn calls f for the connection fd.
func onConn(c *service.Context, what string, fd FD, f func(*conn) error) error {
	err := ErrClosed
	if s := tableOf(c.Node()).conn(fd); s != nil {
		err = f(s)
	}
	if err != nil {
		return fmt.Errorf("socket: %s %d: %w", what, fd, err)
	}
	return nil
}
