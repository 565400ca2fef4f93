package login_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/skynetgo/skynet/services/login"
)

type ctxOf = context.Context

// text is a type as msgp makes them.
type text string

func (s text) MarshalMsg(b []byte) ([]byte, error) {
	if s == "" {
		return nil, errors.New("nothing to say")
	}
	return msgp.AppendString(b, string(s)), nil
}

func (s *text) UnmarshalMsg(b []byte) ([]byte, error) {
	v, rest, err := msgp.ReadStringBytes(b)
	*s = text(v)
	return rest, err
}

// raw is a client that says what it likes.
func raw(t *testing.T, addr string, frames ...string) *net.TCPConn {
	t.Helper()
	nc, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	var b []byte
	for _, f := range frames {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(f))), f...)
	}
	if _, err := nc.Write(b); err != nil {
		t.Fatal(err)
	}
	return nc.(*net.TCPConn)
}

// Each first packet that is no good gets its answer, then the end.
func TestFirstPacket(t *testing.T) {
	sv := startServer(t, login.Config{})
	key := strings.Repeat("x", 26)
	for first, want := range map[string]login.Reason{
		"":                           login.Invalid,
		"?":                          login.Invalid,
		"T":                          login.Denied,
		"T" + key:                    login.Denied,
		"R":                          login.Invalid,
		"R\x00\x00\x00\x00":          login.Invalid,
		"R\x00\x00\x00\x00" + key:    login.Gone,
		"R\x00\x00\x00\x00x" + key:   login.Invalid,
		"L":                          login.Denied, // as nobody
		strings.Repeat("?", 1<<16-1): login.Invalid,
	} {
		got, err := io.ReadAll(raw(t, sv.addr, first))
		if text := "N" + string(want); err != nil || string(got) != "\x00"+string(rune(len(text)))+text {
			t.Errorf("%.20q: %q, %v, want %s", first, got, err, want)
		}
	}
	sv.empty()
}

// A client says one thing until it is let in.
func TestTooEager(t *testing.T) {
	sv := startServer(t, login.Config{})
	// Before the answer a second packet is refused or, when the first was handled
	// by then, is the agent's.
	nc := raw(t, sv.addr, "Lalice", "eager")
	b := make([]byte, 3)
	if _, err := io.ReadFull(nc, b); err != nil || b[2] != 'N' && b[2] != 'W' {
		t.Errorf("got %q, %v", b, err)
	}
}

// Two connections of one session: the later one has it, and the agent hears
// nothing of the other any more.
func TestResumeTwice(t *testing.T) {
	sv := startServer(t, login.Config{})
	nc, key := rawLogin(t, sv)
	other := raw(t, sv.addr, "R\x00\x00\x00\x00"+key)
	if got, err := io.ReadAll(nc); err != nil || string(got) != "\x00\x09Nreplaced" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := io.ReadFull(other, make([]byte, welcomeSize)); err != nil {
		t.Error(err)
	}
	sv.happens("start alice", "away alice", "back alice 0")
	_ = other.Close()
	sv.happens("away alice")
}

const welcomeSize = 2 + 1 + 4 + 4 + 26

// rawLogin returns the key too.
func rawLogin(t *testing.T, sv *server) (*net.TCPConn, string) {
	t.Helper()
	nc := raw(t, sv.addr, "Lalice")
	welcome := make([]byte, welcomeSize)
	if _, err := io.ReadFull(nc, welcome); err != nil {
		t.Fatal(err)
	}
	return nc, string(welcome[11:])
}

// A number that was never sent is no number to resume from.
func TestResumeFromTheFuture(t *testing.T) {
	sv := startServer(t, login.Config{})
	_, key := rawLogin(t, sv)
	got, err := io.ReadAll(raw(t, sv.addr, "R\x00\x00\x00\x01"+key))
	if err != nil || !bytes.Equal(got, []byte("\x00\x08Ninvalid")) {
		t.Errorf("got %q, %v", got, err)
	}
	sv.happens("start alice", "away alice", "away alice")
	sv.settles(sv.login, "map[online:0 sessions:1 tokens:0 visitors:0]")
}

// Who does not speak is sent away.
func TestSilentVisitor(t *testing.T) {
	sv := startServer(t, login.Config{Hello: 20 * time.Millisecond})
	got, err := io.ReadAll(raw(t, sv.addr))
	if err != nil || string(got) != "\x00\x11Ninvalid too slow" {
		t.Errorf("got %q, %v", got, err)
	}
	sv.empty()
}

// Who leaves while being let in leaves nothing behind.
func TestVisitorLeaves(t *testing.T) {
	sv := newServer(t)
	sv.open(login.Config{Grace: time.Millisecond})
	for range 50 {
		nc := raw(t, sv.addr, "Lalice")
		_ = nc.SetLinger(0)
		_ = nc.Close()
	}
	sv.empty()
	sv.users(0)
}
