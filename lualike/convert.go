package lualike

import (
	"reflect"
	"sync"
)

// maxScratch is the largest buffer that is kept for the next conversion.
const maxScratch = 64 << 10

// scratch is what one conversion needs beside its result.
type scratch struct {
	buf []byte
	dec Decoder
}

var scratches = sync.Pool{New: func() any { return &scratch{} }}

// Convert assigns src to the variable that target points to. A value of the variable's own type is assigned as it is, by reference;
// any other goes through the same conversion as if it had been packed and unpacked. What the variable held before does not survive.
func Convert(src, target any) error {
	switch t := target.(type) {
	case *string:
		if s, ok := src.(string); ok {
			*t = s
			return nil
		}
	case *int64:
		if n, ok := lowerInt(src); ok {
			*t = n
			return nil
		}
	case *any:
		v, err := Normalize(src)
		if err == nil {
			*t = v
		}
		return err
	case **Table:
		if x, ok := src.(*Table); ok {
			*t = x
			return nil
		}
	}
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return faultf(ErrUnsupported, "target is %T, not a pointer to a variable", target)
	}
	if src == nil {
		v.Elem().SetZero()
		return nil
	}
	// An interface other than any cannot come out of a message; a value that has its methods is the only thing it can hold.
	t := v.Type().Elem()
	if s := reflect.ValueOf(src); s.Type() == t || t.Kind() == reflect.Interface && t.NumMethod() > 0 && s.Type().Implements(t) {
		v.Elem().Set(s)
		return nil
	}
	return recode(src, target)
}

// As returns src as a T, by the rules of [Convert].
func As[T any](src any) (T, error) {
	if _, dynamic := any((*T)(nil)).(*any); !dynamic {
		if same, ok := src.(T); ok {
			return same, nil
		}
	}
	return convertAs[T](src)
}

// convertAs is apart from As because its variable escapes to the heap.
func convertAs[T any](src any) (T, error) {
	var v T
	if err := Convert(src, &v); err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

// Normalize returns the Lua form of v: what a receiver would see that unpacks it. Values that have it already are returned as they are.
func Normalize(v any) (any, error) {
	switch x := v.(type) {
	case nil, bool, int64, float64, string, Pointer:
		return v, nil
	case *Table:
		if x == nil {
			return nil, nil
		}
		return v, nil
	}
	if n, ok := lowerInt(v); ok {
		return n, nil
	}
	var out any
	err := recode(v, &out)
	return out, err
}

// lowerInt gives the unnamed integers their Lua form without reflection.
func lowerInt(v any) (int64, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case int:
		return int64(x), true
	case int32:
		return int64(x), true
	case int16:
		return int64(x), true
	case int8:
		return int64(x), true
	case uint32:
		return int64(x), true
	case uint16:
		return int64(x), true
	case uint8:
		return int64(x), true
	}
	return 0, false
}

// recode packs src and decodes it into target, so that a conversion cannot differ from what a message does.
func recode(src, target any) error {
	s := scratches.Get().(*scratch)
	defer s.release()
	var err error
	if s.buf, err = appendAny(s.buf[:0], src, mode{}); err != nil {
		return err
	}
	s.dec.Reset(s.buf)
	return s.dec.decode(target)
}

func (s *scratch) release() {
	if cap(s.buf) > maxScratch {
		s.buf = nil
	}
	s.dec = Decoder{}
	scratches.Put(s)
}
