package cluster_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// rawClient is a connection to a node of ours on which a test reads and writes
// frames itself.
type rawClient struct {
	t *testing.T
	net.Conn
}

func dialRaw(t *testing.T, addr string) rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return newRawClient(t, conn)
}

func newRawClient(t *testing.T, conn net.Conn) rawClient {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return rawClient{t, conn}
}

func (r rawClient) send(frames ...[]byte) {
	r.t.Helper()
	if _, err := r.Write(bytes.Join(frames, nil)); err != nil {
		r.t.Fatal(err)
	}
}

// expect reads an answer of one frame.
func (r rawClient) expect(session uint32, ok bool, payload []byte) {
	r.t.Helper()
	want, _ := wire.AppendResponse(nil, session, ok, payload)
	got, err := readFrame(r)
	if err != nil || !bytes.Equal(got, want) {
		r.t.Fatalf("got %.80x, %v, want %x", got, err, want)
	}
}

func pack(args ...any) []byte {
	packed, err := lualike.Pack(args...)
	if err != nil {
		panic(err)
	}
	return packed
}

// requestFrames are a request or push with its parts.
func requestFrames(push bool, to wire.Addr, session uint32, payload []byte) []byte {
	add := wire.AppendRequest
	if push {
		add = wire.AppendPush
	}
	out, parts, err := add(nil, to, session, payload)
	if err != nil {
		panic(err)
	}
	for i := range parts {
		out = append(out, wire.AppendPart(nil, session, payload, i)...)
	}
	return out
}

func asking(to wire.Addr, session uint32, args ...any) []byte {
	return requestFrames(false, to, session, pack(args...))
}

func pushing(to wire.Addr, args ...any) []byte { return requestFrames(true, to, 1, pack(args...)) }

func at(h service.Handle) wire.Addr { return wire.NumAddr(uint32(h)) }

func TestB171ErrorTexts(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	for i, test := range []struct {
		frames []byte
		text   string
	}{
		{asking(wire.NameAddr("@nosuch"), 1, "echo"), "Invalid name"},
		{asking(wire.NumAddr(0), 2, "nosuch"), "name not found"},
		{asking(at(srv.known[recordedDead]), 3, "echo"), "call to invalid address"},
		{asking(wire.NumAddr(0xffffff), 4, "echo"), "call to invalid address"},
		{asking(wire.NameAddr(".nosuch"), 5, "echo"), "call to invalid address"},
		{asking(wire.NameAddr("@sdb"), 6, "fail", "the handler's own text"), "call failed"},
		{asking(wire.NameAddr("@victim"), 7, "quit"), "call failed"},
		{unfinished(wire.NameAddr("@sdb"), 8), "Invalid large req"},
	} {
		r.send(test.frames)
		r.expect(uint32(i+1), false, []byte(test.text))
	}
	srv.Log.Wait(t, "the handler's own text")
	r.send(asking(wire.NameAddr("@sdb"), 20, "hold"), asking(wire.NameAddr("@sdb"), 21, "unresponse")) // response(false)
	r.expect(20, false, []byte("call failed"))
	r.expect(21, true, pack(true))
}

// unfinished is a large request whose only part is a byte short.
func unfinished(to wire.Addr, session uint32) []byte {
	payload := pack("echo", strings.Repeat("x", wire.PartSize-20))
	begin, _, err := wire.AppendRequest(nil, to, session, append(slices.Clone(payload), make([]byte, wire.PartSize)...))
	if err != nil {
		panic(err)
	}
	return append(begin, wire.AppendPart(nil, session, payload, 0)...)
}

func TestB172PushToUnknownNameIsAnswered(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	r.send(pushing(wire.NameAddr("@nosuch"), "note", "lost"))
	r.expect(0, false, []byte("Invalid name"))
	r.send(requestFrames(true, wire.NameAddr("@nosuch"), 5, make([]byte, wire.PartSize)))
	r.expect(5, false, []byte("Invalid name"))

	n := client(t, cluster.Table{"srv": srv.addr})
	n.Run(func(c *service.Context) error {
		if err := cluster.Send(c, "srv", "@nosuch", "note", "lost"); err != nil {
			return err
		}
		_, err := cluster.Call(c, "srv", "@sdb", "echo")
		return err
	})
	n.Log.Wait(t, "socket: unknown session : 0")
}

func TestB173PushToNobodyIsDropped(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	r.send(
		pushing(wire.NameAddr(".nosuch"), "note", "lost"),
		pushing(at(srv.known[recordedDead]), "note", "lost"),
		pushing(wire.NumAddr(0xffffff), "note", "lost"),
		requestFrames(true, wire.NameAddr(".nosuch"), 5, make([]byte, wire.PartSize)),
		asking(wire.NameAddr("@sdb"), 9, "echo"),
	)
	r.expect(9, true, nil)
}

