package cluster_test

import "testing"

func TestReplayClientMFalseThenOtherPort(t *testing.T) {
	r := newClientReplay(t, "m_false_then_other_port")
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
