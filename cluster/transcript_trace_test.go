package cluster_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// The tag of a trace frame, of which host, process and the caller's handle vary.
var traceTag = regexp.MustCompile(`^\([\w.]+?(-srv-\d+\)):[0-9a-f]{8}(-\d+)$`)

func TestReplayClientITrace(t *testing.T) {
	r := newClientReplay(t, "i_trace")
	r.peer.same = func(w wireEvent, frame []byte) bool {
		const typeTrace = 4
		if want := w.head(); want[2] == typeTrace && len(frame) > 2 && frame[2] == typeTrace {
			return traceTag.ReplaceAllString(string(want[3:]), "$1$2") == traceTag.ReplaceAllString(string(frame[3:]), "$1$2")
		}
		return w.same(frame)
	}
	r.start()
	r.reload(r.peer)
	var tag string
	r.run(func(c *service.Context) { // one coroutine, which is what is traced
		r.callOn(c, "no trace", "@sdb", "echo", 1)
		c.Trace("first")
		tag = c.TraceTag()
		if tag != c.Self().String()+"-1" {
			t.Errorf("the tag is %q", tag)
		}
		r.results = append(r.results, result{"tag", lualike.Args{":00000008-1"}, nil})
		r.callOn(c, "traced call", "@sdb", "echo", 2)
		r.callOn(c, "traced large call", "@sdb", "len", payload(40000, "A"))
		r.callOn(c, "traced failing call", "@sdb", "fail", "traced boom")
		r.pushOn(c, "@sdb", "note", "traced push")
		r.callOn(c, "notes", "@sdb", "notes")
	})
	r.finish()
	for n := 3; n <= 6; n++ { // one more than the session; none for the push
		far := fmt.Sprintf("(%s-srv-%d)%s", wire.NodeName(), n, tag)
		expectTrace(t, r.Node, tag, "session "+far)
	}
}

// expectTrace wants lines of a traced service, in that order.
func expectTrace(t *testing.T, n *nodetest.Node, tag string, texts ...string) {
	t.Helper()
	line := regexp.MustCompile(`^\[:[0-9a-f]{8}\] <TRACE ` + regexp.QuoteMeta(tag) + `> \d+ (.*)$`)
	var got []string
	for _, l := range n.Log.Lines() {
		if m := line.FindStringSubmatch(l); m != nil && slices.Contains(texts, m[1]) {
			got = append(got, m[1])
		}
	}
	if !slices.Equal(got, texts) {
		t.Errorf("trace %s: got %q, want %q in\n%s", tag, got, texts, strings.Join(n.Log.Lines(), "\n"))
	}
}

// What agent and service log of traced requests; a request that is not traced,
// and a push, are not.
func TestReplayServerITrace(t *testing.T) {
	s := newServerReplay(t)
	tr := readTranscript(t, "i_trace")
	s.play(tr)
	var recorded []string
	for _, l := range tr.ServerLog {
		recorded = append(recorded, l.Line)
	}
	want := traceLines(recorded)
	if len(want) != 18 {
		t.Fatalf("the record has %d lines:\n%s", len(want), strings.Join(want, "\n"))
	}
	s.srv.WaitIdle()
	if got := traceLines(s.srv.Log.Lines()); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var traceLine = regexp.MustCompile(`^\[(:[0-9a-f]{8})\] <TRACE \([^)]*-(srv-\d+\)\S*)> \d+ (.*)$`)

// traceLines are the lines of traced calls in a log, without host and time, those
// of each service together: what several do at once is logged in any order. The
// services bear numbers in the order of their first line.
func traceLines(lines []string) []string {
	var services, out []string
	for _, line := range lines {
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if !slices.Contains(services, m[1]) {
			services = append(services, m[1])
		}
		out = append(out, fmt.Sprintf("%d %s %s", slices.Index(services, m[1]), m[2], m[3]))
	}
	slices.SortStableFunc(out, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
	return out
}
