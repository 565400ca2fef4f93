package service

import (
	"fmt"
	"slices"

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
	values := slices.Clone(args)
	for i, v := range values {
		if _, ok := v.(error); ok {
			values[i] = nil
		}
	}
	b, err := lualike.Pack(values...)
	if err != nil {
		return nil, err
	}
	out, err := lualike.Unpack(b)
	if err != nil {
		return nil, err
	}
	for i, v := range args {
		if _, ok := v.(error); ok {
			out[i] = v
		}
	}
	return out, nil
}
