// Package clustersender is the service that speaks to one other node for all
// services of its own (service/clustersender.lua). It opens the connection,
// numbers the requests and gives the answers to who asked.
package clustersender

import (
	"errors"
	"fmt"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Definition returns the definition of the service. Its arguments are the name
// of the node, that of the own one and the address.
func Definition() *service.Definition { return service.Def("clustersender", start) }

type sender struct {
	node    string
	addr    string
	channel *socket.Channel
	session uint32
	large   map[uint32]*wire.Assembly // answers that come in parts
}

func start(c *service.Context, args ...any) error {
	if len(args) != 3 {
		return fmt.Errorf("clustersender wants node, own name and address, not %d arguments", len(args))
	}
	s := &sender{
		node:    fmt.Sprint(args[0]),
		addr:    fmt.Sprint(args[2]),
		session: 1,
		large:   make(map[uint32]*wire.Assembly),
	}
	s.channel = socket.NewChannel(socket.ChannelConfig{Addr: s.addr, Response: s.response})
	c.Handle(string(cluster.ReqCmd), service.P1(s.req))
	c.Handle(string(cluster.PushCmd), service.P1(s.push))
	c.Handle(string(cluster.ChangeNodeCmd), service.P1(s.changeNode))
	return nil
}

// req sends a request; its answer goes to the caller when it comes. No
// coroutine waits for it.
func (s *sender) req(c *service.Context, r cluster.Request) error {
	session := s.session
	first, parts, err := wire.AppendRequest(nil, addrOf(r), session, r.Payload)
	if err != nil {
		return tooLarge(err)
	}
	s.session = wire.NextSession(session)
	answer := c.Response()
	err = s.channel.Do(c, session, frames(first, session, r.Payload, parts), parts > 0,
		func(c *service.Context, parts [][]byte, failed bool, err error) {
			s.done(c, r, session, answer, parts, failed, err)
		})
	if err != nil {
		s.done(c, r, session, answer, nil, false, err)
	}
	return nil
}

// done gives the answer on, or what became of it.
func (s *sender) done(c *service.Context, r cluster.Request, session uint32, answer *service.Response, parts [][]byte, failed bool, err error) {
	delete(s.large, session)
	switch {
	case err != nil:
		c.Error(err)
		err = fmt.Errorf("%w: %s (%s): %w", cluster.ErrNodeDown, s.node, s.addr, err)
	case failed:
		err = &cluster.RemoteError{Node: s.node, Addr: r.Address(), Text: string(last(parts))}
		c.Error(string(last(parts)))
	default:
		_, _ = answer.RetRaw(last(parts))
		return
	}
	_, _ = answer.Fail(err)
}

func (s *sender) push(c *service.Context, r cluster.Request) error {
	session := s.session
	first, parts, err := wire.AppendPush(nil, addrOf(r), session, r.Payload)
	if err != nil {
		return tooLarge(err)
	}
	if parts > 0 {
		s.session = wire.NextSession(session)
	}
	return s.channel.Do(c, 0, frames(first, session, r.Payload, parts), parts > 0, nil)
}

// changeNode connects to another address, or with "" to none.
func (s *sender) changeNode(c *service.Context, addr string) error {
	if addr == "" {
		c.Logf("Close cluster sender %s nil", s.addr)
		s.channel.Close(c)
		return nil
	}
	s.addr = addr
	s.channel.ChangeHost(c, addr)
	return s.channel.Connect(c)
}

// response reads one answer frame for the channel.
func (s *sender) response(frame []byte) (socket.Response, error) {
	r, err := wire.ParseResponse(frame)
	if err != nil {
		return socket.Response{}, err
	}
	out := socket.Response{Session: r.Session}
	large := s.large[r.Session]
	switch r.Kind {
	case wire.KindError:
		out.Failed, out.Data = true, r.Payload
	case wire.KindBegin:
		large = new(wire.Assembly)
		large.Reset(r.Size)
		s.large[r.Session] = large
		out.More = true
	case wire.KindPart:
		if large == nil { // no begin came: the parts will not add up
			large = new(wire.Assembly)
			s.large[r.Session] = large
		}
		large.Append(r.Payload)
		out.More = true
	case wire.KindEnd:
		if large == nil {
			out.Data = r.Payload
			break
		}
		large.Append(r.Payload)
		whole, ok := large.Bytes()
		if !ok {
			out.Failed, whole = true, []byte("the parts of the answer do not add up")
		}
		out.Data = whole
	default:
		out.Data = r.Payload
	}
	return out, nil
}

func addrOf(r cluster.Request) wire.Addr {
	if r.Name != "" {
		return wire.NameAddr(r.Name)
	}
	return wire.NumAddr(uint32(r.Handle))
}

// frames is the first frame and the parts that follow it, without a copy of
// the payload.
func frames(first []byte, session uint32, payload []byte, parts int) [][]byte {
	out := make([][]byte, 1, 1+parts)
	out[0] = first
	for i := range parts {
		out = append(out, wire.AppendPart(nil, session, payload, i))
	}
	return out
}

func last(parts [][]byte) []byte {
	if len(parts) == 0 {
		return nil
	}
	return parts[len(parts)-1]
}

func tooLarge(err error) error {
	var format *wire.FormatError
	if errors.As(err, &format) {
		return fmt.Errorf("%w: %w", cluster.ErrTooLarge, err)
	}
	return err
}
