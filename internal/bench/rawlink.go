package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// A raw link carries frames as a link between nodes does: eight bytes in front,
// the length and who waits for the answer. A frame whose length has the bit mute
// is not answered, the others are echoed.
const (
	linkHead = 8
	mute     = 1 << 31
	// large is from which size on a payload is not gathered with others.
	large      = 4 << 10
	linkBuffer = 64 << 10
)

// serveRaw listens, and echoes what each connection sends.
func serveRaw(echo func(conn net.Conn) error) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = echo(conn) // until the peer goes
			}()
		}
	}()
	return l.Addr().String(), nil
}

func echoLink(conn net.Conn) error {
	r, w := bufio.NewReaderSize(conn, linkBuffer), bufio.NewWriterSize(conn, linkBuffer)
	head := make([]byte, linkHead)
	var payload []byte
	for {
		if _, err := io.ReadFull(r, head); err != nil {
			return err
		}
		length := binary.BigEndian.Uint32(head)
		if size := int(length &^ mute); cap(payload) < size {
			payload = make([]byte, size)
		} else {
			payload = payload[:size]
		}
		if _, err := io.ReadFull(r, payload); err != nil {
			return err
		}
		if length&mute == 0 {
			_, _ = w.Write(head)
			_, _ = w.Write(payload) // errors are the Flush's too
		}
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// link is a raw link with many callers, each of whom has one request on its way.
type link struct {
	conn    net.Conn
	answers []chan struct{} // of each caller; closed when the link is lost
	into    [][]byte        // where each wants the answer's payload

	mu      sync.Mutex
	out     []byte
	spare   []byte
	writing bool
}

func dialLink(e *env, callers, size int) (*link, *child, error) {
	p, conn, err := dialRole(e, "link")
	if err != nil {
		return nil, nil, err
	}
	l := &link{conn: conn, answers: make([]chan struct{}, callers), into: make([][]byte, callers)}
	for i := range callers {
		l.answers[i], l.into[i] = make(chan struct{}, 1), make([]byte, size)
	}
	go l.read()
	return l, p, nil
}

// dialRole starts this program in a role and connects to it.
func dialRole(e *env, role string) (*child, net.Conn, error) {
	p, addr, err := startRole(e, role)
	if err != nil {
		return nil, nil, err
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	e.atEnd(conn.Close)
	return p, conn, nil
}

func (l *link) read() {
	defer func() {
		for _, ch := range l.answers {
			close(ch)
		}
	}()
	r, head := bufio.NewReaderSize(l.conn, linkBuffer), make([]byte, linkHead)
	for {
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		caller := binary.BigEndian.Uint32(head[4:])
		if _, err := io.ReadFull(r, l.into[caller][:binary.BigEndian.Uint32(head)]); err != nil {
			return
		}
		l.answers[caller] <- struct{}{}
	}
}

var errLinkLost = errors.New("the raw link is lost")

func (l *link) call(caller int, payload []byte) error {
	if err := l.send(caller, len(payload), payload); err != nil {
		return err
	}
	if _, ok := <-l.answers[caller]; !ok {
		return errLinkLost
	}
	return nil
}

// send writes at once when nobody else does; who does takes along what others
// have left for it.
func (l *link) send(caller, length int, payload []byte) error {
	var head [linkHead]byte
	binary.BigEndian.PutUint32(head[:], uint32(length))
	binary.BigEndian.PutUint32(head[4:], uint32(caller))
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(payload) >= large {
		_, err := (&net.Buffers{head[:], payload}).WriteTo(l.conn)
		return err
	}
	l.out = append(append(l.out, head[:]...), payload...)
	if l.writing {
		return nil
	}
	l.writing = true
	defer func() { l.writing = false }()
	for len(l.out) > 0 {
		out := l.out
		l.out = l.spare[:0]
		l.mu.Unlock()
		_, err := l.conn.Write(out)
		l.mu.Lock()
		l.spare = out
		if err != nil {
			return err
		}
	}
	return nil
}
