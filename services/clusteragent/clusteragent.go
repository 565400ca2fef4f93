// Package clusteragent is the service behind one connection that another node
// has opened (service/clusteragent.lua): it reads that node's requests, calls
// the services they name and writes the answers. What the other node may take of
// this one is limited by the settings of the node table; whoever goes beyond
// them loses the connection, or gets an error where that is enough.
package clusteragent

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/internal/freelist"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// Definition returns the definition of the service. Its arguments are the
// handles of clusterd and the gate, and the socket.
func Definition() *service.Definition { return service.Def("clusteragent", start, service.Inline) }

// inputWindow is how much may wait in the mailbox, and handledEvery how much of
// it is reported at once.
const (
	inputWindow  = 1 << 20
	handledEvery = inputWindow / 4
)

type agent struct {
	clusterd service.Handle
	fd       socket.FD
	settings cluster.Settings
	names    names
	large    large
	totals   *totals
	progress *count // a new one from each drain on
	taken    int    // payload of requests without an answer
	tag      string // of the trace frame that came last, for the request behind it
	first    *service.Timer
	bad      int    // malformed frames
	refused  int    // requests, for MaxRequests
	unpacked int    // answers, which can not be packed
	handled  int    // input that has not been reported
	written  int    // bytes since the output was looked at
	buffer   []byte // of small answers, which the socket does not keep; larger ones outgrow it
	deaf     bool   // takes no more frames
	spare    freelist.List[request]
	pushes   []service.Message
	pushed   service.Handle // whom these are for
}

func start(c *service.Context, args ...any) error {
	a := &agent{progress: new(count), buffer: make([]byte, 0, socket.GatherSize)}
	var g service.Handle
	var err error
	if len(args) != 3 {
		return fmt.Errorf("clusteragent wants clusterd, gate and socket, not %d arguments", len(args))
	}
	if a.clusterd, err = lualike.As[service.Handle](args[0]); err != nil {
		return err
	}
	if g, err = lualike.As[service.Handle](args[1]); err != nil {
		return err
	}
	if a.fd, err = lualike.As[socket.FD](args[2]); err != nil {
		return err
	}
	if a.settings, err = cluster.OptionsCmd.Call(c, a.clusterd, nil); err != nil {
		return err
	}
	a.names.reset()
	a.totals = totalsOf(c.Node())
	a.large = large{bySession: make(map[uint32]*largeRequest), total: &a.totals.parts}
	c.AtServiceEnd(func() {
		a.large.clear()
		a.take(-a.taken) // answers do not come any more
		a.totals.output.note(c, a.fd, socket.Pending(c, a.fd), a.settings.MaxNodeBytes)
		_ = socket.Close(c, a.fd) // what is written goes out; calls without an answer fail at the other node
	})
	c.Dispatch(service.PTypeClient, a.input)
	c.Handle("exit", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
	c.Handle("namechange", service.P0(func(*service.Context) error { a.names.reset(); return nil }))
	c.HandleUnknown(func(c *service.Context, cmd string, _ lualike.Args) (lualike.Args, error) {
		c.Logf("Invalid command %s from %s", cmd, c.Message().Source)
		return nil, nil
	})
	c.OnStop(a.stop)
	if d := a.settings.FirstFrame; d > 0 {
		a.first = c.Timeout(d, func(c *service.Context) { a.hangUp(c, "it has sent nothing in %v", d) })
	}
	// The connection may be gone by now; then clusterd sends exit.
	_ = socket.Window(c, a.fd, inputWindow)
	_ = socket.Join(c, a.fd)
	_, _ = c.Call(g, gate.CmdForward, int64(a.fd))
	return nil
}

// input takes what has come on the connection.
func (a *agent) input(c *service.Context, m service.Message) {
	defer a.push(c)
	switch d := m.Data.(type) {
	case []byte:
		a.handled += len(d) + socket.FrameCost
		a.frame(c, d)
	case *socket.Bundle:
		a.handled += d.Cost()
		d.Each(c, a.frame)
	}
	a.letIn(c)
}

// frame takes one frame. No request waits for another one, so answers leave in the
// order in which the handlers finish.
func (a *agent) frame(c *service.Context, b []byte) {
	if a.deaf {
		return
	}
	if a.first != nil {
		a.first.Cancel()
		a.first = nil
	}
	r, err := wire.ParseRequest(b)
	if err == nil && r.Kind == wire.KindTrace {
		a.tag, err = traceTag(r.Payload)
	}
	if err != nil {
		a.bad++
		logSome(c, a.bad, err.Error())
		return
	}
	switch r.Kind {
	case wire.KindRequest:
		a.request(c, r, a.takeTag())
	case wire.KindBegin:
		a.begin(c, r)
	case wire.KindPart, wire.KindEnd:
		l := a.part(c, r)
		socket.Recycle(b) // what is in it was copied
		runtime.Gosched() // copying takes its time, and others may have little to do
		if l != nil {
			a.request(c, l.begin, l.tag)
		}
	}
}

// letIn reports what has been handled, so that more may come.
func (a *agent) letIn(c *service.Context) {
	if a.handled > handledEvery {
		_ = socket.Handled(c, a.fd, a.handled)
		a.handled = 0
	}
}

var errTraceTag = errors.New("Invalid trace tag") //nolint:staticcheck // in the form of Skynet's texts for frames

// traceTag reads a tag, which will stand in the log. Skynet's are of these
// characters, and short.
func traceTag(b []byte) (string, error) {
	const longest = 512
	for _, ch := range b {
		if ch <= ' ' || ch > '~' || len(b) > longest {
			return "", errTraceTag
		}
	}
	return string(b), nil
}

func (a *agent) takeTag() string {
	tag := a.tag
	a.tag = ""
	return tag
}

// hangUp ends a connection whose other side takes too much. What waits to be
// sent is dropped: it may be what there is too much of.
func (a *agent) hangUp(c *service.Context, format string, args ...any) {
	if a.deaf {
		return
	}
	a.deaf = true
	peer := ""
	for _, s := range socket.Info(c.Node()) {
		if s.FD == a.fd {
			peer = s.Peer
		}
	}
	c.Logf("Close link from %s: %s", peer, fmt.Sprintf(format, args...))
	a.large.clear()
	_ = socket.Shutdown(c, a.fd)
}

// stop ends the agent when the node stops: once the requests that are in
// progress now have been answered. Until then it serves new ones; then these are
// waited for too, but no more are taken. What is not answered in time fails when
// the connection ends.
func (a *agent) stop(c *service.Context) {
	began := c.Now()
	a.drain(c, began)
	a.deaf = true
	a.drain(c, began)
	c.Exit()
}

func (a *agent) drain(c *service.Context, began time.Duration) {
	before := a.progress
	a.progress = new(count)
	limit := c.Node().Config().StopTimeout
	for before.n > 0 && c.Now()-began < limit {
		_ = c.Sleep(limit-(c.Now()-began), before)
	}
}

// logSome logs the first lines of a kind, then only when their number doubles:
// another node must not be able to fill the log.
func logSome(c *service.Context, n int, text string) {
	const all = 10
	switch {
	case n <= all:
		c.Error(text)
	case n&(n-1) == 0:
		c.Logf("%s (%d of the kind)", text, n)
	}
}
