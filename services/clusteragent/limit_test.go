package clusteragent_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// closed waits for the one line about a connection that was ended.
func closed(p *peer, line, text string) {
	p.t.Helper()
	if want := fmt.Sprintf("Close link from %s: %s", p.LocalAddr(), text); !strings.HasSuffix(line, want) {
		p.t.Errorf("logged %q, want %q", line, want)
	}
}

// tooLarge is the error answer to a message that is.
func tooLarge(size, limit int) string {
	return fmt.Sprintf("error cluster: message too large: %d bytes, the limit is %d", size, limit)
}

// Who passes one of these limits loses the connection, and nobody else does.
func TestLinkIsClosed(t *testing.T) {
	const part = wire.PartSize
	for name, tt := range map[string]struct {
		table cluster.Table
		send  func(p *peer)
		text  string
	}{
		"unfinished messages": {cluster.Table{"__maxparts": 3},
			func(p *peer) {
				for session := range uint32(4) {
					p.unfinished(session+1, 1<<20)
				}
			}, "4 messages are unfinished"},
		"parts without a begin": {cluster.Table{"__maxparts": 3},
			func(p *peer) {
				for session := range uint32(4) {
					p.send(wire.AppendPart(nil, session+1, make([]byte, 2*part), 0))
				}
			}, "4 messages are unfinished"},
		"their bytes": {cluster.Table{"__maxpartbytes": 3*part + 1},
			func(p *peer) {
				for session := range uint32(4) {
					p.unfinished(session+1, 2*part)
				}
			}, fmt.Sprintf("its unfinished messages take %d bytes", 4*part)},
		"nothing sent": {cluster.Table{"__firstframe": 0.05}, func(*peer) {}, "it has sent nothing in 50ms"},
	} {
		t.Run(name, func(t *testing.T) {
			n, addr := server(t, tt.table)
			p := connect(t, addr)
			tt.send(p)
			p.wantEnd()
			closed(p, n.Log.Wait(t, "Close link"), tt.text)
			other := connect(t, addr)
			other.call(1, "echo", 5)
			other.want(1, 5)
			n.WaitIdle()
			if c := n.Log.Count("Close link"); c != 1 {
				t.Errorf("%d lines about one link", c)
			}
		})
	}
}

// A connection that has sent something may be silent as long as it likes.
func TestFirstFrameIsEnough(t *testing.T) {
	n, addr := server(t, cluster.Table{"__firstframe": 0.5})
	p := connect(t, addr)
	p.call(1, "echo", 1)
	p.want(1, 1)
	silent := connect(t, addr)
	silent.wantEnd() // so the time is over for both
	n.Log.Wait(t, "Close link")
	p.call(2, "echo", 2)
	p.want(2, 2)
}

// The bytes of all connections count together, until they end.
func TestNodeBytes(t *testing.T) {
	n, addr := server(t, cluster.Table{"__maxnodebytes": 10 * wire.PartSize})
	fill := func(p *peer, parts uint32) {
		for session := range parts {
			p.unfinished(session+1, 2*wire.PartSize)
		}
		p.call(100, "echo", "all taken")
	}
	first := connect(t, addr)
	fill(first, 3)
	first.want(100, "all taken")
	second := connect(t, addr)
	fill(second, 3)
	second.wantEnd()
	closed(second, n.Log.Wait(t, "Close link"), fmt.Sprintf("unfinished messages take %d bytes of the node", 12*wire.PartSize))
	third := connect(t, addr)
	fill(third, 2)
	third.want(100, "all taken")
	_ = first.Close()
	_ = third.Close()
	for end := time.Now().Add(patience); len(socket.Info(n.Node)) > 1; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("the connections do not end")
		}
	}
	n.WaitIdle()
	fourth := connect(t, addr)
	fill(fourth, 5)
	fourth.want(100, "all taken")
}

// A message that is finished, refused, spoiled or given up takes nothing any more.
func TestFinishedTakesNothing(t *testing.T) {
	_, addr := server(t, cluster.Table{"__maxparts": 1, "__maxpartbytes": 4 * wire.PartSize})
	p := connect(t, addr)
	text := strings.Repeat("x", 3*wire.PartSize)
	for session := uint32(1); session < 100; session += 4 {
		p.call(session, "len", text)
		p.want(session, len(text))

		huge := unfinished(session+1, 5*wire.PartSize) // more than could ever come
		p.send(huge)
		p.want(session+1, tooLarge(5*wire.PartSize, 4*wire.PartSize))
		p.send(wire.AppendPart(nil, session+1, make([]byte, wire.PartSize), 0)) // its end: no second answer

		p.unfinished(session+2, 3*wire.PartSize)
		p.unfinished(session+2, 3*wire.PartSize) // a second begin
		p.send(wire.AppendPart(nil, session+2, make([]byte, 1), 0))
		p.want(session+2, "error "+cluster.TextInvalidLarge)

		p.unfinished(session+3, wire.PartSize-1) // more than announced
		p.send(wire.AppendPart(nil, session+3, make([]byte, 1), 0))
		p.want(session+3, "error "+cluster.TextInvalidLarge)
	}
}

