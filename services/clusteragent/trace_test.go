package clusteragent_test

import (
	"strings"
	"testing"

	"github.com/skynetgo/skynet/cluster/wire"
)

func (p *peer) trace(tag string) {
	p.t.Helper()
	frame, err := wire.AppendTrace(nil, tag)
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(frame)
}

// A tag is for the request behind it, small or large, and no other.
func TestTraceTagIsForOneRequest(t *testing.T) {
	n, addr := server(t, nil)
	p := connect(t, addr)
	p.trace("lost")
	p.trace("small")
	p.call(1, "echo", 1)
	p.want(1, 1)
	p.call(2, "echo", 2)
	p.want(2, 2)
	p.trace("large")
	frames := message(t, 3, "len", strings.Repeat("x", 40_000))
	p.send(frames[0])
	p.call(4, "echo", 4) // between begin and parts
	p.want(4, 4)
	p.send(frames[1])
	p.send(frames[2])
	p.want(3, 40_000)
	n.WaitIdle()
	for tag, lines := range map[string]int{"lost": 0, "small": 5, "large": 5, "": 10} {
		if got := n.Log.Count("<TRACE " + tag); got != lines {
			t.Errorf("%d lines for the tag %q, want %d", got, tag, lines)
		}
	}
}

// What comes from another node cannot make lines of its own in the log.
func TestTraceTagIsChecked(t *testing.T) {
	n, addr := server(t, nil)
	p := connect(t, addr)
	for i, tag := range []string{"a\n[:00000001] false", "a b", "ä", "a\x7f", strings.Repeat("x", 513)} {
		p.trace(tag)
		p.call(uint32(i+1), "echo", i)
		p.want(uint32(i+1), i)
	}
	n.WaitIdle()
	if got := n.Log.Count("<TRACE"); got != 0 {
		t.Errorf("%d lines of traces", got)
	}
	if got := n.Log.Count("Invalid trace tag"); got != 5 {
		t.Errorf("%d tags were refused", got)
	}
}
