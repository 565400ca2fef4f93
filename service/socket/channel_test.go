package socket_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

func TestErrSocketText(t *testing.T) {
	if got := socket.ErrSocket.Error(); got != "[Error: socket]" {
		t.Error(got)
	}
}

func TestChannelManyRequests(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	ch := u.fork(1, 2, 3, 4)
	e := f.accept()
	for session := range uint32(4) {
		e.want(session+1, "q")
	}
	e.answer(3, 'o', "three")
	u.wantText(ch, 3, "three")
	e.answer(1, 'm', "a")
	e.answer(2, 'm', "b")
	e.answer(1, 'm', "c")
	e.answer(2, 'o', "d")
	u.wantText(ch, 2, "b+d")
	e.answer(1, 'o', "")
	u.wantText(ch, 1, "a+c+")
	e.answer(4, 'm', "dropped")
	e.answer(4, 'f', "no")
	var failed *socket.FailedError
	if r := receive(t, ch); r.session != 4 || !errors.As(r.err, &failed) || failed.Text != "no" || r.err.Error() != "no" || r.text != "" {
		t.Errorf("failed answer: %v", r)
	}
	if u.Addr() != f.addr() {
		t.Errorf("Addr: %s", u.Addr())
	}
}

func TestChannelDo(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	type outcome struct {
		session uint32
		parts   string
		failed  bool
		lost    bool
	}
	outcomes := make(chan outcome, 8)
	u.do(func(c *service.Context) {
		for session := range uint32(4) {
			if err := u.Do(c, socket.Request{Session: session, Frames: ask(session, "q"), Done: func(_ *service.Context, parts [][]byte, failed bool, err error) {
				outcomes <- outcome{session, fmt.Sprintf("%q", parts), failed, errors.Is(err, socket.ErrSocket)}
			}}); err != nil {
				t.Error(err)
			}
		}
		if err := u.Do(c, socket.Request{Session: 9, Frames: ask(9, "post")}); err != nil {
			t.Error(err)
		}
		err := u.Do(c, socket.Request{Session: 1, Frames: ask(1, "again"), Done: func(*service.Context, [][]byte, bool, error) { t.Error("called") }})
		if !errors.Is(err, service.ErrMisuse) {
			t.Errorf("a session in use: %v", err)
		}
		if !u.Forget(3) || u.Forget(3) || u.Forget(9) {
			t.Error("Forget")
		}
	})
	e := f.accept()
	for session := range uint32(4) {
		e.want(session, "q")
	}
	e.want(9, "post")
	e.answer(9, 'o', "nobody waits")
	e.answer(3, 'o', "forgotten")
	e.answer(2, 'o', "yes")
	e.answer(1, 'f', "no")
	for _, want := range []outcome{{2, `["yes"]`, false, false}, {1, `["no"]`, true, false}} {
		if got := receive(t, outcomes); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if u.log.count("socket: unknown session : 9") != 1 || u.log.count("socket: unknown session : 3") != 1 {
		t.Errorf("log:\n%s", u.log)
	}
	e.close()
	if got, want := receive(t, outcomes), (outcome{0, `[]`, false, true}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// B183
func TestB183ConnectionLost(t *testing.T) {
	for name, end := range map[string]func(*farEnd){
		"close":        func(e *farEnd) { e.close() },
		"half-close":   func(e *farEnd) { _ = e.CloseWrite() },
		"reset":        func(e *farEnd) { e.reset() },
		"in a frame":   func(e *farEnd) { e.send([]byte{0, 9, 0}); e.close() },
		"in an answer": func(e *farEnd) { e.answer(7, 'm', "part"); e.close() },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFar(t)
			u := newUser(t, f.addr())
			ch := u.fork(7, 5, 6)
			e := f.accept()
			for _, session := range []uint32{7, 5, 6} {
				e.want(session, "q")
			}
			end(e)
			u.wantLost(ch, 7, 5, 6)
			ch = u.fork(8)
			e = f.accept()
			e.want(8, "q")
			e.answer(8, 'o', "back")
			u.wantText(ch, 8, "back")
			if l := u.log.String(); strings.Contains(l, "Connect failed") {
				t.Errorf("it is not silent:\n%s", l)
			}
		})
	}
}

// B184
func TestB184ConnectRefused(t *testing.T) {
	f := newFar(t)
	f.Close()
	u := newUser(t, f.addr())
	ch := u.fork(1, 2, 3)
	for session := range uint32(3) {
		r := receive(t, ch)
		if r.session != session+1 || !errors.Is(r.err, socket.ErrSocket) || !errors.Is(r.err, syscall.ECONNREFUSED) {
			t.Errorf("got %v", r)
		}
	}
	line := "Connect failed Connection refused " + f.addr() + " nil"
	if got := u.log.count(line); got != 1 {
		t.Errorf("%d times %q in:\n%s", got, line, u.log)
	}
	u.do(func(c *service.Context) {
		if err := u.Connect(c); !errors.Is(err, socket.ErrSocket) {
			t.Errorf("Connect: %v", err)
		}
		if u.Connected() {
			t.Error("Connected")
		}
	})
	if got := u.log.count(line); got != 2 {
		t.Errorf("%d attempts", got)
	}
}

// B193
func TestB193AnswerThatCanNotBeRead(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	ch := u.fork(1, 2)
	e := f.accept()
	e.want(1, "q")
	e.want(2, "q")
	e.answer(99, 'o', "unknown, ignored")
	e.send(packet("bad"))
	u.wantLost(ch, 1, 2)
	e.wantEnd()
	if u.log.count("socket: unknown session : 99") != 1 {
		t.Errorf("log:\n%s", u.log)
	}
	ch = u.fork(3)
	e = f.accept()
	e.want(3, "q")
	e.answer(3, 'o', "ok")
	u.wantText(ch, 3, "ok")
}

// A peer cannot fill the log with answers to nobody.
func TestAnswersToNobodyAreLoggedSometimes(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	ch := u.fork(1)
	e := f.accept()
	e.want(1, "q")
	for session := range uint32(1000) {
		e.answer(session+2, 'o', "")
	}
	e.answer(1, 'o', "yes")
	u.wantText(ch, 1, "yes")
	// 1 to 10, 16, 32, … 512.
	if lines := strings.Count(u.log.String(), "unknown session"); lines != 16 || u.log.count("socket: unknown session : 513 (512 so far)") != 1 {
		t.Errorf("%d lines for 1000 answers to nobody:\n%s", lines, u.log)
	}
}

// B192
func TestB192OverloadIsLogged(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	u.connect()
	e := f.accept()
	u.do(func(c *service.Context) {
		if err := u.Do(c, socket.Request{Frames: [][]byte{make([]byte, 1<<20+1)}}); err != nil {
			t.Error(err)
		}
	})
	fd := socket.Info(u.node)[0].FD
	if fd != 1 {
		t.Fatalf("fd %d", fd)
	}
	if _, err := io.CopyN(io.Discard, e, 1<<20+1); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return u.log.count("WARNING: 0 K bytes need to send out (fd = 1)") == 1 })
	if u.log.count("WARNING: 1025 K bytes need to send out (fd = 1)") != 1 {
		t.Errorf("log:\n%s", u.log)
	}
}

