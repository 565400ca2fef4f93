package cluster_test

import (
	"fmt"
	"testing"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
)

// The far side of a traced call. The last of two tags counts, as recorded in
// o_malformed_requests.
func TestB191TraceOnTheFarSide(t *testing.T) {
	srv := recordedServer(t, "")
	r := dialRaw(t, srv.addr)
	trace := func(tag string) []byte {
		frame, err := wire.AppendTrace(nil, tag)
		if err != nil {
			t.Fatal(err)
		}
		return frame
	}
	sdb := wire.NameAddr("@sdb")
	r.send(trace("one"), trace("two"), asking(sdb, 1, "echo"))
	r.expect(1, true, nil)
	r.send(trace("failing"), asking(sdb, 2, "fail"))
	r.expect(2, false, []byte("call failed"))
	r.send(asking(sdb, 3, "echo"))
	r.expect(3, true, nil)
	srv.WaitIdle()
	expectTrace(t, srv.Node, "one")
	expectTrace(t, srv.Node, "two", "tracecall begin", "request", "response", "end", "tracecall end")
	expectTrace(t, srv.Node, "failing", "tracecall begin", "request", "error")
	if got := srv.Log.Count("tracecall begin"); got != 2 {
		t.Errorf("%d requests were traced, not 2", got)
	}
}

// The sender's line for the node has the tag that goes over the wire.
func TestB191TagOfTheSender(t *testing.T) {
	srv := recordedServer(t, "")
	n := client(t, cluster.Table{"srv": srv.addr})
	var tag string
	n.Run(func(c *service.Context) error {
		c.Trace()
		tag = c.TraceTag()
		return calls("@sdb", "echo")(c)
	})
	n.WaitIdle()
	expectTrace(t, n, fmt.Sprintf("(%s-srv-2)%s", wire.NodeName(), tag), "cluster srv")
}