// What has no answer in Skynet gets an error from ours.
func TestB174Addresses(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	h := srv.known[recordedSdb]
	for _, to := range []wire.Addr{at(h), wire.NameAddr("@sdb"), wire.NameAddr(".sdb"), wire.NameAddr(h.String())} {
		r.send(asking(to, 1, "echo", "here"))
		r.expect(1, true, pack("here"))
	}
	r.send(asking(wire.NameAddr("sdb"), 2, "echo"))
	r.expect(2, false, []byte("Invalid name"))
	empty := []byte{0, 6, 0x80, 0, 3, 0, 0, 0}
	r.send(empty)
	r.expect(3, false, []byte("Invalid name"))
}

// Skynet logs it and gives no answer.
func TestB175PayloadThatCanNotBeUnpacked(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	r.send(requestFrames(false, wire.NameAddr("@sdb"), 1, []byte{7}))
	r.expect(1, false, []byte("call failed"))
	srv.Log.Wait(t, "Invalid serialize stream")
}

// The remote form of B045: Skynet only logs it, and the caller waits.
func TestForgottenAnswer(t *testing.T) {
	forgetful := service.Def("forgetful", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeLua, func(*service.Context, service.Message) {})
		return cluster.Register(c, "forgetful", 0)
	})
	srv, addr, _ := server(t, nodetest.Services(forgetful))
	srv.Run(func(c *service.Context) error { _, err := c.NewService("forgetful"); return err })
	r := dialRaw(t, addr)
	r.send(asking(wire.NameAddr("@forgetful"), 1, "hello"))
	r.expect(1, false, []byte("call failed"))
	srv.Log.Wait(t, "Maybe forgot response session")
}

func TestB176MalformedFramesAreLoggedAndDropped(t *testing.T) {
	for name, test := range map[string]struct{ frame, line string }{
		"unknown type":  {"\x05abc", "Invalid req package type 5"},
		"negative type": {"\x82abc", "Invalid req package type -126"},
		"too short":     {"\x00abcd", "Invalid cluster message (size=5)"},
		"size 0":        {"", "Invalid req package. size == 0"},
		"part":          {"\x02ab", "Invalid cluster multi part message"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := recordedServer(t, "")
			r := dialRaw(t, srv.addr)
			frame := append(binary.BigEndian.AppendUint16(nil, uint16(len(test.frame))), test.frame...)
			r.send(frame, asking(wire.NameAddr("@sdb"), 1, "echo", "later"))
			r.expect(1, true, pack("later"))
			srv.Log.Wait(t, test.line)
		})
	}
}

// The answers; TestB177RequestSizes has the requests.
func TestB177AnswerSizes(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	for size, frames := range map[int][]int{
		0x7fff:  {0x7fff + 5},
		0x8000:  {0x8000 + 5},
		0x8001:  {9, 0x8000 + 5, 1 + 5},
		0x10000: {9, 0x8000 + 5, 0x8000 + 5},
	} {
		r.send(asking(wire.NameAddr("@sdb"), 1, "big", size-3))
		for _, want := range frames {
			if frame, err := readFrame(r); err != nil || len(frame)-2 != want {
				t.Fatalf("answer of %#x bytes: a frame of %d bytes, %v; want %d", size, len(frame)-2, err, want)
			}
		}
	}
}

// Which of them is first is left to time; the record has 2, 3, 1.
func TestB179PushesBeforeTheNameIsKnown(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	h := srv.known[recordedSdb]
	r.send(pushing(wire.NameAddr("@sdb"), "note", "p1"), pushing(at(h), "note", "p2"), pushing(wire.NameAddr(".sdb"), "note", "p3"),
		asking(wire.NameAddr("@sdb"), 1, "notes")) // after p1, since both wait for the name
	frame, err := readFrame(r)
	if err != nil {
		t.Fatal(err)
	}
	notes := notesOf(frame[7:])
	if p2, p3 := slices.Index(notes, "p2"), slices.Index(notes, "p3"); len(notes) != 3 || p2 < 0 || p3 < p2 || !slices.Contains(notes, "p1") {
		t.Errorf("got %v", notes)
	}
}

func TestB187AgentOfAConnection(t *testing.T) {
	srv, addr, _ := server(t)
	one, two := dialRaw(t, addr), dialRaw(t, addr)
	for _, r := range []rawClient{one, two} {
		r.send(asking(wire.NameAddr("@sdb"), 1, "echo"))
		r.expect(1, true, nil)
		srv.Log.Wait(t, fmt.Sprintf("socket accept from %s", r.LocalAddr()))
	}
	eventually(t, "each has an agent", func() bool { return srv.Log.Count("LAUNCH snlua clusteragent ") == 2 })
	_ = one.Close()
	eventually(t, "one agent leaves", func() bool { return count(srv, "clusteragent") == 1 })
	two.send(asking(wire.NameAddr("@sdb"), 2, "echo"))
	two.expect(2, true, nil)
}

// A message of that depth kills real Skynet.
func TestB194DeepNesting(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	deep := bytes.Repeat([]byte{6 | 1<<3}, 200000)
	r.send(requestFrames(false, wire.NameAddr("@sdb"), 1, deep))
	r.expect(1, false, []byte("call failed"))
	r.send(asking(wire.NameAddr("@sdb"), 2, "echo", "alive"))
	r.expect(2, true, pack("alive"))
}
