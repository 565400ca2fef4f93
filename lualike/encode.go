package lualike

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"unsafe"
)

const (
	typeNil     = 0
	typeBool    = 1
	typeNumber  = 2
	typePointer = 3
	typeShort   = 4
	typeLong    = 5
	typeTable   = 6
	typeMask    = 7

	numZero  = 0
	numByte  = 1
	numWord  = 2
	numDword = 4
	numQword = 6
	numReal  = 8

	// maxCookie is the number of values the high five bits can take.
	maxCookie = 32

	// maxPackDepth is the number of tables that may stand around a value, as in Skynet.
	maxPackDepth = 32

	// pieceSize is the length from which on PackPieces does not copy a string.
	pieceSize = 32 << 10

	// maxSize bounds string lengths and array sizes: the C side keeps both in an int.
	maxSize = math.MaxInt32
)

// forced is a value whose structs are packed as tables even if they have MessagePack methods.
type forced struct{ v any }

// AsTable returns v marked so that it, and all within it, is packed as tables: for receivers that know no MessagePack.
func AsTable(v any) any { return forced{v} }

// Pack returns the packed form of args, nothing for no args. An error names the path of the value that cannot travel, counted from 1.
func Pack(args ...any) ([]byte, error) {
	return AppendPack(make([]byte, 0, 64), args...)
}

// PackPieces is Pack without a copy of the long strings among args: the packed form is first and then each of more. A piece
// may be the memory of a string, so nobody may write to it.
func PackPieces(args ...any) (first []byte, more [][]byte, err error) {
	return AppendPieces(make([]byte, 0, 64), args...)
}

// AppendPieces is PackPieces that appends first to dst. On an error what it returns is of no use.
func AppendPieces(dst []byte, args ...any) (first []byte, more [][]byte, err error) {
	out := dst
	for i, arg := range args {
		s, ok := arg.(string)
		if !ok || len(s) < pieceSize || len(s) > maxSize {
			if out, err = appendAny(out, arg, mode{}); err != nil {
				return nil, nil, inPosition(err, "argument", i+1)
			}
			continue
		}
		out = appendStringHeader(out, len(s))
		more = append(more, out[:len(out):len(out)], unsafe.Slice(unsafe.StringData(s), len(s)))
		out = out[len(out):]
	}
	if len(more) == 0 {
		return out, nil, nil
	}
	if len(out) > 0 {
		more = append(more, out)
	}
	return more[0], more[1:], nil
}

// AppendPack appends the packed form of args to dst. On an error it returns dst as it was.
func AppendPack(dst []byte, args ...any) ([]byte, error) {
	out := dst
	for i, arg := range args {
		var err error
		if out, err = appendAny(out, arg, mode{}); err != nil {
			return dst, inPosition(err, "argument", i+1)
		}
	}
	return out, nil
}

// mode is the state of packing that goes down with the value.
type mode struct {
	depth  int8 // tables around the value
	hops   int8 // pointers followed since the last table, which bounds cycles of pointers alone
	tables bool // AsTable
}

func (m mode) inside() mode { return mode{depth: m.depth + 1, tables: m.tables} }

func (m mode) tooDeep() bool { return m.depth > maxPackDepth || m.hops > maxPackDepth }

func errPackDepth() error { return faultf(ErrTooDeep, "serialize can't pack too depth table") }

// appendAny packs a value of dynamic type. The common types come first, so that they cost no reflection.
func appendAny(dst []byte, v any, m mode) ([]byte, error) {
	if m.tooDeep() {
		return dst, errPackDepth()
	}
	switch x := v.(type) {
	case nil:
		return append(dst, typeNil), nil
	case string:
		return appendChecked(dst, x)
	case int64:
		return appendInt(dst, x), nil
	case int:
		return appendInt(dst, int64(x)), nil
	case bool:
		return appendBool(dst, x), nil
	case float64:
		return appendFloat(dst, x), nil
	case *Table:
		return appendTable(dst, x, m)
	case []byte:
		return appendChecked(dst, x)
	case []any:
		return appendAnys(dst, x, m)
	case Args:
		return appendAnys(dst, x, m)
	case map[string]any:
		return appendAnyMap(dst, x, m)
	case Pointer:
		return appendPointer(dst, x), nil
	case forced:
		m.tables = true
		m.hops++
		return appendAny(dst, x.v, m)
	}
	rv := reflect.ValueOf(v)
	return planFor(rv.Type()).append(dst, rv, m)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, typeBool|1<<3)
	}
	return append(dst, typeBool)
}