// What a peer is told, while the connection stays.
func TestRequestIsRefused(t *testing.T) {
	n, addr := server(t, cluster.Table{"__maxmessage": 1000, "__maxrequests": 2})
	p := connect(t, addr)
	text := strings.Repeat("x", 999)
	p.call(1, "len", text)
	p.want(1, tooLarge(1006, 1000))
	p.call(2, "big", 999)
	p.want(2, tooLarge(1002, 1000))
	p.call(3, "big", 900)
	p.want(3, strings.Repeat("x", 900))

	p.call(4, "hold")
	p.call(5, "hold")
	for session := uint32(6); session < 106; session++ {
		p.call(session, "echo", 1)
		p.want(session, "error actor: overload: the limit is 2 requests in progress")
	}
	n.WaitIdle()
	// 1 to 10, 16, 32, 64.
	if lines := n.Log.Count("Too many requests in progress"); lines != 13 {
		t.Errorf("%d lines for 100 refused requests", lines)
	}
	other := connect(t, addr)
	other.call(1, "release")
	other.want(1, nil)
	p.want(4, "released")
	p.want(5, "released")
	p.call(7, "echo", 7)
	p.want(7, 7)
}

// Large messages that follow each other closely do not add up to too much.
func TestFinishedMakesRoom(t *testing.T) {
	const size = 16 << 20
	n, addr := server(t, cluster.Table{"__maxpartbytes": size + 1<<10, "__maxnodebytes": size + 2<<20})
	p := connect(t, addr)
	payload, err := lualike.Pack("len", strings.Repeat("x", size))
	if err != nil {
		t.Fatal(err)
	}
	push, parts, err := wire.AppendPush(nil, wire.NameAddr("@sdb"), 1, payload)
	if err != nil {
		t.Fatal(err)
	}
	for i := range parts {
		push = append(push, wire.AppendPart(nil, 1, payload, i)...)
	}
	for range 10 {
		p.send(push)
	}
	p.call(2, "echo", 2)
	p.want(2, 2)
	n.WaitIdle()
}

