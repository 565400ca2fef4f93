package socket_test

import (
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

func TestChannelRequestTimesOut(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	u.connect()
	e := f.accept()
	u.do(func(c *service.Context) {
		_, err := u.Request(c.WithTimeout(time.Millisecond), 1, ask(1, "q"), false)
		if !errors.Is(err, service.ErrTimeout) || !strings.Contains(err.Error(), f.addr()) {
			t.Errorf("got %v", err)
		}
	})
	e.want(1, "q")
	e.answer(1, 'o', "late")
	eventually(t, func() bool { return u.log.count("socket: unknown session : 1") == 1 })
	ch := u.fork(1) // the session is free again
	e.want(1, "q")
	e.answer(1, 'o', "in time")
	u.wantText(ch, 1, "in time")
}

// Expire ends what has waited for too long, and nothing else.
func TestChannelExpire(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	u.connect()
	e := f.accept()
	ended := make(map[uint32]error)
	u.do(func(c *service.Context) {
		for session, timeout := range map[uint32]time.Duration{1: time.Millisecond, 2: service.Forever, 3: time.Hour} {
			if err := u.Do(c, socket.Request{Session: session, Frames: ask(session, "q"), Timeout: timeout,
				Done: func(_ *service.Context, _ [][]byte, _ bool, err error) { ended[session] = err }}); err != nil {
				t.Error(err)
			}
		}
		for begin := c.Now(); c.Now() <= begin+time.Millisecond; {
			_ = c.Yield()
		}
		u.Expire(c)
		if len(ended) != 1 || !errors.Is(ended[1], service.ErrTimeout) || u.Waiting(1) || !u.Waiting(2) || !u.Waiting(3) {
			t.Errorf("ended are %v", ended)
		}
	})
	e.answer(1, 'o', "late")
	eventually(t, func() bool { return u.log.count("socket: unknown session : 1") == 1 })
}

// A request that is too much for Limits ends the connection, and is not made
// again on the next one.
func TestChannelOverflow(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	u.SetConfig(socket.Config{Limits: socket.Limits{MaxPending: 100}})
	ch := u.fork(1)
	e := f.accept()
	e.want(1, "q")
	u.do(func(c *service.Context) {
		err := u.Do(c, socket.Request{Session: 2, Frames: ask(2, strings.Repeat("x", 100))})
		if !errors.Is(err, socket.ErrSocket) || !errors.Is(err, socket.ErrOverflow) || u.Connected() {
			t.Errorf("got %v, connected: %t", err, u.Connected())
		}
	})
	u.wantLost(ch, 1)
	e.wantEnd()
	u.fork(3)
	f.accept().want(3, "q")
}

// Without a deadline a request waits until the service ends.
func TestChannelOwnerEnds(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr(), func(cfg *actor.Config) { cfg.CallTimeout = 0 })
	ended := make(chan struct{})
	service.Install(u.node, service.Def("sender", func(c *service.Context, _ ...any) error {
		defer close(ended)
		_, err := u.Request(c, 1, ask(1, "q"), false)
		t.Errorf("Request came back: %v", err)
		return nil
	}))
	h, err := service.Launch(u.node, "sender")
	if err != nil {
		t.Fatal(err)
	}
	e := f.accept()
	e.want(1, "q")
	u.do(func(c *service.Context) { _ = c.Kill(h) })
	receive(t, ended)
	e.wantEnd()
}

// B178: of a large request small ones overtake the parts, and never go into
// one, though a part is made of two slices.
func TestB178SmallRequestsOvertakeParts(t *testing.T) {
	f := newFar(t)
	u := newUser(t, f.addr())
	u.connect()
	f.accept()
	p := newPipe(u.node, 1)
	payload := strings.Repeat("p", 0x8000)
	header := string(binary.BigEndian.AppendUint16(nil, 0x8000))
	u.do(func(c *service.Context) {
		large := [][]byte{[]byte("\x00\x05begin")}
		for range 4 {
			large = append(large, []byte(header), []byte(payload))
		}
		if err := u.Do(c, socket.Request{Session: 1, Frames: large, Low: true}); err != nil {
			t.Error(err)
		}
	})
	receive(t, p.begun)
	u.do(func(c *service.Context) {
		if err := u.Do(c, socket.Request{Session: 2, Frames: ask(2, "small")}); err != nil {
			t.Error(err)
		}
	})
	p.wantWrite(t, "\x00\x05begin", header, payload, header, payload, header, payload)
	p.wantWrite(t, string(ask(2, "small")[0]), header, payload)
}

// Answers that come faster than they are handled wait at the peer, not in the
// mailbox.
func TestChannelInputWaits(t *testing.T) {
	const frames, size = 4000, 1000
	const room = 512 << 10 / (size + socket.FrameCost)
	f := newFar(t)
	u := newUser(t, f.addr())
	u.connect()
	e := f.accept()
	held, release := make(chan struct{}), make(chan struct{})
	done := u.begin(func(*service.Context) { close(held); <-release })
	<-held
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range frames {
			e.answer(9, 'O', strings.Repeat("x", size-5))
		}
	}()
	stands := func() (most int) {
		for _, s := range u.node.Services() {
			most = max(most, s.Stat().Mailbox)
		}
		return most
	}
	eventually(t, func() bool { return stands() >= room })
	for range 1000 {
		runtime.Gosched()
	}
	if n := stands(); n > room+1 {
		t.Errorf("%d frames wait in the mailbox", n)
	}
	close(release)
	receive(t, done)
	receive(t, sent)
	eventually(t, func() bool {
		received := uint64(0)
		u.do(func(*service.Context) { received = u.Received() })
		return received == frames
	})
}