// appendInt picks the smallest form; negative numbers have only the two wide ones.
func appendInt(dst []byte, n int64) []byte {
	switch {
	case n == 0:
		return append(dst, typeNumber|numZero<<3)
	case n != int64(int32(n)):
		return binary.LittleEndian.AppendUint64(append(dst, typeNumber|numQword<<3), uint64(n))
	case n < 0 || n >= 1<<16:
		return binary.LittleEndian.AppendUint32(append(dst, typeNumber|numDword<<3), uint32(n))
	case n < 1<<8:
		return append(dst, typeNumber|numByte<<3, byte(n))
	default:
		return append(dst, typeNumber|numWord<<3, byte(n), byte(n>>8))
	}
}

func appendFloat(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, typeNumber|numReal<<3), math.Float64bits(f))
}

func appendPointer(dst []byte, p Pointer) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, typePointer), uint64(p))
}

func appendChecked[S string | []byte](dst []byte, s S) ([]byte, error) {
	if err := checkSize(len(s)); err != nil {
		return dst, err
	}
	return appendString(dst, s), nil
}

func appendString[S string | []byte](dst []byte, s S) []byte {
	return append(appendStringHeader(dst, len(s)), s...)
}

func appendStringHeader(dst []byte, n int) []byte {
	switch {
	case n < maxCookie:
		return append(dst, typeShort|byte(n)<<3)
	case n < 1<<16:
		return append(dst, typeLong|2<<3, byte(n), byte(n>>8))
	default:
		return binary.LittleEndian.AppendUint32(append(dst, typeLong|4<<3), uint32(n))
	}
}

func appendArrayHeader(dst []byte, n int) []byte {
	if n < maxCookie-1 {
		return append(dst, typeTable|byte(n)<<3)
	}
	return appendInt(append(dst, typeTable|(maxCookie-1)<<3), int64(n))
}

func checkSize(n int) error {
	if n > maxSize {
		return tooLarge(n)
	}
	return nil
}

func tooLarge(n int) error { return faultf(ErrRange, "size %d is over %d", n, maxSize) }

func appendTable(dst []byte, t *Table, m mode) ([]byte, error) {
	if t == nil {
		return append(dst, typeNil), nil
	}
	if err := checkSize(len(t.arr)); err != nil {
		return dst, err
	}
	m = m.inside()
	dst = appendArrayHeader(dst, len(t.arr))
	var err error
	for i, v := range t.arr {
		if dst, err = appendAny(dst, v, m); err != nil {
			return dst, under(err, indexElem(i+1))
		}
	}
	if t.hash != nil {
		for _, p := range t.hash.pairs {
			if p.key == nil {
				continue
			}
			start := len(dst)
			if dst, err = appendAny(dst, p.key, m); err != nil {
				return dst, under(err, keyElem(p.key))
			}
			if dst, err = appendAnyValue(dst, start, p.value, m); err != nil {
				return dst, under(err, keyElem(p.key))
			}
		}
	}
	return append(dst, typeNil), nil
}

// appendAnyValue packs the value of a pair whose key begins at start; a nil value takes the key back.
func appendAnyValue(dst []byte, start int, v any, m mode) ([]byte, error) {
	at := len(dst)
	dst, err := appendAny(dst, v, m)
	if err == nil && isNilAt(dst, at) {
		dst = dst[:start]
	}
	return dst, err
}

func isNilAt(dst []byte, at int) bool { return dst[at]&typeMask == typeNil }

func appendAnys(dst []byte, vals []any, m mode) ([]byte, error) {
	if err := checkSize(len(vals)); err != nil {
		return dst, err
	}
	m = m.inside()
	dst = appendArrayHeader(dst, len(vals))
	var err error
	for i, v := range vals {
		if dst, err = appendAny(dst, v, m); err != nil {
			return dst, under(err, indexElem(i+1))
		}
	}
	return append(dst, typeNil), nil
}

func appendAnyMap(dst []byte, vals map[string]any, m mode) ([]byte, error) {
	var room [16]string
	keys := room[:0]
	for k := range vals {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	m = m.inside()
	dst = append(dst, typeTable)
	var err error
	for _, k := range keys {
		start := len(dst)
		if dst, err = appendChecked(dst, k); err == nil {
			dst, err = appendAnyValue(dst, start, vals[k], m)
		}
		if err != nil {
			return dst, under(err, nameElem(k))
		}
	}
	return append(dst, typeNil), nil
}
