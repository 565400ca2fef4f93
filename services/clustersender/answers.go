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
		if err := s.collect(r); err != nil {
			return out, err
		}
	case wire.KindEnd:
		large := s.large[r.Session]
		if large == nil { // an ordinary answer
			break
		}
		if err := s.collect(r); err != nil {
			return out, err
		}
		switch {
		case large.refused != "":
			out.Failed, out.Data = true, []byte(large.refused)
		case !large.parts.Complete():
			out.Failed, out.Data = true, []byte("the parts of the answer do not add up")
		}
	}
	return out, nil
}

// collect takes in a begin or a part. Parts to which no begin came do not add up
// at the end. An error when unfinished answers take too much.
func (s *sender) collect(r wire.Response) error {
	large := s.large[r.Session]
	if large == nil {
		large = new(largeAnswer)
		s.large[r.Session] = large
	}
	before := large.parts.Held()
	switch {
	case r.Kind == wire.KindBegin:
		large.parts.Reset(r.Size)
		if uint64(r.Size) > uint64(s.settings.MaxMessage) {
			large.refused = fmt.Sprintf("%v: an answer of %d bytes, the limit is %d", cluster.ErrTooLarge, r.Size, s.settings.MaxMessage)
		}
	case large.refused == "":
		large.parts.Append(r.Payload)
	}
	if s.held += large.parts.Held() - before; s.held > s.settings.MaxPartBytes {
		return fmt.Errorf("%w: unfinished answers take %d bytes", service.ErrOverload, s.held)
	}
	return nil
}

// reply gives an answer on whose parts are complete. It may take some time to
// join them, during which the sender goes on; large answers keep their order.
func (s *sender) reply(c *service.Context, l *largeAnswer, answer *service.Response) {
	c.Fork(func(c *service.Context) {
		_ = s.joining.Do(c, func() error {
			whole, err := cluster.Join(c, &l.parts)
			if err == nil {
				_, err = answer.RetRaw(whole)
			}
			return err
		})
	})
}

// drop forgets the parts of an answer.
func (s *sender) drop(session uint32) *largeAnswer {
	l := s.large[session]
	if l != nil {
		s.held -= l.parts.Held()
		delete(s.large, session)
	}
	return l
}

// expire forgets the requests whose callers have given up.
func (s *sender) expire(c *service.Context) {
	s.pending -= s.channel.Expire(c)
	for session := range s.large {
		if !s.channel.Waiting(session) {
			s.drop(session)
		}
	}
}
