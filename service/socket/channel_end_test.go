package socket_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
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
		for range 2 {
			large = append(large, []byte(header), []byte(payload))
		}
		if err := u.Do(c, 1, large, true, nil); err != nil {
			t.Error(err)
		}
	})
	receive(t, p.begun)
	u.do(func(c *service.Context) {
		if err := u.Do(c, 2, ask(2, "small"), false, nil); err != nil {
			t.Error(err)
		}
	})
	p.wantWrite(t, "\x00\x05begin")
	p.wantWrite(t, string(ask(2, "small")[0]))
	p.wantWrite(t, header, payload)
	p.wantWrite(t, header, payload)
}