// Those who come while the channel connects go on in the order they came, and
// one who comes when the connection is just there waits for them.
func TestChannelOrderOfThoseWhoWait(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	ch := make(chan result, 16)
	post := func(c *service.Context, session uint32) {
		if err := u.Do(c, socket.Request{Session: session, Frames: ask(session, "post")}); err != nil {
			t.Error(err)
		}
	}
	u.do(func(c *service.Context) {
		c.Fork(func(c *service.Context) {
			post(c, 1)
			post(c, 6) // 2 to 5 came before
		})
		for session := uint32(2); session <= 4; session++ {
			c.Fork(func(c *service.Context) {
				post(c, session)
				ch <- result{session: session}
			})
		}
		c.Fork(func(c *service.Context) {
			if err := u.Connect(c); err != nil {
				t.Error(err)
			}
			post(c, 5)
			post(c, 7)
		})
	})
	e := f.accept()
	for _, session := range []uint32{1, 2, 3, 4} {
		e.want(session, "post")
	}
	// Connect and what follows it are two uses of the channel: 6 is between.
	e.want(6, "post")
	e.want(5, "post")
	e.want(7, "post")
}

// One who gives up does not keep those behind waiting, nor ends their attempt.
func TestChannelWaiterGivesUp(t *testing.T) {
	full := hanging(t)
	f := newFar(t)
	u := newUser(t, full)
	giveUp := func(after time.Duration) <-chan struct{} {
		return u.begin(func(c *service.Context) {
			if err := u.Connect(c.WithTimeout(after)); !errors.Is(err, service.ErrTimeout) {
				t.Errorf("Connect with a deadline: %v", err)
			}
		})
	}
	first := giveUp(20 * time.Millisecond)
	ch := u.fork(1, 2)
	receive(t, first)
	receive(t, giveUp(time.Millisecond))
	u.do(func(c *service.Context) { u.ChangeHost(c, f.addr()) })
	e := f.accept()
	e.want(1, "q")
	e.want(2, "q")
	e.answer(2, 'o', "two")
	u.wantText(ch, 2, "two")
}

