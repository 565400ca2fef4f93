package cluster_test

import (
	"errors"
	"fmt"
	"iter"
	"net"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// clientReplay is a client of ours that makes the recorded calls to a peer.
type clientReplay struct {
	*nodetest.Node
	t            *testing.T
	tr           transcript
	peer, second *peer
	results      []result

	// anyOrder lets calls that run side by side end in any order.
	anyOrder bool
	// logs gives lines of the recorded client another text; "" for none.
	logs map[string]string
}

// result is what one call has given.
type result struct {
	label  string
	values lualike.Args
	err    error
}

// newClientReplay starts the node and the servers of a record.
func newClientReplay(t *testing.T, name string) *clientReplay {
	t.Helper()
	t.Parallel()
	tr := readTranscript(t, name)
	r := &clientReplay{t: t, tr: tr, peer: startPeer(t, tr.Wire), second: startPeer(t, tr.WireSecond)}
	r.Node = nodetest.Start(t, nodetest.Services(recordedBack()))
	// Skynet tries to connect for each use of a node.
	r.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"__backoff": 0}) })
	return r
}

// replayClient runs the calls of a record that begins with a reload.
func replayClient(t *testing.T, name string, calls func(r *clientReplay)) {
	t.Helper()
	r := newClientReplay(t, name)
	r.start()
	r.reload(r.peer)
	calls(r)
	r.finish()
}

func (r *clientReplay) start() {
	go r.peer.play()
	go r.second.play()
}

// finish ends the client and compares everything with the record.
func (r *clientReplay) finish() {
	r.t.Helper()
	r.WaitIdle()
	r.Stop()
	for _, p := range []*peer{r.peer, r.second} {
		if <-p.end; p.err != nil {
			r.t.Error(p.err)
		}
	}
	r.compareResults()
	r.compareLogs()
}

// run runs f as the recorded client service.
func (r *clientReplay) run(f func(c *service.Context)) {
	r.t.Helper()
	r.Run(func(c *service.Context) error { f(c); return nil })
}

// try runs f and keeps its result.
func (r *clientReplay) try(c *service.Context, label string, f func(c *service.Context) (lualike.Args, error)) {
	values, err := f(c)
	r.results = append(r.results, result{label, values, err})
}

// call is one call of the record, to node srv.
func (r *clientReplay) call(label string, addr any, args ...any) {
	r.t.Helper()
	r.run(func(c *service.Context) { r.callOn(c, label, addr, args...) })
}

func (r *clientReplay) callOn(c *service.Context, label string, addr any, args ...any) {
	r.try(c, label, func(c *service.Context) (lualike.Args, error) { return cluster.Call(c, "srv", addr, args...) })
}

// query is a name query of the record.
func (r *clientReplay) query(label, name string) {
	r.t.Helper()
	r.run(func(c *service.Context) {
		r.try(c, label, func(c *service.Context) (lualike.Args, error) {
			h, err := cluster.Query(c, "srv", name)
			return lualike.Args{h}, err
		})
	})
}

// push is a send of the record.
func (r *clientReplay) push(addr any, args ...any) (sent bool) {
	r.t.Helper()
	r.run(func(c *service.Context) { sent = r.pushOn(c, addr, args...) })
	return sent
}

// pushOn sends. To a node that is known to be down Skynet sends in silence;
// ours may say that it did not.
func (r *clientReplay) pushOn(c *service.Context, addr any, args ...any) (sent bool) {
	err := cluster.Send(c, "srv", addr, args...)
	if err != nil && !errors.Is(err, cluster.ErrNodeDown) && !errors.Is(err, cluster.ErrNodeUnknown) {
		r.t.Errorf("send %v: %v", args, err)
	}
	return err == nil
}

// together runs fs side by side, in the order of their first steps, until all
// have ended.
func (r *clientReplay) together(fs ...func(c *service.Context)) {
	r.t.Helper()
	done := make(chan struct{}, len(fs))
	r.run(func(c *service.Context) {
		for _, f := range fs {
			c.Fork(func(c *service.Context) { f(c); done <- struct{}{} })
		}
	})
	for range fs {
		<-done
	}
}

// calling gives a function for together that makes a call.
func (r *clientReplay) calling(label string, args ...any) func(c *service.Context) {
	return func(c *service.Context) { r.callOn(c, label, "@sdb", args...) }
}

// done is a result that says no more than that it came.
func (r *clientReplay) done(label string) {
	r.run(func(*service.Context) { r.results = append(r.results, result{label: label}) })
}

// reload names the peer in the node table, or turns the node off.
func (r *clientReplay) reload(p *peer) {
	r.t.Helper()
	table := cluster.Table{"srv": false}
	if p != nil {
		table["srv"] = p.listener.Addr().String()
	}
	r.Run(func(c *service.Context) error { return cluster.Reload(c, table) })
}

// lost waits until the client has seen that the peer closed a connection.
func (r *clientReplay) lost() {
	r.t.Helper()
	select {
	case <-r.peer.passed:
	case <-r.peer.end:
		r.t.Fatal(r.peer.err)
	}
	r.WaitIdle()
}

