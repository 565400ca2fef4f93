package clusteragent

import (
	"errors"
	"fmt"
	"strings"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// request is one that is in progress.
type request struct {
	wire.Request
	agent    *agent
	progress *count
	size     int
	tag      string                                          // that it is traced under, or ""
	then     func(c *service.Context, answer any, err error) // answered
}

// newRequest returns one for the caller to fill in.
func (a *agent) newRequest() *request {
	q := a.spare.Take()
	if q == nil {
		q = &request{agent: a}
		q.then = q.answered
	}
	return q
}

// done ends the request, which is not used any more.
func (q *request) done(c *service.Context) {
	a := q.agent
	a.done(c, q.progress, q.Push, q.size)
	*q = request{agent: a, then: q.then}
	a.spare.Give(q)
}

// request calls, or sends to, the service that r names.
func (a *agent) request(c *service.Context, r wire.Request, tag string) {
	size := len(r.Payload)
	if !a.admit(c, r, size) {
		return
	}
	known := tag == "" && a.knows(r.Addr)
	if known && r.Push {
		a.gather(c, r)
		a.done(c, a.progress, r.Push, size)
		return
	}
	q := a.newRequest()
	q.Request, q.progress, q.size, q.tag = r, a.progress, size, tag
	a.push(c)
	if known {
		q.pass(c)
	} else {
		c.Fork(q.serve)
	}
}

// gather takes a push, which goes to its service with those that come next.
func (a *agent) gather(c *service.Context, r wire.Request) {
	to, err := a.resolve(c, r.Addr)
	if err != nil {
		return
	}
	if to != a.pushed {
		a.push(c)
		a.pushed = to
	}
	a.pushes = append(a.pushes, service.Message{Type: service.PTypeLua, Data: r.Payload})
}

// push sends what was gathered.
func (a *agent) push(c *service.Context) {
	if len(a.pushes) > 0 {
		_ = c.RawSendAll(a.pushed, a.pushes)
		clear(a.pushes)
		a.pushes = a.pushes[:0]
	}
}

// pass passes the request on; it does not block.
func (q *request) pass(c *service.Context) {
	to, ok := q.agent.target(c, q.Request)
	if !ok {
		q.done(c)
		return
	}
	payload := q.Payload
	q.Payload = nil // is not to stay as long as the answer is waited for
	// The caller on the other node has a deadline of its own.
	if err := c.RawCallThen(to, service.PTypeLua, payload, service.Forever, q.then); err != nil {
		q.answered(c, nil, err)
	}
}

func (q *request) answered(c *service.Context, answer any, err error) {
	defer q.done(c)
	q.reply(c, answer, err)
}

// serve is pass for a request of which something has to be found out first; it
// may block.
func (q *request) serve(c *service.Context) {
	defer q.done(c)
	a := q.agent
	if !q.Addr.ByName() && q.Addr.Handle == 0 {
		a.query(c, q.Request)
		return
	}
	to, ok := a.target(c, q.Request)
	if !ok {
		return
	}
	c = c.WithTimeout(service.Forever)
	var answer any
	var err error
	if q.tag == "" {
		answer, err = c.RawCall(to, service.PTypeLua, q.Payload)
	} else {
		answer, err = c.TraceCall(q.tag, to, service.PTypeLua, q.Payload)
	}
	q.reply(c, answer, err)
}

// target returns whom to call; false when there is nobody, or when it was a push,
// which is sent.
func (a *agent) target(c *service.Context, r wire.Request) (service.Handle, bool) {
	to, err := a.resolve(c, r.Addr)
	switch {
	case err == nil && !r.Push:
		return to, true
	case err == nil:
		_ = c.RawSend(to, service.PTypeLua, r.Payload)
	case !r.Push || wire.IsName(r.Addr.Name):
		a.fail(c, r.Session, errorText(err))
	}
	return 0, false
}

func (q *request) reply(c *service.Context, answer any, err error) {
	var packed []byte
	var more [][]byte
	if err == nil {
		if packed, more, err = q.pack(c, answer); err != nil {
			q.agent.unpacked++ // nobody else is told why: the caller gets "call failed"
			logSome(c, q.agent.unpacked, fmt.Sprintf("answer of %s: %v", q.Addr, err))
		}
	}
	if err != nil {
		q.agent.fail(c, q.Session, errorText(err))
		return
	}
	q.agent.answer(c, q.Session, packed, more)
}

// pack is service.PackPieces. The other node has an answer even when a value that
// packs itself panics.
func (q *request) pack(c *service.Context, answer any) (packed []byte, more [][]byte, err error) {
	done := false
	defer func() {
		if !done {
			q.agent.fail(c, q.Session, cluster.TextCallFailed)
		}
	}()
	packed, more, err = service.PackPieces(answer)
	done = true
	return packed, more, err
}

// knows reports whether nothing has to be found out to resolve addr.
func (a *agent) knows(addr wire.Addr) bool {
	if !addr.ByName() {
		return addr.Handle != 0
	}
	if !wire.IsName(addr.Name) {
		return true
	}
	_, ok := a.names.known[addr.Name[1:]]
	return ok
}

// query answers which handle a registered name has.
func (a *agent) query(c *service.Context, r wire.Request) {
	name, err := service.Unpack[string](r.Payload)
	if err != nil {
		a.fail(c, r.Session, cluster.TextNameNotFound)
		return
	}
	h, err := a.names.get(c, a.clusterd, name)
	if err != nil || h == 0 {
		a.fail(c, r.Session, cluster.TextNameNotFound)
		return
	}
	packed, err := lualike.Pack(h)
	if err != nil {
		a.fail(c, r.Session, cluster.TextCallFailed)
		return
	}
	a.answer(c, r.Session, packed, nil)
}

// errInvalidName: "@name" is not registered.
var errInvalidName = errors.New(cluster.TextInvalidName)

func (a *agent) resolve(c *service.Context, addr wire.Addr) (service.Handle, error) {
	name := addr.Name
	switch {
	case !addr.ByName():
		return service.Handle(addr.Handle), nil
	case wire.IsName(name):
		h, err := a.names.get(c, a.clusterd, name[1:])
		if err == nil && h == 0 {
			err = errInvalidName
		}
		return h, err
	case strings.HasPrefix(name, ".") || strings.HasPrefix(name, ":"):
		return c.Node().Resolve(name)
	}
	return 0, errInvalidName
}

// errorText is what the other node gets to see of err (B171).
func errorText(err error) string {
	if text, ok := service.ErrorText(err); ok {
		return text
	}
	switch {
	case errors.Is(err, errInvalidName):
		return cluster.TextInvalidName
	case errors.Is(err, service.ErrNoService):
		return cluster.TextInvalidAddress
	case errors.Is(err, service.ErrOverload):
		return service.ErrOverload.Error()
	}
	return cluster.TextCallFailed
}

func (a *agent) fail(c *service.Context, session uint32, text string) {
	frame, _ := wire.AppendResponse(a.buffer, session, false, []byte(text))
	if a.mayWrite(c, len(frame)) {
		a.write(c, frame)
	}
}

// write sends one frame: at once when no other request is in progress.
func (a *agent) write(c *service.Context, frame []byte) {
	if a.progress.n <= 1 {
		_ = socket.WriteNow(c, a.fd, frame)
	} else {
		_ = socket.Write(c, a.fd, frame)
	}
}

// answer writes a result, packed and then each of more, which belong to the socket from then on; a large one with low
// priority, so that small ones overtake its parts.
func (a *agent) answer(c *service.Context, session uint32, packed []byte, more [][]byte) {
	size := len(packed)
	for _, b := range more {
		size += len(b)
	}
	if size > a.settings.MaxMessage {
		a.fail(c, session, tooLarge(size, a.settings.MaxMessage))
		return
	}
	if !a.mayWrite(c, size) {
		return
	}
	if size <= wire.PartSize {
		frame, _ := wire.AppendResponse(a.buffer, session, true, packed)
		a.write(c, frame)
		return
	}
	begin, _ := wire.AppendResponseBegin(nil, session, size)
	_ = socket.WriteLowFrames(c, a.fd, wire.ResponseParts([][]byte{begin}, session, size, packed, more)...)
}
