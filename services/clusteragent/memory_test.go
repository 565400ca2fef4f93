package clusteragent_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service/socket"
)

// What requests without an answer take is given back when their link is lost.
func TestRequestBytesOfALostLink(t *testing.T) {
	n, addr := server(t, cluster.Table{"__maxnodebytes": 50_000})
	text := strings.Repeat("x", 20_000)
	for range 5 {
		p := connect(t, addr)
		p.call(1, "hold", text)
		p.call(2, "hold", text)
		p.call(3, "echo", 3)
		p.want(3, 3)
		_ = p.Close()
		for end := time.Now().Add(patience); len(socket.Info(n.Node)) > 1; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatal("the connection does not end")
			}
		}
		n.WaitIdle()
	}
}

// Answers that wait to be sent are not changed by those that come after them.
func TestAnswersThatWait(t *testing.T) {
	n, addr := server(t, nil)
	p := connect(t, addr)
	const count, size = 20, 1 << 20
	for session := uint32(1); session <= count; session++ {
		p.call(session, "big", size+int(session))
	}
	n.WaitIdle()
	for session := uint32(1); session <= count; session++ {
		p.call(100+session, "echo", int(session))
	}
	n.WaitIdle()
	sizes := make(map[uint32]uint32)
	for echoes, ends := 0, 0; echoes < count || ends < count; {
		r, err := p.frame()
		if err != nil {
			t.Fatal(err)
		}
		switch r.Kind {
		case wire.KindOK:
			echoes++
		case wire.KindBegin:
			sizes[r.Session] = r.Size
		case wire.KindEnd:
			ends++
		}
	}
	for session := uint32(1); session <= count; session++ {
		if got := sizes[session]; got < size+session || got > size+session+10 {
			t.Errorf("answer %d begins with %d bytes", session, got)
		}
	}
}
