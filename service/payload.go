package service

import (
	"fmt"

	"github.com/skynetgo/skynet/lualike"
)

// A message of type lua, and its answer, carries its values in one of these
// forms:
//
//	Data is lualike.Args  a list of values
//	Data is []byte        a list of values, packed
//	Data is nil           no value
//	Data is another type  that one value
//
// A request with a Cmd has that string in front of its values: the command of a
// Cmd.

// Packed is any number of values in lua-seri's form. As a result it is all the
// results of a handler or a call; with it bytes are passed on unread.
type Packed []byte

// oneNil is the list of one nil, which never changes.
var oneNil any = lualike.Args{nil}

// valueData is v in the form that says "this one value".
func valueData(v any) any {
	switch v := v.(type) {
	case nil:
		return oneNil
	case []byte:
		return lualike.Args{v}
	case Packed:
		return []byte(v)
	}
	return v
}

// dataArgs returns the values of a payload in their Lua shape.
func dataArgs(data any) (lualike.Args, error) {
	switch d := data.(type) {
	case nil:
		return nil, nil
	case lualike.Args:
		return normalize(d)
	case []byte:
		return owned(d).Args()
	}
	v, err := lualike.Normalize(data)
	if err != nil {
		return nil, err
	}
	return lualike.Args{v}, nil
}

// owned reads a payload. It belongs to its receiver, and nobody changes it.
func owned(payload []byte) *lualike.Decoder {
	d := lualike.NewDecoder(payload)
	d.Own()
	return d
}

// normalize copies args only when a value has to change: several receivers may
// hold the same list.
func normalize(args lualike.Args) (lualike.Args, error) {
	for i, v := range args {
		switch v.(type) {
		case nil, bool, int64, float64, string, *lualike.Table:
			continue
		}
		out := append(lualike.Args(nil), args...)
		for ; i < len(out); i++ {
			n, err := lualike.Normalize(out[i])
			if err != nil {
				return nil, fmt.Errorf("argument %d: %w", i+1, err)
			}
			out[i] = n
		}
		return out, nil
	}
	return args, nil
}

// dataAs returns the first value of a payload as a T; all of them when T is
// lualike.Args.
func dataAs[T any](data any) (v T, err error) {
	switch all := any(&v).(type) {
	case *lualike.Args:
		*all, err = dataArgs(data)
		return v, err
	case *Packed:
		*all, err = Pack(data)
		return v, err
	}
	switch d := data.(type) {
	case lualike.Args:
		data = d.At(0)
	case []byte:
		return Unpack[T](d)
	}
	if v, ok := data.(T); ok {
		return v, nil
	}
	return lualike.As[T](data)
}

// Unpack returns the first value of p as an R; all of them when R is
// lualike.Args.
func Unpack[R any](p Packed) (v R, err error) {
	switch all := any(&v).(type) {
	case *lualike.Args:
		*all, err = owned(p).Args()
	case *Packed:
		*all = p
	default:
		return lualike.DecodeAs[R](owned(p))
	}
	return v, err
}

// Result is Unpack for an answer as RawCall returns it.
func Result[R any](answer any) (R, error) { return dataAs[R](answer) }

// Pack returns the values of a lua message or answer in lua-seri's form, as it
// goes to another node. A payload that is packed already is returned as it is.
func Pack(data any) ([]byte, error) {
	switch d := data.(type) {
	case nil:
		return nil, nil
	case []byte:
		return d, nil
	case lualike.Args:
		return lualike.Pack(d...)
	}
	return lualike.Pack(data)
}

// PackPieces is Pack without a copy of the long strings among the values, as in
// lualike.PackPieces.
func PackPieces(data any) (first []byte, more [][]byte, err error) {
	switch d := data.(type) {
	case nil, []byte:
		first, err = Pack(d)
		return first, nil, err
	case lualike.Args:
		return lualike.PackPieces(d...)
	}
	return lualike.PackPieces(data)
}

// PackMessage is Pack for a request, whose command may stand in Cmd.
func PackMessage(m Message) ([]byte, error) {
	if m.Cmd == "" {
		return Pack(m.Data)
	}
	b, err := lualike.Pack(m.Cmd)
	if err != nil {
		return nil, err
	}
	switch d := m.Data.(type) {
	case nil:
		return b, nil
	case []byte:
		return append(b, d...), nil
	case lualike.Args:
		return lualike.AppendPack(b, d...)
	}
	return lualike.AppendPack(b, m.Data)
}
