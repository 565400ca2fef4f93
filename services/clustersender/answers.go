package clustersender

import (
	"fmt"
	"runtime"

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
		if err := s.collect(r, frame); err != nil {
			return out, err
		}
	case wire.KindEnd:
		large := s.large[r.Session]
		if large == nil { // an ordinary answer
			break
		}
		if err := s.collect(r, frame); err != nil {
			return out, err
		}
		var whole bool
		if out.Data, whole = large.parts.Bytes(); !whole {
			out.Failed, out.Data = true, []byte("the parts of the answer do not add up")
		}
		if large.refused != "" {
			out.Failed, out.Data = true, []byte(large.refused)
		}
	}
	return out, nil
}

// collect takes in a begin or a part, which is frame. Parts to which no begin came do not add up
// at the end. An error when unfinished answers take too much.
func (s *sender) collect(r wire.Response, frame []byte) error {
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
	socket.Recycle(frame) // what is in it was copied
	runtime.Gosched()     // copying takes its time, and others may have little to do
	return nil
}

// drop forgets the parts of an answer.
func (s *sender) drop(session uint32) {
	if l := s.large[session]; l != nil {
		s.held -= l.parts.Held()
		delete(s.large, session)
	}
}
