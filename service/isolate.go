package service

import (
	"fmt"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
)

// Isolate is for Config.Isolate: it gives the receiver of every message a copy,
// made by packing and unpacking, as if the receiver lived on another node. A
// value that could not travel is an error with its path. []byte and string
// payloads of other message types are copied.
func Isolate(m actor.Message) (actor.Message, error) {
	var err error
	switch d := m.Data.(type) {
	case nil, string, error:
		return m, nil
	case []byte:
		m.Data = append([]byte{}, d...)
		return m, nil
	case lualike.Args:
		m.Data, err = isolateArgs(d)
	default:
		if m.Type != PTypeLua && m.Type != actor.PTypeResponse {
			return m, fmt.Errorf("isolate: message of type %d: %T can not be copied", m.Type, d)
		}
		m.Data, err = isolateArgs(lualike.Args{d})
	}
	if err != nil {
		return m, fmt.Errorf("isolate: %w", err)
	}
	return m, nil
}

// isolateArgs copies a list; errors stay, since they never change.
func isolateArgs(args lualike.Args) (lualike.Args, error) {
	out := make(lualike.Args, len(args))
	for i, v := range args {
		if err, ok := v.(error); ok {
			out[i] = err
			continue
		}
		b, err := lualike.Pack(v)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		one, err := lualike.Unpack(b)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		out[i] = one[0]
	}
	return out, nil
}