// The payload of requests without an answer is limited for the whole node.
func TestRequestBytes(t *testing.T) {
	n, addr := server(t, cluster.Table{"__maxnodebytes": 50_000})
	text := strings.Repeat("x", 20_000)
	first, second := connect(t, addr), connect(t, addr)
	for session := uint32(1); session < 20; session += 3 {
		first.call(session, "hold", text)
		first.call(session+1, "echo", 1)
		first.want(session+1, 1)
		n.WaitIdle() // a request counts until after its answer is written
		second.call(session, "hold", text)
		second.call(session+1, "len", text)
		second.want(session+1, "error actor: overload: requests in progress would take 60023 bytes of the node")
		second.call(session+2, "release")
		first.want(session, "released")
		for range 2 { // in either order
			if r, err := second.frame(); err != nil || r.Kind != wire.KindOK {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		n.WaitIdle()
	}
}

// What waits to be sent is limited for the whole node.
func TestNodeOutput(t *testing.T) {
	n, addr := server(t, cluster.Table{"__maxoutput": 16 << 20, "__maxnodebytes": 24 << 20})
	for range 6 {
		p := connect(t, addr)
		for session := range uint32(20) { // 10 MiB, more than the system takes
			p.call(session+1, "big", 1<<19)
		}
	}
	line := n.Log.Wait(t, "Close link")
	if !strings.HasSuffix(line, "bytes wait to be sent on all connections") {
		t.Error(line)
	}
}

// What has been sent does not count any more, even if its connection is idle
// since.
func TestNodeOutputIsWhatWaits(t *testing.T) {
	n, addr := server(t, cluster.Table{"__maxnodebytes": 1 << 20})
	for range 10 {
		p := connect(t, addr)
		p.call(1, "big", 1<<19)
		for kind := wire.KindBegin; kind != wire.KindEnd; {
			r, err := p.frame()
			if err != nil {
				t.Fatal(err)
			}
			kind = r.Kind
		}
	}
	if lines := n.Log.Count("Close link"); lines != 0 {
		t.Errorf("%d connections were closed", lines)
	}
}

// A peer that asks and does not read is not kept for ever.
func TestOutputLimit(t *testing.T) {
	n, addr := server(t, cluster.Table{"__maxoutput": 1 << 20})
	p := connect(t, addr)
	for session := range uint32(200) { // 100 MiB, more than the system takes
		p.call(session+1, "big", 1<<19)
	}
	line := n.Log.Wait(t, "Close link")
	if !strings.Contains(line, p.LocalAddr().String()) || !strings.HasSuffix(line, "bytes wait to be sent") {
		t.Error(line)
	}
}

// Nobody waits for ever for a message that does not go on.
func TestPartAge(t *testing.T) {
	n, addr := server(t, cluster.Table{"__partage": 0.05})
	p := connect(t, addr)
	for session := range uint32(3) {
		p.unfinished(session+1, 1<<20)
	}
	for range 3 {
		r, err := p.frame()
		if err != nil || r.Kind != wire.KindError || string(r.Payload) != cluster.TextInvalidLarge {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	n.Log.Wait(t, "messages, no part of them came in 50ms")
	p.call(4, "len", strings.Repeat("x", 100_000))
	p.want(4, 100_000)
}

// A stranger cannot fill the log.
func TestMalformedFramesAreLoggedSometimes(t *testing.T) {
	n, addr := server(t, nil)
	p := connect(t, addr)
	for range 1000 {
		p.send([]byte{0, 1, 5})
	}
	p.call(1, "echo", 1)
	p.want(1, 1)
	n.WaitIdle()
	// 1 to 10, 16, 32, … 512.
	if lines := n.Log.Count("Invalid req package type 5"); lines != 16 {
		t.Errorf("%d lines for 1000 malformed frames", lines)
	}
	n.Log.Wait(t, "Invalid req package type 5 (512 of the kind)")
}

func TestAllow(t *testing.T) {
	n, addr := server(t, cluster.Table{"__allow": "10.0.0.0/8 ::1"})
	p := connect(t, addr)
	p.wantEnd()
	n.Log.Wait(t, fmt.Sprintf("Refused %s, which is not allowed to connect (1 so far)", p.LocalAddr()))
	_, addr = server(t, cluster.Table{"__allow": "10.0.0.0/8, 127.0.0.1"})
	p = connect(t, addr)
	p.call(1, "echo", 1)
	p.want(1, 1)
}

// Who sends faster than the agent works has to wait: no more stands in the
// agent's mailbox than its window allows.
func TestFloodWaits(t *testing.T) {
	const window = 1 << 20 / (1 + socket.FrameCost) // frames of one byte
	held, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	defer release()
	hold := func(m actor.Message) (actor.Message, error) {
		if b, ok := m.Data.([]byte); ok && m.Type == service.PTypeLua && bytes.Contains(b, []byte("hold the agent")) {
			close(held)
			<-released
		}
		return service.Isolate(m)
	}
	n, addr := server(t, nil, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.Isolate = hold }))
	p := connect(t, addr)
	p.call(1, "echo", "hold the agent")
	<-held
	p.send(bytes.Repeat([]byte{0, 1, 5}, 3*window))
	stands := func() (frames int) {
		for _, s := range n.Services() {
			if s.Name() == "clusteragent" {
				frames = s.Stat().Mailbox
			}
		}
		return frames
	}
	for end := time.Now().Add(patience); stands() < window-10; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d frames stand in the mailbox", stands())
		}
	}
	for range 1000 {
		runtime.Gosched()
	}
	if frames := stands(); frames > window+1 {
		t.Errorf("%d frames stand in the mailbox", frames)
	}
	release()
	p.want(1, "hold the agent")
	p.call(2, "echo", 2)
	p.want(2, 2)
}

// The memory attack: 3,000 unfinished messages, 94 MiB of parts.
func TestMemoryAttack(t *testing.T) {
	const slack = 16 << 20
	limit := cluster.DefaultSettings().MaxPartBytes
	n, addr := server(t, nil)
	p := connect(t, addr)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for session := range uint32(3000) {
		if _, err := p.Write(unfinished(session+1, 1<<20)); err != nil {
			break // closed before all of it was sent
		}
		if session%500 == 499 {
			if grown := int64(heap()) - int64(before); grown > int64(limit+slack) {
				t.Errorf("the heap has grown by %d MiB", grown>>20)
			}
		}
	}
	closed(p, n.Log.Wait(t, "Close link"), fmt.Sprintf("its unfinished messages take %d bytes", 65<<20))
	n.WaitIdle()
	if grown := int64(heap()) - int64(before); grown > slack {
		t.Errorf("the heap has grown by %d MiB after the link was closed", grown>>20)
	}
}
