package clusteragent

import (
	"errors"
	"strings"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// request calls, or sends to, the service that r names, traced under tag unless
// that is empty. The payload may have come in parts; they are joined when the
// request is in progress, so that a stop waits for it.
func (a *agent) request(c *service.Context, r wire.Request, tag string, parts *wire.Assembly) {
	size := len(r.Payload)
	if parts != nil {
		size = int(r.Size)
	}
	if !a.admit(c, r, size) {
		return
	}
	defer a.done(c, a.progress, r, size)
	if parts != nil {
		r.Payload = a.large.join(c, parts)
		if a.letIn(c); r.Payload == nil {
			return
		}
	}
	if !r.Addr.ByName() && r.Addr.Handle == 0 {
		a.query(c, r)
		return
	}
	to, err := a.resolve(c, r.Addr)
	if err != nil {
		if !r.Push || wire.IsName(r.Addr.Name) {
			a.fail(c, r.Session, errorText(err))
		}
		return
	}
	if r.Push {
		_ = c.RawSend(to, service.PTypeLua, r.Payload)
		return
	}
	c = c.WithTimeout(service.Forever) // the caller on the other node has a deadline of its own
	var answer any
	if tag == "" {
		answer, err = c.RawCall(to, service.PTypeLua, r.Payload)
	} else {
		answer, err = c.TraceCall(tag, to, service.PTypeLua, r.Payload)
	}
	var packed []byte
	if err == nil {
		packed, err = service.Pack(answer)
	}
	if err != nil {
		a.fail(c, r.Session, errorText(err))
		return
	}
	a.answer(c, r.Session, packed)
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
	a.answer(c, r.Session, packed)
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
	frame, _ := wire.AppendResponse(nil, session, false, []byte(text))
	if a.mayWrite(c, len(frame)) {
		_ = socket.Write(c, a.fd, frame)
	}
}

// answer writes a result, which belongs to the socket from then on; a large one with low priority, so that small ones
// overtake its parts.
func (a *agent) answer(c *service.Context, session uint32, packed []byte) {
	if len(packed) > a.settings.MaxMessage {
		a.fail(c, session, tooLarge(len(packed), a.settings.MaxMessage))
		return
	}
	if !a.mayWrite(c, len(packed)) {
		return
	}
	frame, parts := wire.AppendResponse(nil, session, true, packed)
	if parts == 0 {
		_ = socket.Write(c, a.fd, frame)
		return
	}
	_ = socket.WriteLow(c, a.fd, frame)
	for i := range parts {
		lo, hi := wire.PartRange(len(packed), i)
		_ = socket.WriteLow(c, a.fd, wire.AppendResponsePartHeader(nil, session, len(packed), i), packed[lo:hi])
	}
}
