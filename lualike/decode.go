package lualike

import (
	"encoding/binary"
	"math"
	"unsafe"
)

const (
	// DefaultMaxDepth is how many levels of tables a Decoder follows unless told otherwise.
	DefaultMaxDepth = 10_000

	// maxMaxDepth keeps the recursion of a Decoder far from the end of the stack, whatever it is told.
	maxMaxDepth = 100_000

	// smallMessage is the size up to which all strings of a message share one copy of it. A string that is kept pins at most that much.
	smallMessage = 128

	// longString is from how many bytes on it pays to let a string keep the whole message. It keeps at most twice its size.
	longString = 4 << 10

	// reservePerByte bounds the memory set aside on the word of the sender alone, in bytes for each byte of input.
	reservePerByte = 16
)

// Limits bound what a Decoder accepts. The zero value means the defaults.
type Limits struct {
	// MaxDepth is the number of tables that may be nested in each other, at most 100,000. Each level takes a few hundred bytes of stack.
	// 0 means DefaultMaxDepth.
	MaxDepth int
}

// Decoder reads packed values one after another. It never panics on foreign bytes, and sets aside no more memory than a small multiple
// of their length: an announced array size is believed only as far as bytes follow. What it returns does not alias the bytes,
// but for what Own allows.
// The zero Decoder is at the end of an empty stream; Reset gives it another one.
type Decoder struct {
	data     []byte
	off      int
	depth    int
	maxDepth int
	reserve  int    // bytes that may still be set aside in advance
	own      bool   // strings may alias data
	text     string // copy of a small message, made when its first string is read
	count    int    // values read, for the texts of errors
}

// NewDecoder returns a Decoder for data. data must not change while the Decoder reads it.
func NewDecoder(data []byte) *Decoder {
	d := &Decoder{}
	d.Reset(data)
	return d
}

// Reset makes d read data from its beginning. Limits stay.
func (d *Decoder) Reset(data []byte) {
	d.data = data
	d.off = 0
	d.depth = 0
	d.count = 0
	d.text = ""
	d.reserve = reservePerByte * len(data)
	if d.maxDepth == 0 {
		d.maxDepth = DefaultMaxDepth
	}
}

// Own says that nothing ever changes the bytes that d reads, now and after Reset. Then a long string that makes up most of
// them is not copied but shares their memory.
func (d *Decoder) Own() { d.own = true }

// SetLimits sets the limits for what is read from now on.
func (d *Decoder) SetLimits(l Limits) {
	d.maxDepth = DefaultMaxDepth
	if l.MaxDepth > 0 {
		d.maxDepth = min(l.MaxDepth, maxMaxDepth)
	}
}

// More reports whether bytes are left.
func (d *Decoder) More() bool { return d.off < len(d.data) }

// Offset returns the number of bytes read.
func (d *Decoder) Offset() int { return d.off }

// Rest returns the bytes not read yet. They are d's input, not a copy.
func (d *Decoder) Rest() []byte { return d.data[d.off:] }

// Next returns the next value, nil past the end. After an error d stands where it was before.
func (d *Decoder) Next() (any, error) {
	if !d.More() {
		return nil, nil
	}
	start := d.off
	v, err := d.value()
	if err != nil {
		return nil, d.failed(err, start)
	}
	d.count++
	return v, nil
}

// Skip passes over the next value, and does nothing past the end. After an error d stands where it was before.
func (d *Decoder) Skip() error {
	if !d.More() {
		return nil
	}
	start := d.off
	if err := d.skip(); err != nil {
		return d.failed(err, start)
	}
	d.count++
	return nil
}

// Args returns all values that are left.
func (d *Decoder) Args() (Args, error) {
	if !d.More() {
		return Args{}, nil
	}
	vals := make(Args, 0, 4) // most messages are short
	for d.More() {
		start := d.off
		v, err := d.value() // as Next does; calling that costs a tenth of a short message
		if err != nil {
			return nil, d.failed(err, start)
		}
		d.count++
		vals = append(vals, v)
	}
	return vals, nil
}

