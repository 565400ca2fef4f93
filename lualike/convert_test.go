package lualike_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

// The identical type goes by reference, whatever it is.
func TestIdenticalTypes(t *testing.T) {
	type local struct {
		ch   chan int
		list []any
	}
	v := &local{ch: make(chan int), list: []any{1}}
	if got, err := lualike.As[*local](v); got != v || err != nil {
		t.Error(got, err)
	}
	if got, err := lualike.As[local](*v); got.ch != v.ch || &got.list[0] != &v.list[0] || err != nil {
		t.Error(got, err)
	}
	var target *local
	if err := lualike.Convert(v, &target); target != v || err != nil {
		t.Error(target, err)
	}
	table := lualike.Array(1)
	if got, err := lualike.As[*lualike.Table](table); got != table || err != nil {
		t.Error(got, err)
	}
	var tableTarget *lualike.Table
	if err := lualike.Convert(table, &tableTarget); tableTarget != table || err != nil {
		t.Error(tableTarget, err)
	}
	if got, err := lualike.As[any](table); got != table || err != nil {
		t.Error(got, err)
	}
	fn, err := lualike.As[func() int](func() int { return 7 })
	if err != nil || fn() != 7 {
		t.Error(err)
	}
	r, err := lualike.As[io.Reader](&bytes.Buffer{})
	if err != nil || r == nil {
		t.Error(r, err)
	}
	var reader io.Reader
	if err := lualike.Convert(&bytes.Buffer{}, &reader); err != nil || reader == nil {
		t.Error(reader, err)
	}
}

func TestAs(t *testing.T) {
	if n, err := lualike.As[int](int64(3)); n != 3 || err != nil {
		t.Error(n, err)
	}
	if s, err := lualike.As[string](nil); s != "" || err != nil {
		t.Error(s, err)
	}
	if p, err := lualike.As[*string]("x"); err != nil || *p != "x" {
		t.Error(p, err)
	}
	if p, err := lualike.As[*string](nil); p != nil || err != nil {
		t.Error(p, err)
	}
	// A dynamic receiver sees what it would see of a message, also from a caller next door.
	v, err := lualike.As[any](base{ID: 1})
	if table, ok := v.(*lualike.Table); err != nil || !ok || table.Get("id") != int64(1) {
		t.Error(v, err)
	}
	if v, err := lualike.As[any](7); v != int64(7) || err != nil {
		t.Error(v, err)
	}
	if v, err := lualike.As[int8](300); v != 0 || !errors.Is(err, lualike.ErrRange) {
		t.Error(v, err)
	}
	if _, err := lualike.As[any](func() {}); !errors.Is(err, lualike.ErrUnsupported) {
		t.Error(err)
	}
	if v, err := lualike.As[[]base](lualike.Array(base{ID: 1})); err != nil || v[0].ID != 1 {
		t.Error(v, err)
	}
}

func TestConvertOverwrites(t *testing.T) {
	v := shape{Name: "old", List: []int{1}}
	if err := lualike.Convert(map[string]any{"id": 1}, &v); err != nil || !reflect.DeepEqual(v, shape{base: base{ID: 1}}) {
		t.Errorf("%+v %v", v, err)
	}
	if err := lualike.Convert(nil, &v); err != nil || !reflect.DeepEqual(v, shape{}) {
		t.Errorf("%+v %v", v, err)
	}
	var s any = "old"
	if err := lualike.Convert(func() {}, &s); err == nil || s != "old" {
		t.Error(s, err)
	}
	if err := lualike.Convert(nil, nil); !errors.Is(err, lualike.ErrUnsupported) {
		t.Error(err)
	}
}

func TestNormalize(t *testing.T) {
	table := lualike.Array(1)
	tests := map[string]struct{ in, want any }{
		"nil":         {nil, nil},
		"nil table":   {(*lualike.Table)(nil), nil},
		"nil pointer": {(*int)(nil), nil},
		"table":       {table, table},
		"string":      {"x", "x"},
		"bytes":       {[]byte("x"), "x"},
		"bool":        {true, true},
		"int":         {1, int64(1)},
		"int8":        {int8(1), int64(1)},
		"int16":       {int16(1), int64(1)},
		"int32":       {int32(1), int64(1)},
		"int64":       {int64(1), int64(1)},
		"uint":        {uint(1), int64(1)},
		"uint8":       {uint8(1), int64(1)},
		"uint16":      {uint16(1), int64(1)},
		"uint32":      {uint32(1), int64(1)},
		"uint64":      {uint64(1), int64(1)},
		"float32":     {float32(1.5), 1.5},
		"float64":     {1.5, 1.5},
		"pointer":     {lualike.Pointer(1), lualike.Pointer(1)},
		"named":       {myString("x"), "x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := lualike.Normalize(test.in); got != test.want || err != nil {
				t.Errorf("got %#v, %v", got, err)
			}
		})
	}
	got, err := lualike.Normalize(map[string]any{"a": []int{1}, "b": base{}})
	if err != nil || got.(*lualike.Table).String() != `{a = {1}, b = {id = 0, Kind = ""}}` {
		t.Error(got, err)
	}
	if _, err := lualike.Normalize(uint64(math.MaxUint64)); !errors.Is(err, lualike.ErrRange) {
		t.Error(err)
	}
}

func TestScalarsDoNotAllocate(t *testing.T) {
	for name, v := range map[string]any{"string": "text", "int64": int64(1 << 40), "float64": 2.5, "bool": true, "table": lualike.Array(), "small int": 7} {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := lualike.Normalize(v); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("Normalize of %s: %v allocations", name, n)
		}
	}
	var v any = "text"
	if n := testing.AllocsPerRun(100, func() {
		if s, err := lualike.As[string](v); s != "text" || err != nil {
			t.Error(s, err)
		}
	}); n != 0 {
		t.Errorf("As[string]: %v allocations", n)
	}
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := lualike.AppendPack(buf, "set", 1, "key", true, 1.5); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("AppendPack: %v allocations", n)
	}
}
