package lualike

import "reflect"

// decodeSlice reads n elements and the pairs. A list with holes arrives partly as pairs, depending on where Lua found its border,
// so integer keys count as positions; other keys, such as the n of table.pack, have no place and are left out.
func (p *plan) decodeSlice(d *Decoder, n int, v reflect.Value) error {
	size := int(p.elem.typ.Size())
	room := d.allow(n, size)
	v.Set(reflect.MakeSlice(p.typ, room, room))
	for i := range n {
		if i == v.Len() {
			extend(v, i+1)
		}
		if err := p.elem.next(d, v.Index(i)); err != nil {
			return under(err, indexElem(i+1))
		}
	}
	for pairs := 1; ; pairs++ {
		i, more, err := d.position()
		if err != nil || !more {
			return err
		}
		switch {
		case i < 1:
			err = d.skip()
		case i > int64(2*(n+pairs)+8):
			// The sender chooses the key, so memory for the gap must be paid for by what was sent.
			err = faultf(ErrRange, "too sparse for %s, which has %d elements", p.typ, n)
		default:
			if int(i) > v.Len() {
				extend(v, int(i))
			}
			p.elem.clear(v.Index(int(i) - 1))
			err = p.elem.next(d, v.Index(int(i)-1))
		}
		if err != nil {
			return under(err, indexElem(int(i)))
		}
	}
}

// decodeArray reads into an array of fixed length: elements that do not come are zero, surplus ones are an error.
func (p *plan) decodeArray(d *Decoder, n int, v reflect.Value) error {
	if n > v.Len() {
		return faultf(ErrRange, "%d elements do not fit %s", n, p.typ)
	}
	for i := range n {
		if err := p.elem.next(d, v.Index(i)); err != nil {
			return under(err, indexElem(i+1))
		}
	}
	for {
		i, more, err := d.position()
		if err != nil || !more {
			return err
		}
		switch {
		case i < 1:
			err = d.skip()
		case i > int64(v.Len()):
			err = faultf(ErrRange, "does not fit %s", p.typ)
		default:
			p.elem.clear(v.Index(int(i) - 1))
			err = p.elem.next(d, v.Index(int(i)-1))
		}
		if err != nil {
			return under(err, indexElem(int(i)))
		}
	}
}

// position reads the key of a pair as a place in a list, 0 if it is none. more is false at the end of the table.
func (d *Decoder) position() (i int64, more bool, err error) {
	tag, err := d.tag()
	if err != nil || tag&typeMask == typeNil {
		return 0, false, err
	}
	if tag&typeMask != typeNumber {
		return 0, true, d.skipOf(tag)
	}
	if tag>>3 != numReal {
		i, err = d.integer(tag >> 3)
		return i, true, err
	}
	f, err := d.real()
	i, _ = floatToInt(f)
	return i, true, err
}

// extend lengthens slice v to n elements; reflect clears the new ones.
func extend(v reflect.Value, n int) {
	if n > v.Cap() {
		v.Grow(n - v.Len())
	}
	v.SetLen(n)
}