// Unpack returns the values in data. Strings are copies. Bytes that are no packed values give an error with Skynet's text,
// "Invalid serialize stream R".
func Unpack(data []byte) (Args, error) {
	var d Decoder
	d.Reset(data)
	return d.Args()
}

// errStream stands for a stream that cannot be read on from where d is; failed gives it its text. Being a constant, it lets the small
// functions below be inlined.
var errStream error = &fault{kind: ErrInvalidStream, text: "Invalid serialize stream"}

// failed ends the reading of the value at start with err.
func (d *Decoder) failed(err error, start int) error {
	if err == errStream {
		err = d.invalid()
	}
	d.off = start
	d.depth = 0
	return err
}

func (d *Decoder) invalid() *fault {
	return faultf(ErrInvalidStream, "Invalid serialize stream %d", len(d.data)-d.off)
}

func (d *Decoder) enter() error {
	if d.depth >= d.maxDepth {
		return d.tooDeep()
	}
	d.depth++
	return nil
}

func (d *Decoder) leave() { d.depth-- }

func (d *Decoder) tooDeep() error {
	f := d.invalid()
	f.cause = faultf(ErrTooDeep, "tables nested deeper than %d", d.maxDepth)
	return f
}

// tag reads the first byte of a value.
func (d *Decoder) tag() (byte, error) {
	if d.off < len(d.data) {
		d.off++
		return d.data[d.off-1], nil
	}
	return 0, errStream
}

// take reads n bytes.
func (d *Decoder) take(n int) ([]byte, error) {
	if n > len(d.data)-d.off {
		return nil, errStream
	}
	d.off += n
	return d.data[d.off-n : d.off], nil
}

// integer reads the rest of an integer.
func (d *Decoder) integer(cookie byte) (int64, error) {
	switch cookie {
	case numZero:
		return 0, nil
	case numByte:
		b, err := d.take(1)
		if err != nil {
			return 0, err
		}
		return int64(b[0]), nil
	case numWord:
		b, err := d.take(2)
		if err != nil {
			return 0, err
		}
		return int64(binary.LittleEndian.Uint16(b)), nil
	case numDword:
		b, err := d.take(4)
		if err != nil {
			return 0, err
		}
		return int64(int32(binary.LittleEndian.Uint32(b))), nil
	case numQword:
		b, err := d.take(8)
		if err != nil {
			return 0, err
		}
		return int64(binary.LittleEndian.Uint64(b)), nil
	default:
		return 0, errStream
	}
}

func (d *Decoder) real() (float64, error) {
	b, err := d.take(8)
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
}

func (d *Decoder) pointer() (Pointer, error) {
	b, err := d.take(8)
	if err != nil {
		return 0, err
	}
	return Pointer(binary.LittleEndian.Uint64(b)), nil
}

// bytes reads the rest of a string. The result is a part of the input.
func (d *Decoder) bytes(tag byte) ([]byte, error) {
	cookie := tag >> 3
	if tag&typeMask == typeShort {
		return d.take(int(cookie))
	}
	switch cookie {
	case 2:
		b, err := d.take(2)
		if err != nil {
			return nil, err
		}
		return d.take(int(binary.LittleEndian.Uint16(b)))
	case 4:
		b, err := d.take(4)
		if err != nil {
			return nil, err
		}
		// The length is compared as uint64: it may not fit an int of 32 bits.
		n := binary.LittleEndian.Uint32(b)
		if uint64(n) > uint64(len(d.data)-d.off) {
			return nil, errStream
		}
		return d.take(int(n))
	default:
		return nil, errStream
	}
}

// string reads the rest of a string and copies it.
func (d *Decoder) string(tag byte) (string, error) {
	b, err := d.bytes(tag)
	if err != nil {
		return "", err
	}
	return d.copied(b), nil
}

// copied turns b, the part of the input just read, into a string.
func (d *Decoder) copied(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(d.data) > smallMessage {
		if d.own && len(b) >= longString && len(b) >= len(d.data)/2 {
			return unsafe.String(&b[0], len(b))
		}
		return string(b)
	}
	if d.text == "" {
		d.text = string(d.data)
	}
	return d.text[d.off-len(b) : d.off]
}

