package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// recordSize is the most that one TLS record carries.
const recordSize = 16 << 10

var records = sync.Pool{New: func() any { return new([recordSize]byte) }}

// alert is a TLS record that says: unexpected message.
var alert = []byte{0x15, 3, 1, 0, 2, 2, 10}

// secure is a TLS connection that ends, and is waited for, as the TCP
// connection below it is.
type secure struct {
	*tls.Conn
	tcp *net.TCPConn
}

// handshake speaks TLS on nc, in the role of tls.Client or tls.Server, until ctx
// ends; then it closes nc.
func handshake(ctx context.Context, nc net.Conn, role func(net.Conn, *tls.Config) *tls.Conn, tc *tls.Config) (*secure, error) {
	s := &secure{role(lasting{nc}, tc), nc.(*net.TCPConn)}
	err := s.HandshakeContext(ctx)
	if err == nil {
		return s, nil
	}
	peer := nc.RemoteAddr()
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header):
		return nil, fmt.Errorf("%w: %v speaks no TLS: %w", ErrTLS, peer, err)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return nil, fmt.Errorf("%w: %v broke the handshake off, perhaps it speaks no TLS: %w", ErrTLS, peer, err)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("%w: %v did not finish the handshake, perhaps it speaks no TLS: %w", ErrTLS, peer, err)
	}
	return nil, fmt.Errorf("%w: handshake with %v: %w", ErrTLS, peer, err)
}

// dismiss lets a peer whose handshake has failed with err learn why, before nc
// is closed: a close while input waits takes along what was sent last.
func dismiss(ctx context.Context, nc net.Conn, err error, linger time.Duration) {
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	_ = nc.SetDeadline(time.Now().Add(linger))
	var header tls.RecordHeaderError
	if errors.As(err, &header) && header.Conn != nil {
		_, _ = nc.Write(alert) // package tls has sent none
	}
	if nc.(*net.TCPConn).CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, nc)
	}
}

// writev writes bufs in whole records.
func (s *secure) writev(bufs *net.Buffers) (written int64, err error) {
	record := records.Get().(*[recordSize]byte)
	defer records.Put(record)
	size := 0
	flush := func() {
		var n int
		n, err = s.Write(record[:size])
		written += int64(n)
		size = 0
	}
	for _, b := range *bufs {
		for len(b) > 0 {
			n := copy(record[size:], b)
			b, size = b[n:], size+n
			if size < recordSize {
				break
			}
			if flush(); err != nil {
				return written, err
			}
		}
	}
	if size > 0 {
		flush()
	}
	clear(*bufs)
	return written, err
}

// CloseWrite ends the stream, in both layers.
func (s *secure) CloseWrite() error {
	if err := s.Conn.CloseWrite(); err != nil {
		return err
	}
	return s.tcp.CloseWrite()
}

// Close closes at once; a Close of package tls may block.
func (s *secure) Close() error { return s.tcp.Close() }

func (s *secure) SetWriteDeadline(t time.Time) error { return s.tcp.SetWriteDeadline(t) }

func (s *secure) SyscallConn() (syscall.RawConn, error) { return s.tcp.SyscallConn() }

// lasting keeps the write deadline that its connection has: package tls sets
// one of its own when it ends the stream.
type lasting struct{ net.Conn }

func (lasting) SetWriteDeadline(time.Time) error { return nil }

// tls returns the configuration for one handshake; it may block.
func (cfg Config) tls() (*tls.Config, error) {
	if cfg.TLS == nil {
		return nil, fmt.Errorf("%w: is not configured", ErrTLS)
	}
	tc, err := cfg.TLS()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTLS, err)
	}
	return tc, nil
}

// looksLikeTLS reports whether a stream begins with a ClientHello, whose lengths
// fit together, or an alert.
func looksLikeTLS(b []byte) bool {
	if len(b) < 7 || b[1] != 3 || b[2] > 4 {
		return false
	}
	size := int(b[3])<<8 | int(b[4])
	switch b[0] {
	case 0x16:
		return len(b) >= 9 && b[5] == 1 && int(b[6])<<16|int(b[7])<<8|int(b[8]) == size-4
	case 0x15:
		// No answer of another cluster node has a type over 4.
		return size == 2 && (b[5] == 1 || b[5] == 2) && b[6] > 4
	}
	return false
}
