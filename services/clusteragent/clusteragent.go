// Package clusteragent is the service behind one connection that another node
// has opened (service/clusteragent.lua): it reads that node's requests, calls
// the services they name and writes the answers.
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
	"github.com/skynetgo/skynet/services/gate"
)

// Definition returns the definition of the service. Its arguments are the
// handles of clusterd and the gate, and the socket.
func Definition() *service.Definition { return service.Def("clusteragent", start) }

type agent struct {
	clusterd service.Handle
	fd       socket.FD
	names    names
	large    map[uint32]*largeRequest
}

// largeRequest is a request that comes in parts.
type largeRequest struct {
	begin wire.Request // the zero Request when none came, or two
	parts wire.Assembly
}

func start(c *service.Context, args ...any) error {
	a := &agent{large: make(map[uint32]*largeRequest)}
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
	a.names.reset()
	c.Dispatch(service.PTypeClient, a.frame)
	c.Handle("exit", service.P0(a.exit))
	c.Handle("namechange", service.P0(func(*service.Context) error { a.names.reset(); return nil }))
	c.HandleUnknown(func(c *service.Context, cmd string, _ lualike.Args) (lualike.Args, error) {
		c.Logf("Invalid command %s from %s", cmd, c.Message().Source)
		return nil, nil
	})
	// The connection may be gone by now; then clusterd sends exit.
	_, _ = c.Call(g, gate.CmdForward, int64(a.fd))
	return nil
}

func (a *agent) exit(c *service.Context) error {
	_ = socket.Close(c, a.fd)
	c.Exit()
	return nil
}

// frame takes one frame of the connection. Each request runs as a coroutine of
// its own, so answers leave in the order in which the handlers finish.
func (a *agent) frame(c *service.Context, m service.Message) {
	b, _ := m.Data.([]byte)
	r, err := wire.ParseRequest(b)
	if err != nil {
		c.Error(err)
		return
	}
	switch r.Kind {
	case wire.KindRequest:
		a.request(c, r)
	case wire.KindBegin:
		a.begin(r)
	case wire.KindPart, wire.KindEnd:
		a.part(c, r)
	}
}

// begin announces a large request. A second one for the same session spoils
// the first, as in Skynet.
func (a *agent) begin(r wire.Request) {
	if l := a.large[r.Session]; l != nil {
		l.begin = wire.Request{}
		return
	}
	l := &largeRequest{begin: r}
	l.parts.Reset(r.Size)
	a.large[r.Session] = l
}

func (a *agent) part(c *service.Context, r wire.Request) {
	l := a.large[r.Session]
	if l == nil {
		if r.Kind == wire.KindEnd { // Skynet takes it for a request without an address
			a.fail(c, r.Session, cluster.TextInvalidName)
			return
		}
		l = &largeRequest{}
		a.large[r.Session] = l
	}
	l.parts.Append(r.Payload)
	if r.Kind == wire.KindPart {
		return
	}
	delete(a.large, r.Session)
	whole, ok := l.parts.Bytes()
	if !ok || l.begin.Kind != wire.KindBegin {
		a.fail(c, r.Session, cluster.TextInvalidLarge)
		return
	}
	r = l.begin
	r.Payload = whole
	a.request(c, r)
}

// request calls, or sends to, the service that r names.
func (a *agent) request(c *service.Context, r wire.Request) {
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
	// The caller on the other node has a deadline of its own.
	answer, err := c.WithTimeout(service.Forever).RawCall(to, service.PTypeLua, r.Payload)
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
	}
	return cluster.TextCallFailed
}

func (a *agent) fail(c *service.Context, session uint32, text string) {
	frame, _ := wire.AppendResponse(nil, session, false, []byte(text))
	_ = socket.Write(c, a.fd, frame)
}

// answer writes a result; a large one with low priority, so that small ones
// overtake its parts.
func (a *agent) answer(c *service.Context, session uint32, packed []byte) {
	frame, parts := wire.AppendResponse(nil, session, true, packed)
	if parts == 0 {
		_ = socket.Write(c, a.fd, frame)
		return
	}
	_ = socket.WriteLow(c, a.fd, frame)
	for i := range parts {
		_ = socket.WriteLow(c, a.fd, wire.AppendResponsePart(nil, session, packed, i))
	}
}
