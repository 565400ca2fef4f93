package login

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/skynetgo/skynet/service/socket"
)

// stream is a connection of a Client. Each Write is one frame.
type stream interface {
	io.ReadWriteCloser
	SetDeadline(t time.Time) error
}

// connect makes the stream that addr asks for.
func (d Dialer) connect(ctx context.Context, addr string) (stream, error) {
	cfg := socket.Config{TLS: func() (*tls.Config, error) {
		if d.TLS == nil {
			return &tls.Config{MinVersion: tls.VersionTLS12}, nil
		}
		return d.TLS, nil
	}}
	if !strings.HasPrefix(addr, socket.WebScheme) && !strings.HasPrefix(addr, socket.SecureWebScheme) {
		return cfg.Connect(ctx, addr)
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, at string) (net.Conn, error) { return cfg.Connect(ctx, at) },
		DialTLSContext: func(ctx context.Context, _, at string) (net.Conn, error) {
			return cfg.Connect(ctx, socket.TLSScheme+at)
		},
		DisableKeepAlives: true,
	}
	conn, _, err := websocket.Dial(ctx, addr, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(socket.MaxFrame)
	w := &web{conn: conn}
	var end context.CancelCauseFunc
	w.ctx, end = context.WithCancelCause(context.Background())
	w.timer = time.AfterFunc(math.MaxInt64, func() { end(os.ErrDeadlineExceeded) })
	return w, nil
}

// web is the stream of a WebSocket, whose messages are frames without their
// header.
type web struct {
	conn  *websocket.Conn
	ctx   context.Context // ends at the deadline
	timer *time.Timer
	rest  []byte // of the frame that is being read
}

// Read is that of io.Reader.
func (w *web) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		_, packet, err := w.conn.Read(w.ctx)
		if err != nil {
			return 0, w.cause(err)
		}
		w.rest = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// Write is that of io.Writer.
func (w *web) Write(frame []byte) (int, error) {
	if err := w.conn.Write(w.ctx, websocket.MessageBinary, frame[headerSize:]); err != nil {
		return 0, w.cause(err)
	}
	return len(frame), nil
}

// cause returns what err is on plain TCP.
func (w *web) cause(err error) error {
	switch {
	case w.ctx.Err() != nil:
		return context.Cause(w.ctx)
	case websocket.CloseStatus(err) == websocket.StatusNormalClosure:
		return io.EOF
	}
	return err
}

// SetDeadline is that of net.Conn, but for a deadline that has passed: nothing
// comes after it.
func (w *web) SetDeadline(t time.Time) error {
	if t.IsZero() {
		w.timer.Stop()
	} else {
		w.timer.Reset(time.Until(t))
	}
	return nil
}

// Close is that of io.Closer.
func (w *web) Close() error {
	w.timer.Stop()
	return w.conn.CloseNow()
}