// arraySize reads the announced size of an array part. Skynet keeps it in a C int and takes a negative one for none.
func (d *Decoder) arraySize(tag byte) (int, error) {
	cookie := tag >> 3
	if cookie != maxCookie-1 {
		return int(cookie), nil
	}
	t, err := d.tag()
	if err != nil {
		return 0, err
	}
	if t&typeMask != typeNumber || t>>3 == numReal {
		return 0, errStream
	}
	n, err := d.integer(t >> 3)
	return max(0, int(int32(n))), err
}

// allow says for how many of n announced elements of the given size memory may be set aside before they are seen.
func (d *Decoder) allow(n, size int) int {
	if size > 0 {
		n = min(n, d.reserve/size)
	}
	d.reserve -= n * size
	return n
}

func (d *Decoder) value() (any, error) {
	tag, err := d.tag()
	if err != nil {
		return nil, err
	}
	return d.valueOf(tag)
}

// valueOf reads the rest of the value that begins with tag.
func (d *Decoder) valueOf(tag byte) (any, error) {
	switch tag & typeMask {
	case typeNil:
		return nil, nil
	case typeBool:
		return tag>>3 != 0, nil
	case typeNumber:
		if tag>>3 == numReal {
			f, err := d.real()
			if err != nil {
				return nil, err
			}
			return f, nil
		}
		n, err := d.integer(tag >> 3)
		if err != nil {
			return nil, err
		}
		return n, nil
	case typePointer:
		p, err := d.pointer()
		if err != nil {
			return nil, err
		}
		return p, nil
	case typeShort, typeLong:
		return d.dynamicString(tag)
	case typeTable:
		t, err := d.table(tag)
		if err != nil {
			return nil, err
		}
		return t, nil
	default:
		return nil, errStream
	}
}

// dynamicString reads the rest of a string as a value.
func (d *Decoder) dynamicString(tag byte) (any, error) {
	b, err := d.bytes(tag)
	if err != nil {
		return nil, err
	}
	if known, ok := intern(b); ok {
		return known, nil
	}
	return d.copied(b), nil
}

func (d *Decoder) table(tag byte) (*Table, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	n, err := d.arraySize(tag)
	if err != nil {
		return nil, err
	}
	t := &Table{}
	if n > 0 {
		t.arr = make([]any, 0, d.allow(n, 16))
	}
	for range n {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		t.arr = append(t.arr, v)
	}
	t.trim()
	for {
		key, err := d.value()
		if err != nil {
			return nil, err
		}
		if key == nil {
			d.leave()
			return t, nil
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		if f, ok := key.(float64); ok {
			if math.IsNaN(f) {
				return nil, faultf(ErrInvalidStream, "table index is NaN")
			}
			if i, ok := floatToInt(f); ok {
				key = i
			}
		}
		t.set(key, v)
	}
}

func (d *Decoder) skip() error {
	tag, err := d.tag()
	if err != nil {
		return err
	}
	return d.skipOf(tag)
}

// skipOf passes over the rest of the value that begins with tag.
func (d *Decoder) skipOf(tag byte) error {
	var err error
	switch tag & typeMask {
	case typeNil, typeBool:
	case typeNumber:
		if tag>>3 == numReal {
			_, err = d.real()
		} else {
			_, err = d.integer(tag >> 3)
		}
	case typePointer:
		_, err = d.pointer()
	case typeShort, typeLong:
		_, err = d.bytes(tag)
	case typeTable:
		err = d.skipTable(tag)
	default:
		err = errStream
	}
	return err
}

func (d *Decoder) skipTable(tag byte) error {
	if err := d.enter(); err != nil {
		return err
	}
	n, err := d.arraySize(tag)
	if err != nil {
		return err
	}
	for range n {
		if err := d.skip(); err != nil {
			return err
		}
	}
	return d.skipPairs()
}

// skipPairs passes over the rest of a table, the terminator included.
func (d *Decoder) skipPairs() error {
	for {
		tag, err := d.tag()
		if err != nil {
			return err
		}
		if tag&typeMask == typeNil {
			d.leave()
			return nil
		}
		if err := d.skipOf(tag); err != nil {
			return err
		}
		if err := d.skip(); err != nil {
			return err
		}
	}
}
