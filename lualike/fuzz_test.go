package lualike_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

func addSeeds(f *testing.F) {
	f.Helper()
	for _, seed := range []string{
		"", "00", "0a01", "42000000000000f83f", "0e0a010c780c7900", "fe12ffff", "160e0a0100060c610c620000", "25000000800c", "06090a01010a0200",
		"1e00000a0700", "0642000000000000f87f0a0100", "fe32000000000000008000", "0e0e0e0e0e0e0600000000000000",
	} {
		b, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(pack(f, "set", 1, "key", lualike.Map(map[string]any{"id": 1, "name": "x", "items": []Item{{1, 2}}, "boss": &Player{}})))
	f.Add(pack(f, map[int]string{1: "a", 5: "b", 900: "c"}, []byte{0x81, 0xa2, 'i', 'd', 1}))
	f.Add(pack(f, Ranking{Rows: make([]Score, 20)}))
}

// What unpacks packs again, unless it is too deep for that, and unpacks to the same values. Skip agrees on what is valid.
func FuzzUnpack(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		input := bytes.Clone(data)
		vals, err := lualike.Unpack(data)
		if !bytes.Equal(input, data) {
			t.Fatal("the input was written to")
		}
		if err != nil {
			if !errors.Is(err, lualike.ErrInvalidStream) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		for d := lualike.NewDecoder(data); d.More(); {
			if err := d.Skip(); err != nil {
				t.Fatalf("unpacked but not skipped: %v", err)
			}
		}
		again, err := lualike.Pack(vals...)
		if errors.Is(err, lualike.ErrTooDeep) {
			return
		}
		if err != nil {
			t.Fatalf("unpacked but not packed: %v", err)
		}
		twice, err := lualike.Unpack(again)
		if err != nil {
			t.Fatalf("packed but not unpacked: %v", err)
		}
		if !equal(vals, twice) {
			t.Fatalf("%v became %v", vals, twice)
		}
	})
}

// everything has a field of each kind.
type everything struct {
	base
	*Extra
	I8     int8             `lua:"a"`
	U16    uint16           `lua:"b"`
	F      float32          `lua:"c"`
	S      string           `lua:"name"`
	B      []byte           `lua:"d"`
	Any    any              `lua:"e"`
	List   []Item           `lua:"items"`
	Fixed  [2]int           `lua:"f"`
	Map    map[string]*int  `lua:"g"`
	Keys   map[any]any      `lua:"h"`
	Ints   map[int8]float64 `lua:"i"`
	Player Player           `lua:"boss"`
	T      *lualike.Table   `lua:"t"`
	P      lualike.Pointer  `lua:"p"`
	Next   *everything      `lua:"next"`
}

// Any bytes into any target: an error or a value, never a panic. What was decoded packs again and decodes to the same.
func FuzzDecodeInto(f *testing.F) {
	addSeeds(f)
	f.Add(pack(f, everything{B: []byte("x"), List: []Item{{1, 2}}, Next: &everything{Any: 1}, Ints: map[int8]float64{1: 2}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, sample := range []any{everything{}, []everything{}, []string{}, [3]any{}, map[string]any{}, map[int]everything{}, Player{}, []Player{}, Ranking{}, 0, 0.0, "", false} {
			target := reflect.New(reflect.TypeOf(sample))
			d := lualike.NewDecoder(data)
			if err := d.Decode(target.Interface()); err != nil {
				if d.Offset() != 0 {
					t.Fatalf("moved to %d with error %v", d.Offset(), err)
				}
				continue
			}
			packed, err := lualike.Pack(target.Interface())
			if errors.Is(err, lualike.ErrTooDeep) {
				continue
			}
			if err != nil {
				t.Fatalf("%T decoded but not packed: %v", sample, err)
			}
			second := reflect.New(reflect.TypeOf(sample))
			if err := lualike.NewDecoder(packed).Decode(second.Interface()); err != nil {
				t.Fatalf("%T packed but not decoded: %v", sample, err)
			}
			// Packing is deterministic but for maps with keys of mixed types, so those compare by what they unpack to.
			once, err := lualike.Unpack(packed)
			if err != nil {
				t.Fatal(err)
			}
			repacked, err := lualike.Pack(second.Interface())
			if err != nil {
				t.Fatal(err)
			}
			twice, err := lualike.Unpack(repacked)
			if err != nil {
				t.Fatal(err)
			}
			if !equal(once, twice) {
				t.Fatalf("%T: %v became %v", sample, once, twice)
			}
		}
	})
}

// Values made here come back as they were, dynamically, typed and converted.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(0), 0.0, "", true, []byte(nil), uint8(0))
	f.Add(int64(-1), 1.5, "name", false, []byte("bytes"), uint8(7))
	f.Add(int64(1)<<40, math.Copysign(0, -1), "a longer string, over thirty-one bytes", true, []byte{0, 255}, uint8(255))
	f.Fuzz(func(t *testing.T, n int64, x float64, s string, b bool, raw []byte, small uint8) {
		if x != x {
			return // reflect.DeepEqual cannot compare NaN
		}
		in := everything{
			base: base{ID: n, Kind: s}, I8: int8(small), U16: uint16(n), S: s, B: append([]byte{}, raw...), Any: x,
			List: []Item{{int32(n), int32(small)}}, Fixed: [2]int{int(n), int(small)}, Map: map[string]*int{s: new(int)},
			Keys: map[any]any{s: n, n: s, b: b}, Ints: map[int8]float64{int8(small): x},
			Player: Player{ID: n, Name: s, Items: []Item{{Kind: int32(n)}}}, P: lualike.Pointer(n), T: lualike.Array(n, s, x),
		}
		data := pack(t, in, n, x, s, b, raw)
		d := lualike.NewDecoder(data)
		out, err := lualike.DecodeAs[everything](d)
		if err != nil || !reflect.DeepEqual(in, out) {
			t.Fatalf("%+v became %+v, %v", in, out, err)
		}
		rest, err := d.Args()
		if err != nil || !equal(rest, lualike.Args{n, x, s, b, string(raw)}) {
			t.Fatalf("%v %v", rest, err)
		}
		converted, err := lualike.As[*everything](in)
		if err != nil || !reflect.DeepEqual(&in, converted) {
			t.Fatalf("%+v became %+v, %v", in, converted, err)
		}
		vals, err := lualike.Unpack(data)
		if err != nil {
			t.Fatal(err)
		}
		if typed, err := lualike.As[everything](vals[0]); err != nil || !reflect.DeepEqual(in, typed) {
			t.Fatalf("%+v became %+v, %v", in, typed, err)
		}
	})
}