func TestChannelChangeHost(t *testing.T) {
	one, two := newFar(t), newFar(t)
	u := newUser(t, one.addr())
	ch := u.fork(1)
	e := one.accept()
	e.want(1, "q")
	u.do(func(c *service.Context) {
		if err := u.Do(c, socket.Request{Session: 2, Frames: ask(2, "written before")}); err != nil {
			t.Error(err)
		}
		u.ChangeHost(c, two.addr())
		if u.Connected() || u.Addr() != two.addr() {
			t.Errorf("connected %v to %s", u.Connected(), u.Addr())
		}
	})
	u.wantLost(ch, 1)
	e.want(2, "written before")
	if rest := e.rest(); rest != "" {
		t.Errorf("more came: %q", rest)
	}
	e.close()
	u.connect()
	two.accept()
}

func TestChannelChangeHostWhileConnecting(t *testing.T) {
	full := hanging(t)
	f := newFar(t)
	u := newUser(t, full)
	ch := u.fork(1, 2)
	u.do(func(c *service.Context) { u.ChangeHost(c, f.addr()) })
	e := f.accept()
	e.want(1, "q")
	e.want(2, "q")
	e.answer(1, 'o', "one")
	u.wantText(ch, 1, "one")
	wantNoDialling(t)
	if l := u.log.String(); strings.Contains(l, "Connect failed") {
		t.Errorf("the attempt given up is told of:\n%s", l)
	}
	e.close()
	u.wantLost(ch, 2)
}

// The attempt given up has succeeded, though the channel does not know yet: its
// connection is not used.
func TestChannelLateConnection(t *testing.T) {
	one, two := newFar(t), newFar(t)
	u := newUser(t, one.addr())
	u.do(func(c *service.Context) {
		c.Fork(func(c *service.Context) {
			if err := u.Do(c, socket.Request{Session: 1, Frames: ask(1, "q")}); err != nil {
				t.Error(err)
			}
		})
		c.Fork(func(c *service.Context) {
			// The attempt is now in front of this fork, and its outcome behind it.
			c.Fork(func(c *service.Context) {
				eventually(t, func() bool { return len(socket.Info(u.node)) == 1 })
				u.ChangeHost(c, two.addr())
			})
		})
	})
	if rest := one.accept().rest(); rest != "" {
		t.Errorf("the first host got %q", rest)
	}
	two.accept().want(1, "q")
	eventually(t, func() bool { return len(socket.Info(u.node)) == 1 })
}

// The connection has ended, but the channel was not told yet.
func TestChannelConnectionThatHasEnded(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	ch := u.fork(1)
	f.accept().want(1, "q")
	u.do(func(c *service.Context) {
		if err := socket.Shutdown(c, 1); err != nil {
			t.Error(err)
		}
		if err := u.Do(c, socket.Request{Session: 2, Frames: ask(2, "q")}); err != nil {
			t.Error(err)
		}
	})
	u.wantLost(ch, 1)
	f.accept().want(2, "q")
}

// Who waited for a connection that is gone when its turn comes does not begin
// anew.
func TestChannelConnectionThatEndsAtOnce(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	ch := make(chan error, 1)
	u.do(func(c *service.Context) {
		c.Fork(func(c *service.Context) {
			if err := u.Connect(c); err != nil {
				t.Error(err)
			}
			_ = socket.Shutdown(c, 1)
		})
		c.Fork(func(c *service.Context) { ch <- u.Connect(c) })
	})
	if err := receive(t, ch); !errors.Is(err, socket.ErrSocket) {
		t.Errorf("got %v", err)
	}
	f.accept().wantEnd()
	u.connect()
}

func TestChannelClose(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	ch := u.fork(1)
	e := f.accept()
	e.want(1, "q")
	u.do(func(c *service.Context) {
		u.Close(c)
		u.Close(c)
		if _, err := u.Request(c, 2, ask(2, "q"), false); !errors.Is(err, socket.ErrSocket) {
			t.Errorf("Request on a closed channel: %v", err)
		}
		u.ChangeHost(c, f.addr())
		if err := u.Do(c, socket.Request{Session: 2, Frames: ask(2, "q")}); !errors.Is(err, socket.ErrSocket) {
			t.Errorf("Do on a closed channel: %v", err)
		}
	})
	u.wantLost(ch, 1)
	if rest := e.rest(); rest != "" {
		t.Errorf("more came: %q", rest)
	}
	e.close()
	u.connect()
	ch = u.fork(3)
	f.accept().want(3, "q")
	u.do(u.Close)
	u.wantLost(ch, 3)
}

func TestChannelCloseWhileConnecting(t *testing.T) {
	u := newUser(t, hanging(t))
	ch := u.fork(1, 2)
	u.do(u.Close)
	u.wantLost(ch, 1, 2)
	wantNoDialling(t)
}

// A server that closes each connection at once makes requests fail, not spin.
func TestChannelServerThatCloses(t *testing.T) {
	f := newFar(t)
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for {
			nc, err := f.Accept()
			if err != nil {
				return
			}
			nc.Close()
		}
	}()
	u := newUser(t, f.addr())
	for session := range uint32(20) {
		u.wantLost(u.fork(session), session)
	}
	f.Close()
	receive(t, stop)
}
