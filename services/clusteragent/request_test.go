package clusteragent_test

import (
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
)

// The handler has returned without an error, and the caller sees no more than
// "call failed": only the log can say why, which another node must not fill.
func TestAnswerThatCannotBePackedIsLogged(t *testing.T) {
	n, addr := server(t, cluster.Table{}, nodetest.Isolate(false)) // or the handler's service would log it
	p := connect(t, addr)
	const text = "answer of @sdb: argument 1: chan int cannot be packed"
	for session := range uint32(16) {
		p.call(session+1, "channel")
		p.want(session+1, "error call failed")
	}
	n.Log.Wait(t, text+" (16 of the kind)")
	if lines := n.Log.Count(text); lines != 11 {
		t.Errorf("%d lines, want the first 10 and the 16th", lines)
	}
}

// panicking is a value that can not be packed.
type panicking struct{}

func (*panicking) MarshalMsg([]byte) ([]byte, error)   { panic("at packing") }
func (*panicking) UnmarshalMsg([]byte) ([]byte, error) { panic("at unpacking") }

// A value that panics when it is packed is an answer all the same, and the link
// goes on.
func TestPackingPanics(t *testing.T) {
	n, addr := server(t, nil)
	p := connect(t, addr)
	p.call(1, "panicking")
	p.want(1, "error "+cluster.TextCallFailed)
	p.trace("tag") // has a coroutine of its own
	p.call(2, "panicking")
	p.want(2, "error "+cluster.TextCallFailed)
	p.call(3, "echo", "hello")
	p.want(3, "hello")
	n.Log.Wait(t, "at packing")
}
