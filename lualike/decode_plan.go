package lualike

import (
	"bytes"
	"math"
	"reflect"
)

// Decode reads the next value straight into the variable that target points to; past the end it counts as nil. What the variable
// held before does not survive. After an error d stands where it was before, and the variable may be filled in part.
func (d *Decoder) Decode(target any) error {
	start := d.off
	if err := d.decode(target); err != nil {
		return inPosition(d.failed(err, start), "value", d.count+1)
	}
	d.count++
	return nil
}

// DecodeAs reads the next value as a T; past the end it is the zero T. Its errors are those of As: the caller knows which value it is.
func DecodeAs[T any](d *Decoder) (T, error) {
	var v, zero T
	start := d.off
	tag := d.nextTag()
	known, err := d.scalar(tag, &v)
	if !known {
		other := new(T) // v stays where it is, without memory of its own
		err = d.reflected(tag, other)
		v = *other
	}
	if err != nil {
		return zero, d.failed(err, start)
	}
	d.count++
	return v, nil
}

func (d *Decoder) decode(target any) error {
	tag := d.nextTag()
	if known, err := d.scalar(tag, target); known {
		return err
	}
	return d.reflected(tag, target)
}

// nextTag reads the tag of the next value; past the end that is nil.
func (d *Decoder) nextTag() byte {
	if !d.More() {
		return typeNil
	}
	d.off++
	return d.data[d.off-1]
}

// scalar is decode for what target needs no reflection for; else it returns false.
func (d *Decoder) scalar(tag byte, target any) (known bool, err error) {
	switch t := target.(type) {
	case *string:
		if !isString(tag) {
			return false, nil
		}
		*t, err = d.string(tag)
	case *int64:
		*t, err = d.int(tag)
	case *int:
		var n int64
		n, err = d.int(tag)
		if *t = int(n); err == nil && int64(*t) != n {
			err = overflow(n, reflect.TypeFor[int]())
		}
	case *float64:
		*t, err = d.float(tag)
	case *bool:
		*t, err = d.bool(tag)
	case *any:
		*t, err = d.valueOf(tag)
	default:
		return false, nil
	}
	return true, err
}

// reflected is decode for a target of any type.
func (d *Decoder) reflected(tag byte, target any) error {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return faultf(ErrUnsupported, "target is %T, not a pointer to a variable", target)
	}
	v = v.Elem()
	v.SetZero()
	return planFor(v.Type()).decode(d, tag, v)
}

// decode fills v, which can be set, is zero and of the plan's type, with the value that begins with tag.
func (p *plan) decode(d *Decoder, tag byte, v reflect.Value) error {
	if p.op == opUnsupported {
		return faultf(ErrUnsupported, "%s", p.why)
	}
	if tag&typeMask == typeNil {
		v.SetZero()
		return nil
	}
	switch p.op {
	case opBool:
		b, err := d.bool(tag)
		v.SetBool(b)
		return err
	case opInt:
		n, err := d.int(tag)
		if err != nil {
			return err
		}
		if v.OverflowInt(n) {
			return overflow(n, p.typ)
		}
		v.SetInt(n)
		return nil
	case opUint:
		n, err := d.int(tag)
		if err != nil {
			return err
		}
		if n < 0 || v.OverflowUint(uint64(n)) {
			return overflow(n, p.typ)
		}
		v.SetUint(uint64(n))
		return nil
	case opFloat:
		f, err := d.float(tag)
		if err != nil {
			return err
		}
		if v.OverflowFloat(f) {
			return faultf(ErrRange, "%s overflows %s", formatFloat(f), p.typ)
		}
		v.SetFloat(f)
		return nil
	case opString:
		if !isString(tag) {
			return d.mismatch(tag, "a string")
		}
		s, err := d.string(tag)
		v.SetString(s)
		return err
	case opBytes:
		if !isString(tag) {
			return d.mismatch(tag, "a string")
		}
		b, err := d.bytes(tag)
		if err != nil {
			return err
		}
		v.SetBytes(append(make([]byte, 0, len(b)), b...))
		return nil
	case opPointer:
		if tag&typeMask != typePointer {
			return d.mismatch(tag, "a pointer")
		}
		x, err := d.pointer()
		v.SetUint(uint64(x))
		return err
	case opTable:
		if tag&typeMask != typeTable {
			return d.mismatch(tag, "a table")
		}
		t, err := d.table(tag)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
		return nil
	case opAny:
		return p.decodeAny(d, tag, v)
	case opPtr:
		x := reflect.New(p.elem.typ)
		if err := p.elem.decode(d, tag, x.Elem()); err != nil {
			return err
		}
		v.Set(x)
		return nil
	case opStruct:
		if p.msgp && isString(tag) {
			b, err := d.bytes(tag)
			if err != nil {
				return err
			}
			return p.decodeMsgp(b, v)
		}
	}
	return p.decodeTable(d, tag, v)
}

// decodeTable is decode for the types that want a table.
func (p *plan) decodeTable(d *Decoder, tag byte, v reflect.Value) error {
	if tag&typeMask != typeTable {
		return d.mismatch(tag, "a table")
	}
	if err := d.enter(); err != nil {
		return err
	}
	n, err := d.arraySize(tag)
	if err != nil {
		return err
	}
	switch p.op {
	case opSlice:
		err = p.decodeSlice(d, n, v)
	case opArray:
		err = p.decodeArray(d, n, v)
	case opMap:
		err = p.decodeMap(d, n, v)
	default:
		err = p.decodeStruct(d, n, v)
	}
	if err == nil {
		d.leave()
	}
	return err
}

