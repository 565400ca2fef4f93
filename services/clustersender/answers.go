package clustersender

import (
	"fmt"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// largeAnswer is an answer that comes in parts. What is refused is not kept.
type largeAnswer struct {
	parts   wire.Assembly
	refused string
}

// response reads one answer frame for the channel.
func (s *sender) response(frame []byte) (socket.Response, error) {
	r, err := wire.ParseResponse(frame)
	if err != nil {
		return socket.Response{}, err
	}
	out := socket.Response{Session: r.Session, Data: r.Payload}
	switch r.Kind {
	case wire.KindError:
		out.Failed = true
	case wire.KindBegin, wire.KindPart:
		if !s.channel.Waiting(r.Session) {
			break
		}
		out.Data, out.More = nil, true
		s.collect(r)
	case wire.KindEnd:
		large := s.large[r.Session]
		if large == nil { // an ordinary answer
			break
		}
		s.collect(r)
		switch {
		case large.refused != "":
			out.Failed, out.Data = true, []byte(large.refused)
		case !large.parts.Complete():
			out.Failed, out.Data = true, []byte("the parts of the answer do not add up")
		}
	}
	return out, nil
}

// collect takes in a begin or a part. Parts to which no begin came do not add
// up at the end.
func (s *sender) collect(r wire.Response) {
	large := s.large[r.Session]
	if large == nil {
		large = new(largeAnswer)
		s.large[r.Session] = large
	}
	switch {
	case r.Kind == wire.KindBegin:
		large.parts.Reset(r.Size)
		if uint64(r.Size) > uint64(s.settings.MaxMessage) {
			large.refused = fmt.Sprintf("%v: an answer of %d bytes, the limit is %d", cluster.ErrTooLarge, r.Size, s.settings.MaxMessage)
		}
	case large.refused == "":
		large.parts.Append(r.Payload)
	}
}

// reply gives an answer on whose parts are complete. It may take some time to
// join them, during which the sender goes on.
func (l *largeAnswer) reply(c *service.Context, answer *service.Response) {
	c.Fork(func(c *service.Context) {
		if whole, err := cluster.Join(c, &l.parts); err == nil {
			_, _ = answer.RetRaw(whole)
		}
	})
}
