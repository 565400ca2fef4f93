package socket_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// far is what a Channel connects to: a listener that the test itself serves. A
// request is a session and a text, an answer a session, a letter and a text.
type far struct {
	net.Listener
	t testing.TB
}

func newFar(t testing.TB) *far {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	if err := ln.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &far{ln, t}
}

func (f *far) addr() string { return f.Listener.Addr().String() }

// accept returns the next connection.
func (f *far) accept() *farEnd {
	f.t.Helper()
	nc, err := f.Accept()
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		f.t.Fatal(err)
	}
	return &farEnd{client{nc.(*net.TCPConn), f.t}}
}

// farEnd is the peer's end of a channel's connection.
type farEnd struct{ client }

// want reads the next request.
func (e *farEnd) want(session uint32, text string) {
	e.t.Helper()
	var header [6]byte
	if _, err := io.ReadFull(e, header[:]); err != nil {
		e.t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint16(header[:])-4)
	if _, err := io.ReadFull(e, body); err != nil {
		e.t.Fatal(err)
	}
	if got := binary.BigEndian.Uint32(header[2:]); got != session || string(body) != text {
		e.t.Fatalf("request %d %q, want %d %q", got, body, session, text)
	}
}

// answer sends one: kind is o(k), f(ailed) or m(ore).
func (e *farEnd) answer(session uint32, kind byte, text string) {
	e.t.Helper()
	body := append(binary.BigEndian.AppendUint32(nil, session), kind)
	e.send(packet(string(body) + text))
}

func ask(session uint32, text string) [][]byte {
	return [][]byte{packet(string(binary.BigEndian.AppendUint32(nil, session)) + text)}
}

func readAnswer(frame []byte) (socket.Response, error) {
	if len(frame) < 5 {
		return socket.Response{}, errors.New("too short")
	}
	return socket.Response{
		Session: binary.BigEndian.Uint32(frame), Failed: frame[4] == 'f', More: frame[4] == 'm', Data: frame[5:],
	}, nil
}

// user is a service that uses a Channel.
type user struct {
	*socket.Channel
	t      testing.TB
	node   *service.Node
	handle service.Handle
	log    *log
}

func newUser(t testing.TB, addr string, change ...func(*actor.Config)) *user {
	n, l := newNode(t, change...)
	service.Install(n, service.Def("user", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeText, func(c *service.Context, m service.Message) { m.Data.(func(*service.Context))(c) })
		return nil
	}))
	h, err := service.Launch(n, "user")
	if err != nil {
		t.Fatal(err)
	}
	return &user{socket.NewChannel(socket.ChannelConfig{Addr: addr, Response: readAnswer}), t, n, h, l}
}

func (u *user) do(f func(c *service.Context)) {
	u.t.Helper()
	receive(u.t, u.begin(f))
}

// begin is do that does not wait for f.
func (u *user) begin(f func(c *service.Context)) <-chan struct{} {
	u.t.Helper()
	done := make(chan struct{})
	op := func(c *service.Context) {
		defer close(done)
		f(c)
	}
	if err := u.node.Send(u.handle, service.Message{Type: service.PTypeText, Data: op}); err != nil {
		u.t.Fatal(err)
	}
	return done
}

func (u *user) connect() {
	u.t.Helper()
	u.do(func(c *service.Context) {
		if err := u.Connect(c); err != nil {
			u.t.Error(err)
		}
	})
}

// result is how a request ended.
type result struct {
	session uint32
	text    string
	err     error
}

// fork starts requests, each on a coroutine of its own and in this order; their
// results come in the order in which they end.
func (u *user) fork(sessions ...uint32) <-chan result {
	u.t.Helper()
	ch := make(chan result, len(sessions))
	u.do(func(c *service.Context) {
		for _, session := range sessions {
			c.Fork(func(c *service.Context) {
				parts, err := u.Request(c, session, ask(session, "q"), false)
				var texts []string
				for _, p := range parts {
					texts = append(texts, string(p))
				}
				ch <- result{session, strings.Join(texts, "+"), err}
			})
		}
	})
	return ch
}

// wantLost checks that the requests end with ErrSocket, in this order.
func (u *user) wantLost(ch <-chan result, sessions ...uint32) {
	u.t.Helper()
	for _, session := range sessions {
		if r := receive(u.t, ch); r.session != session || !errors.Is(r.err, socket.ErrSocket) || r.text != "" {
			u.t.Fatalf("got %v, want a failure of %d", r, session)
		}
	}
}

func (u *user) wantText(ch <-chan result, session uint32, text string) {
	u.t.Helper()
	if got, want := receive(u.t, ch), (result{session, text, nil}); got != want {
		u.t.Fatalf("got %v, want %v", got, want)
	}
}

// dialling reports whether a connect is under way in this process.
func dialling() bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "(*Dialer).DialContext")
}

// wantNoDialling checks that an attempt that was given up ends before its time.
func wantNoDialling(t *testing.T) {
	t.Helper()
	begin := time.Now()
	eventually(t, func() bool { return !dialling() })
	if took := time.Since(begin); took > socket.DialTimeout/2 {
		t.Errorf("the attempt went on for %v", took)
	}
}
