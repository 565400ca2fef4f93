package login_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
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
	sv := newServer(t)
	goOn := make(chan struct{})
	sv.open(login.Config{Authenticate: func(c *service.Context, credentials []byte) (string, error) {
		return service.Await(c, func(ctxOf) (string, error) { <-goOn; return string(credentials), nil })
	}})
	got, err := io.ReadAll(raw(t, sv.addr, "Lalice", "Lbob"))
	if err != nil || string(got) != "\x00\x08Ninvalid" {
		t.Errorf("got %q, %v", got, err)
	}
	close(goOn)
	sv.empty()
	sv.users(0)
}

// Signs of life that the gate asks for are no packets, at either end.
func TestHeartbeat(t *testing.T) {
	const pause = 100 * time.Millisecond
	sv := newServer(t)
	sv.open(login.Config{
		Gate: gate.OpenConfig{Limits: socket.Limits{Heartbeat: pause, Idle: time.Minute}},
		Authenticate: func(c *service.Context, credentials []byte) (string, error) {
			return string(credentials), c.Sleep(3 * pause) // the client is asked before it is let in
		},
	})
	cl := sv.dial("alice")
	packets := func() (n uint64) {
		for _, s := range socket.Info(sv.Node.Node) {
			if s.Type == socket.TypeTCP && s.Owner == sv.gate() {
				n = s.Packets
			}
		}
		return n
	}
	for end := time.Now().Add(patience); packets() < 5 && time.Now().Before(end); {
		_ = cl.SetDeadline(time.Now().Add(pause))
		if p, err := cl.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("received %q, %v", p, err)
		}
	}
	_ = cl.SetDeadline(time.Now().Add(patience))
	cl.say("hi")
	cl.hears("echo hi")
	if w := cl.resume(); w.Received != 1 {
		t.Errorf("the agent has counted %d packets", w.Received)
	}
}

// What is kept goes out at once when a player is back, so it must fit into what may
// wait to be sent: else he would be kicked again and again.
func TestReplayFitsOutput(t *testing.T) {
	for _, overflow := range []socket.Overflow{socket.OverflowKick, socket.OverflowDrop} {
		sv := startServer(t, login.Config{Gate: gate.OpenConfig{Limits: socket.Limits{MaxPending: 4 << 10, Overflow: overflow}}})
		cl := sv.dial("alice")
		large := strings.Repeat("x", 5<<10)
		sv.tell("alice", "SEND", "1")
		cl.hears("1")
		sv.tell("alice", "SEND", large) // too much
		sv.tell("alice", "SEND", "3")
		sv.happens("start alice", "away alice")
		if w := cl.resume(); w.Lost != 1 {
			t.Errorf("welcome %+v", w)
		}
		cl.hears("3")
		cl.say("hi")
		cl.hears("echo hi")
	}
}

// A client that leaves while the gate is told to forward leaves the agent
// without a player.
func TestLeavesInForward(t *testing.T) {
	probe := nodetest.NewProbe(gate.Name)
	sv := newServer(t)
	service.Install(sv.Node.Node, probe.Definition())
	probe.Return(gate.CmdOpen, "127.0.0.1", 1)
	probe.Answer(gate.CmdForward, func(c *service.Context, args lualike.Args) (lualike.Args, error) {
		return nil, c.Send(sv.login, gate.EventName, gate.EventClose, args.At(0))
	})
	sv.open(login.Config{})
	sv.Run(func(c *service.Context) error {
		return errors.Join(c.Send(sv.login, gate.EventName, gate.EventOpen, 7, "peer"),
			c.Send(sv.login, gate.EventName, gate.EventData, 7, "Lalice"))
	})
	sv.settles(sv.login, "map[online:0 sessions:1 tokens:0 visitors:0]")
	sv.WaitIdle()
	sv.Run(func(c *service.Context) error {
		if online, err := service.Call[bool](c, ".alice", "ONLINE"); err != nil || online {
			return fmt.Errorf("online %v, %v", online, err)
		}
		return nil
	})
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
	goOn := make(chan struct{})
	sv.mixIn = func(c *service.Context, _ *login.Session, _ *login.Events) error {
		_, err := service.Await(c, func(ctxOf) (any, error) { <-goOn; return nil, nil })
		return err
	}
	sv.open(login.Config{Hello: time.Hour})
	nc := raw(t, sv.addr, "Lalice")
	sv.happens("start alice")
	_ = nc.Close()
	sv.settles(sv.login, "map[online:0 sessions:1 tokens:0 visitors:0]")
	close(goOn)
	sv.happens("end alice failed")
	sv.empty()
	sv.users(0)
	for range 50 {
		_ = raw(t, sv.addr, "L").Close()
	}
	sv.empty()
}

// FuzzFirstPacket wants an answer to any first packet, however it comes, and
// nothing left afterwards.
func FuzzFirstPacket(f *testing.F) {
	for _, seed := range []string{"", "L", "Lalice", "T12345678901234567890123456", "R\x00\x00\x00\x0012345678901234567890123456"} {
		f.Add([]byte(seed), uint16(3))
	}
	f.Fuzz(func(t *testing.T, packet []byte, split uint16) {
		packet = packet[:min(len(packet), 1<<16-1)]
		sv := startServer(t, login.Config{Grace: -1})
		b := append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
		nc := raw(t, sv.addr)
		at := min(int(split), len(b))
		for _, part := range [][]byte{b[:at], b[at:]} {
			if _, err := nc.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		answer := make([]byte, 3)
		if _, err := io.ReadFull(nc, answer); err != nil || answer[2] != 'N' && answer[2] != 'W' {
			t.Errorf("answer %q, %v", answer, err)
		}
		_ = nc.Close()
		sv.empty()
		sv.users(0)
	})
}
