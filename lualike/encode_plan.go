package lualike

import (
	"cmp"
	"encoding/binary"
	"math"
	"reflect"
	"slices"
)

// maxReserve bounds the room made for a list on the word of its first element.
const maxReserve = 64 << 10

// append packs v, which is of the plan's type.
func (p *plan) append(dst []byte, v reflect.Value, m mode) ([]byte, error) {
	if m.tooDeep() {
		return dst, errPackDepth()
	}
	switch p.op {
	case opBool:
		return appendBool(dst, v.Bool()), nil
	case opInt:
		return appendInt(dst, v.Int()), nil
	case opUint:
		u := v.Uint()
		if u > math.MaxInt64 {
			return dst, faultf(ErrRange, "%d overflows integer", u)
		}
		return appendInt(dst, int64(u)), nil
	case opFloat:
		return appendFloat(dst, v.Float()), nil
	case opString:
		return appendChecked(dst, v.String())
	case opBytes:
		return appendChecked(dst, v.Bytes())
	case opPointer:
		return appendPointer(dst, Pointer(v.Uint())), nil
	case opTable:
		return appendTable(dst, v.Interface().(*Table), m)
	case opAny:
		if v.IsNil() {
			return append(dst, typeNil), nil
		}
		return appendAny(dst, v.Elem().Interface(), m)
	case opPtr:
		if v.IsNil() {
			return append(dst, typeNil), nil
		}
		m.hops++
		return p.elem.append(dst, v.Elem(), m)
	case opSlice, opArray:
		return p.appendList(dst, v, m)
	case opMap:
		return p.appendMap(dst, v, m)
	case opStruct:
		if p.msgp && !m.tables {
			return appendMsgp(dst, v)
		}
		return p.appendStruct(dst, v, m)
	default:
		return dst, faultf(ErrUnsupported, "%s", p.why)
	}
}

func (p *plan) appendList(dst []byte, v reflect.Value, m mode) ([]byte, error) {
	n := v.Len()
	if err := checkSize(n); err != nil {
		return dst, err
	}
	m = m.inside()
	dst = appendArrayHeader(dst, n)
	start := len(dst)
	var err error
	for i := range n {
		if dst, err = p.elem.append(dst, v.Index(i), m); err != nil {
			return dst, under(err, indexElem(i+1))
		}
		if i == 0 {
			size := len(dst) - start // the others are often as long
			dst = slices.Grow(dst, min(n-1, maxReserve/size)*size)
		}
	}
	return append(dst, typeNil), nil
}

func (p *plan) appendStruct(dst []byte, v reflect.Value, m mode) ([]byte, error) {
	m = m.inside()
	dst = append(dst, typeTable)
	var err error
	for i := range p.fields {
		f := &p.fields[i]
		var fv reflect.Value
		ok := true
		if f.direct >= 0 {
			fv = v.Field(f.direct)
		} else {
			fv, ok = f.of(v)
		}
		if !ok || f.omitEmpty && isEmpty(fv) {
			continue
		}
		start := len(dst)
		dst = append(dst, f.key...)
		// Numbers and short strings are most of what structs hold; they need no call with all its arguments.
		if !m.tooDeep() {
			switch f.plan.op {
			case opInt:
				dst = appendInt(dst, fv.Int())
				continue
			case opFloat:
				dst = appendFloat(dst, fv.Float())
				continue
			case opString:
				if s := fv.String(); len(s) < maxCookie {
					dst = append(append(dst, typeShort|byte(len(s))<<3), s...)
					continue
				}
			}
		}
		at := len(dst)
		if dst, err = f.plan.append(dst, fv, m); err != nil {
			return dst, under(err, nameElem(f.name))
		}
		if isNilAt(dst, at) {
			dst = dst[:start]
		}
	}
	return append(dst, typeNil), nil
}

func (p *plan) appendMap(dst []byte, v reflect.Value, m mode) ([]byte, error) {
	m = m.inside()
	dst = append(dst, typeTable)
	for _, key := range p.sortedKeys(v) {
		start := len(dst)
		var err error
		if dst, err = p.key.append(dst, key, m); err == nil {
			dst, err = checkKey(dst, start)
		}
		at := len(dst)
		if err == nil {
			dst, err = p.elem.append(dst, v.MapIndex(key), m)
		}
		if err != nil {
			return dst, under(err, keyElem(lower(key.Interface())))
		}
		if isNilAt(dst, at) {
			dst = dst[:start]
		}
	}
	return append(dst, typeNil), nil
}

// sortedKeys gives the keys of a map in order, as far as they have one.
func (p *plan) sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	switch p.key.op {
	case opString:
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	case opInt:
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.Int(), b.Int()) })
	case opUint:
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.Uint(), b.Uint()) })
	case opFloat:
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.Float(), b.Float()) })
	}
	return keys
}

// checkKey refuses the packed key at start if a receiver could not use it: nil would end the table, NaN is no key.
// A float without fraction becomes the integer that it means.
func checkKey(dst []byte, start int) ([]byte, error) {
	switch dst[start] {
	case typeNil:
		return dst, faultf(ErrKey, "table index is nil")
	case typeNumber | numReal<<3:
		f := math.Float64frombits(binary.LittleEndian.Uint64(dst[start+1:]))
		if math.IsNaN(f) {
			return dst, faultf(ErrKey, "table index is NaN")
		}
		if i, ok := floatToInt(f); ok {
			dst = appendInt(dst[:start], i)
		}
	}
	return dst, nil
}

// isEmpty is the rule of omitempty: false, 0, "", nil, and any list or map without elements.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}
