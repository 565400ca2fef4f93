package debugconsole

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

const (
	greeting = "Welcome to skynet console\n"
	// maxLine is the longest command.
	maxLine = 64 << 10
	// writeTimeout is how long a peer may take to read an answer.
	writeTimeout = 10 * time.Second
)

// client is one connection. Its methods block, for service.Await.
type client struct {
	net.Conn
	in       *bufio.Reader
	patience time.Duration
	greeted  bool
}

func newClient(conn net.Conn, patience time.Duration) *client {
	return &client{Conn: conn, in: bufio.NewReaderSize(conn, maxLine), patience: patience}
}

// first returns the line that a peer begins with: a request of HTTP, or, once it
// was greeted, "" when it is silent for a while, and so a person.
func (k *client) first() (string, error) {
	_ = k.SetReadDeadline(time.Now().Add(k.patience))
	_, err := k.in.Peek(1)
	_ = k.SetReadDeadline(time.Time{})
	line := ""
	switch {
	case err == nil:
		line, err = k.line()
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = nil
	}
	if err == nil && !isRequest(line) {
		k.greeted = true
		err = k.send([]byte(greeting))
	}
	return line, err
}

// next sends the answer to the last line and returns the next one.
func (k *client) next(answer []byte) (string, error) {
	if err := k.send(answer); err != nil {
		return "", err
	}
	return k.line()
}

func (k *client) line() (string, error) {
	line, err := k.in.ReadSlice('\n')
	return string(line), err
}

func (k *client) send(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_ = k.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := k.Write(b)
	return err
}

var requestLine = regexp.MustCompile(`^[A-Z]+ \S+ HTTP/1\.[01]\r?\n$`)

// isRequest reports whether line begins a request of HTTP.
func isRequest(line string) bool { return requestLine.MatchString(line) }

// handOver gives the connection to web, which has read nothing of line.
func (k *client) handOver(web *http.Server, line string) {
	_ = k.SetDeadline(time.Time{})
	conn := &unread{k.Conn, io.MultiReader(strings.NewReader(line), k.in)}
	_ = web.Serve(&single{conn: conn}) // returns at once, with the listener's error
}

// unread is a connection of which something was read already.
type unread struct {
	net.Conn
	in io.Reader
}

func (u *unread) Read(b []byte) (int, error) { return u.in.Read(b) }

// single is a listener for one connection.
type single struct{ conn net.Conn }

func (l *single) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, net.ErrClosed
	}
	conn := l.conn
	l.conn = nil
	return conn, nil
}

func (l *single) Close() error {
	if l.conn != nil { // the server is closed
		return l.conn.Close()
	}
	return nil
}

func (l *single) Addr() net.Addr { return &net.TCPAddr{} }
