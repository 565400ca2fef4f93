package login

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/skynetgo/skynet/service/socket"
)

// Client is a player's end of a session, for programs in Go; it needs no node.
// One goroutine may call Send while another one calls Receive.
type Client struct {
	dialer Dialer
	addr   string
	key    string
	last   uint32 // the number of the last packet received
	conn   stream
	in     *bufio.Reader
}

// Welcome says what a connection begins with.
type Welcome struct {
	Lost     int // packets to this client that are gone
	Received int // packets of this client that the agent has got, in all
}

// Dialer makes Clients. Dial uses the zero Dialer.
type Dialer struct {
	// TLS is for addresses where that is spoken; nil trusts the system's
	// authorities. The host of the address is verified where ServerName is empty.
	TLS *tls.Config
}

// Dial logs in at addr, one of gate.OpenConfig.Doors, and goes on to where it is
// sent. The error of a server that refuses is a *Refusal.
func Dial(ctx context.Context, addr string, credentials []byte) (*Client, error) {
	return Dialer{}.Dial(ctx, addr, credentials)
}

// Dial is the function Dial with this Dialer.
func (d Dialer) Dial(ctx context.Context, addr string, credentials []byte) (*Client, error) {
	cl := &Client{dialer: d, addr: addr}
	token, err := cl.connect(ctx, frame(kindLogin, credentials))
	if err == nil && token != nil {
		_, err = cl.connect(ctx, frame(kindToken, token))
	}
	if err != nil {
		return nil, err
	}
	return cl, nil
}

// Resume connects again, after the connection was lost or instead of it. What
// the client has missed comes next.
func (cl *Client) Resume(ctx context.Context) (Welcome, error) {
	cl.conn.Close()
	w := Welcome{}
	_, err := cl.connect(ctx, frame(kindResume, number(cl.last), []byte(cl.key)), &w)
	return w, err
}

// Send sends a packet to the agent; an empty one is a sign of life only.
func (cl *Client) Send(packet []byte) error {
	if len(packet) > socket.MaxFrame {
		return fmt.Errorf("login: send %d bytes: more than a frame has", len(packet))
	}
	b := binary.BigEndian.AppendUint16(make([]byte, 0, headerSize+len(packet)), uint16(len(packet)))
	_, err := cl.conn.Write(append(b, packet...))
	return err
}

// Receive returns the next packet of the agent. The error is a *Refusal when the
// server has ended the session or this connection.
func (cl *Client) Receive() ([]byte, error) {
	kind, rest, err := cl.read()
	if err != nil {
		return nil, err
	}
	if kind != kindPacket || len(rest) < numberSize {
		return nil, fmt.Errorf("login: the server has sent a frame of kind %q", kind)
	}
	n := binary.BigEndian.Uint32(rest)
	if n != cl.last+1 {
		return nil, fmt.Errorf("login: packet %d has come after %d", n, cl.last)
	}
	cl.last = n
	return rest[numberSize:], nil
}

// Close ends the connection. The session goes on for as long as the server says.
func (cl *Client) Close() error { return cl.conn.Close() }

// SetDeadline is when Send and Receive give up, until the next Resume.
func (cl *Client) SetDeadline(t time.Time) error { return cl.conn.SetDeadline(t) }

// connect makes a connection with hello as its first frame. It returns a token
// when the client is to go elsewhere, to cl.addr.
func (cl *Client) connect(ctx context.Context, hello []byte, welcome ...*Welcome) (token []byte, err error) {
	conn, err := cl.dialer.connect(ctx, cl.addr)
	if err != nil {
		return nil, fmt.Errorf("login: connect %s: %w", cl.addr, err)
	}
	cl.conn, cl.in = conn, bufio.NewReaderSize(conn, 512)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil || token != nil {
			conn.Close()
		}
	}()
	if _, err := conn.Write(hello); err != nil {
		return nil, err
	}
	kind, rest, err := cl.read()
	switch {
	case err == io.ErrUnexpectedEOF:
		return nil, fmt.Errorf("login: %s ends within a frame, perhaps it speaks TLS or WebSocket: %w", cl.addr, err)
	case err != nil:
		return nil, err
	case kind == kindGo && len(rest) > keySize:
		cl.addr = string(rest[keySize:])
		return rest[:keySize], nil
	case kind == kindWelcome && len(rest) == 2*numberSize+keySize:
		lost := binary.BigEndian.Uint32(rest)
		cl.last += lost
		cl.key = string(rest[2*numberSize:])
		for _, w := range welcome {
			*w = Welcome{int(lost), int(binary.BigEndian.Uint32(rest[numberSize:]))}
		}
		return nil, nil
	}
	return nil, fmt.Errorf("login: the server has answered with a frame of kind %q", kind)
}

// read reads one frame, and answers the empty ones, with which a gate asks for a
// sign of life.
func (cl *Client) read() (kind byte, rest []byte, err error) {
	var header [headerSize]byte
	for {
		if _, err := io.ReadFull(cl.in, header[:]); err != nil {
			return 0, nil, err
		}
		if header != [headerSize]byte{} {
			break
		}
		if _, err := cl.conn.Write(header[:]); err != nil {
			return 0, nil, err
		}
	}
	b := make([]byte, binary.BigEndian.Uint16(header[:]))
	if _, err := io.ReadFull(cl.in, b); err != nil {
		return 0, nil, err
	}
	if b[0] == kindNo {
		reason, text, _ := strings.Cut(string(b[1:]), " ")
		return 0, nil, &Refusal{Reason(reason), text}
	}
	return b[0], b[1:], nil
}