// refused waits until the peer has refused n connections and the client knows.
func (r *clientReplay) refused(n int32) {
	r.t.Helper()
	eventually(r.t, "the client sees that it was refused", func() bool {
		if r.peer.refused.Load() < n {
			return false
		}
		opened, _ := connections(r.Node)
		return opened == 0
	})
	r.WaitIdle()
}

// opened waits until the peer has accepted a connection.
func (r *clientReplay) opened(p *peer, id int) {
	r.t.Helper()
	for {
		select {
		case got := <-p.opened:
			if got == id {
				return
			}
		case <-p.end:
			r.t.Fatalf("connection %d did not come: %v", id, p.err)
		}
	}
}

func (r *clientReplay) compareResults() {
	r.t.Helper()
	recorded := make(map[string][]recorded)
	var order []string
	for _, want := range r.tr.Results {
		if want.Label != "" { // the others are steps
			recorded[want.Label] = append(recorded[want.Label], want)
			order = append(order, want.Label)
		}
	}
	for i, got := range r.results {
		if len(recorded[got.label]) == 0 {
			r.t.Errorf("result %q is not recorded", got.label)
			continue
		}
		want := recorded[got.label][0]
		recorded[got.label] = recorded[got.label][1:]
		if err := want.check(got.values, got.err); err != nil {
			r.t.Errorf("%s: %v", got.label, err)
		}
		if !r.anyOrder && order[i] != got.label {
			r.t.Errorf("%q ended as number %d, where %q did", got.label, i, order[i])
		}
	}
	for label, left := range recorded {
		if len(left) > 0 {
			r.t.Errorf("%d of %q were not made", len(left), label)
		}
	}
}

// check compares a result. Of an error the recorded caller saw only that it was
// one; ours says more.
func (want recorded) check(values lualike.Args, err error) error {
	switch {
	case want.OK && err != nil:
		return err
	case want.OK && !reflect.DeepEqual(notations(values), want.Values):
		return fmt.Errorf("got %v, want %v", notations(values), want.Values)
	case want.OK:
		return nil
	case err == nil:
		return fmt.Errorf("got %v, want an error", values)
	case strings.HasSuffix(want.Error, "call failed"):
		if !errors.Is(err, service.ErrCallFailed) && !errors.Is(err, cluster.ErrNodeDown) && !errors.Is(err, cluster.ErrNodeUnknown) {
			return fmt.Errorf("got error %w, want that the call failed", err)
		}
	case strings.Contains(want.Error, "dest address type (nil)"):
		if !errors.Is(err, cluster.ErrNodeDown) && !errors.Is(err, cluster.ErrNodeUnknown) {
			return fmt.Errorf("got error %w, want that there is no such node", err)
		}
	}
	return nil
}

var (
	logSource = regexp.MustCompile(`^\[:[0-9a-f]{8}\] `)
	logNumber = regexp.MustCompile(`(fd = |error on |WARNING: [1-9])\d+|(:)[0-9a-f]{8}\b`)
)

// compareLogs wants each line that the recorded client has logged, as often.
func (r *clientReplay) compareLogs() {
	r.t.Helper()
	var ours []string
	for _, line := range r.Log.Lines() {
		ours = append(ours, plain(line))
	}
	_, port, _ := net.SplitHostPort(r.peer.listener.Addr().String())
	known := strings.NewReplacer("<host><pid>", wire.NodeName(), "<proxy>", port)
	wanted := make(map[string]int)
	for _, l := range r.tr.ClientLog {
		wanted[plain(known.Replace(l.Line))]++
	}
	for line, n := range wanted {
		same := func(our string) bool { return our == line || strings.HasPrefix(our, line+": ") } // ours may say more
		other, differs := r.logs[line]
		if !differs {
			other, differs = linkLines[line]
		}
		if differs {
			line, n = other, 1
			same = func(our string) bool { return strings.Contains(our, line) }
		}
		if line == "" || notCompared.MatchString(line) {
			continue
		}
		got := 0
		for _, our := range ours {
			if same(our) {
				got++
			}
		}
		if got < n {
			r.t.Errorf("%q was logged %d times instead of %d", line, got, n)
		}
	}
}

// linkLines are what ours logs once for a connection that is lost, where Skynet
// has a line for each call.
var linkLines = map[string]string{
	"[Error: socket]": "is down : [Error: socket]",
	"socket: error on N Connection reset by peer": "", // in the line above
}

// notCompared are the lines that only Lua or the recorded program makes.
var notCompared = regexp.MustCompile(`^(LAUNCH snlua (t_client|clusterd|clusteragent|b_svc)|lua call|stack traceback|\t|<TRACE|TRACE)`)

// plain is a log line without its source, positions and numbers that vary.
func plain(line string) string {
	line = position.ReplaceAllString(logSource.ReplaceAllString(line, ""), "")
	return logNumber.ReplaceAllString(line, "${1}${2}N")
}

// byLabel gives sizes with their labels, in order.
func byLabel(format string, sizes ...int) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for _, n := range sizes {
			if !yield(fmt.Sprintf(format, n), n) {
				return
			}
		}
	}
}