func (p *plan) decodeAny(d *Decoder, tag byte, v reflect.Value) error {
	x, err := d.valueOf(tag)
	if err != nil {
		return err
	}
	rv := reflect.ValueOf(x)
	if !rv.Type().AssignableTo(p.typ) {
		return faultf(ErrUnsupported, "%s cannot be filled from a message", p.typ)
	}
	v.Set(rv)
	return nil
}

// next decodes the value that follows into v, which is zero.
func (p *plan) next(d *Decoder, v reflect.Value) error {
	tag, err := d.tag()
	if err != nil {
		return err
	}
	// The common cases need no call with all its arguments.
	switch {
	case p.op == opString && tag&typeMask == typeShort:
		s, err := d.string(tag)
		v.SetString(s)
		return err
	case p.op == opFloat && tag == typeNumber|numReal<<3:
		f, err := d.real()
		if !v.OverflowFloat(f) {
			v.SetFloat(f)
			return err
		}
		return faultf(ErrRange, "%s overflows %s", formatFloat(f), p.typ)
	case p.op == opInt && tag&typeMask == typeNumber && tag>>3 != numReal:
		n, err := d.integer(tag >> 3)
		if v.OverflowInt(n) {
			return overflow(n, p.typ)
		}
		v.SetInt(n)
		return err
	case p.op == opStruct && tag&typeMask == typeTable:
		return p.decodeTable(d, tag, v)
	}
	return p.decode(d, tag, v)
}

// clear makes next possible at a place that may have been filled before, because the sender repeated a key.
func (p *plan) clear(v reflect.Value) {
	if p.op == opStruct || p.op == opArray {
		v.SetZero()
	}
}

// decodeStruct reads n elements, which a struct has no place for, and the pairs. The fields are expected in the order of the struct,
// which is how our side packs them and often how the other does.
func (p *plan) decodeStruct(d *Decoder, n int, v reflect.Value) error {
	for range n {
		if err := d.skip(); err != nil {
			return err
		}
	}
	for expected := 0; ; {
		if expected < len(p.fields) && bytes.HasPrefix(d.data[d.off:], p.fields[expected].key) {
			d.off += len(p.fields[expected].key)
		} else {
			tag, err := d.tag()
			if err != nil {
				return err
			}
			if tag&typeMask == typeNil {
				return nil
			}
			at, err := p.lookup(d, tag)
			if err == nil && at < 0 {
				err = d.skip()
			}
			if err != nil {
				return err
			}
			if at < 0 {
				continue
			}
			expected = at
		}
		f := &p.fields[expected]
		var fv reflect.Value
		if f.direct >= 0 {
			fv = v.Field(f.direct)
		} else {
			fv = f.in(v)
		}
		f.plan.clear(fv)
		if err := f.plan.next(d, fv); err != nil {
			return under(err, nameElem(f.name))
		}
		expected++
	}
}

// lookup reads a key and returns the number of its field, -1 if there is none.
func (p *plan) lookup(d *Decoder, tag byte) (int, error) {
	if !isString(tag) {
		return -1, d.skipOf(tag)
	}
	name, err := d.bytes(tag)
	if err != nil {
		return -1, err
	}
	if i, ok := p.byName[string(name)]; ok {
		return i, nil
	}
	return -1, nil
}

func (p *plan) decodeMap(d *Decoder, n int, v reflect.Value) error {
	m := reflect.MakeMap(p.typ)
	value := reflect.New(p.elem.typ).Elem()
	key := reflect.New(p.key.typ).Elem()
	for i := range n {
		tag, err := d.tag()
		if err != nil {
			return err
		}
		if tag&typeMask == typeNil {
			continue
		}
		if err := p.setIndexKey(key, i+1); err != nil {
			return under(err, indexElem(i+1))
		}
		value.SetZero()
		if err := p.elem.decode(d, tag, value); err != nil {
			return under(err, indexElem(i+1))
		}
		m.SetMapIndex(key, value)
	}
	for {
		tag, err := d.tag()
		if err != nil {
			return err
		}
		if tag&typeMask == typeNil {
			v.Set(m)
			return nil
		}
		if err := p.decodePair(d, tag, m, key, value); err != nil {
			return err
		}
	}
}

// setIndexKey makes key the integer i, by the same rules as if it had been read.
func (p *plan) setIndexKey(key reflect.Value, i int) error {
	var room [16]byte
	d := Decoder{data: appendInt(room[:0], int64(i))}
	return p.key.next(&d, key)
}

// decodePair reads one pair whose key begins with tag into m. A pair without value is none, and takes back an earlier one.
func (p *plan) decodePair(d *Decoder, tag byte, m, key, value reflect.Value) error {
	start := d.off - 1
	key.SetZero()
	if err := p.key.decode(d, tag, key); err != nil {
		return under(err, d.elemAt(start))
	}
	if p.key.op == opFloat && math.IsNaN(key.Float()) {
		return faultf(ErrInvalidStream, "table index is NaN")
	}
	if p.key.op == opAny {
		k, err := tableKey(key.Interface())
		if err != nil {
			return faultf(ErrInvalidStream, "table index is NaN")
		}
		key.Set(reflect.ValueOf(k))
	}
	next, err := d.tag()
	if err != nil {
		return err
	}
	if next&typeMask == typeNil {
		m.SetMapIndex(key, reflect.Value{})
		return nil
	}
	value.SetZero()
	if err := p.elem.decode(d, next, value); err != nil {
		return under(err, d.elemAt(start))
	}
	m.SetMapIndex(key, value)
	return nil
}

// elemAt prints the key at offset start, for a path.
func (d *Decoder) elemAt(start int) string {
	k := Decoder{data: d.data[start:], maxDepth: 1}
	if key, err := k.value(); err == nil {
		return keyElem(key)
	}
	return "[?]"
}
