package cluster_test

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
)

func TestReplayClientMFalseThenOtherPort(t *testing.T) {
	r := newClientReplay(t, "m_false_then_other_port")
	withoutRefused(r.tr.WireSecond, 1)
	r.logs = off
	r.start()
	r.reload(r.peer)
	r.call("up", "@sdb", "echo", 1)
	r.reload(nil)
	r.Log.Wait(t, "Close cluster sender")
	r.call("off", "@sdb", "echo", 2)
	r.reload(r.second)
	r.call("at once", "@sdb", "echo", 3)
	r.call("again", "@sdb", "echo", 4)
	r.query("query", "sdb")
	r.finish()
}

// off is what ours logs of a call to a node that is turned off: its error.
var off = map[string]string{"assertion failed!": ""}

func TestReplayClientMNodeFalse(t *testing.T) {
	r := newClientReplay(t, "m_node_false")
	withoutRefused(r.tr.Wire[4:], 2) // the second connection
	r.logs = off
	r.start()
	r.reload(r.peer)
	r.call("up", "@sdb", "echo", 1)
	r.reload(nil)
	r.done("off")
	r.Log.Wait(t, "Close cluster sender")
	r.call("call while off", "@sdb", "echo", 2)
	r.push("@sdb", "note", "off")
	r.done("send while off")
	r.call("call while off 2", "@sdb", "echo", 3)
	r.reload(r.peer)
	r.done("on again")
	r.opened(r.peer, 2)
	r.call("call", "@sdb", "echo", 4)
	r.call("notes", "@sdb", "notes")
	r.finish()
}

// withoutRefused takes n from the sessions of frames: in Skynet a call to a node
// that is turned off has used up a number, here it does not come so far.
func withoutRefused(events []wireEvent, n uint32) {
	for i, w := range events {
		b := unhex(w.Hex)
		at := 2
		switch {
		case w.Dir == "":
			continue
		case w.Dir == "c2s" && b[2] == 0:
			at = 7
		case w.Dir == "c2s":
			at = 4 + int(b[3])
		}
		binary.LittleEndian.PutUint32(b[at:], binary.LittleEndian.Uint32(b[at:])-n)
		events[i].Hex = hex.EncodeToString(b)
	}
}
