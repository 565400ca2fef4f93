package lualike_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/lualike"
)

type base struct {
	ID   int64 `lua:"id"`
	Kind string
}

type Extra struct{ Level int }

type shape struct {
	base
	*Extra
	Name    string         `lua:"name"`
	Skip    int            `lua:"-"`
	Empty   string         `lua:"empty,omitempty"`
	List    []int          `lua:",omitempty"`
	Flag    *bool          `lua:"flag"`
	Map     map[string]int `lua:"map"`
	private int
}

// repack shows the Lua form of a Go value.
func repack(t *testing.T, v any) string {
	t.Helper()
	data, err := lualike.Pack(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := lualike.Unpack(data)
	if err != nil {
		t.Fatal(err)
	}
	return lualike.Array(out...).String()
}

func TestPackGoValues(t *testing.T) {
	yes := true
	one := 1
	type words []string
	tests := map[string]struct {
		in   any
		want string
	}{
		"ints":              {[]any{int8(-1), int16(2), int32(3), uint8(4), uint16(5), uint32(6), uint64(7), uint(8), uintptr(9), time.Second}, "{{-1, 2, 3, 4, 5, 6, 7, 8, 9, 1000000000}}"},
		"floats":            {[]any{float32(1.5), 2.0}, "{{1.5, 2.0}}"},
		"bytes":             {[]byte("abc"), `{"abc"}`},
		"named bytes":       {[]any{time.Duration(1), []uint8(nil)}, `{{1, ""}}`},
		"array of bytes":    {[3]byte{1, 2, 3}, "{{1, 2, 3}}"},
		"strings":           {words{"a", "b"}, `{{"a", "b"}}`},
		"nil slice":         {[]int(nil), "{{}}"},
		"nil map":           {map[string]int(nil), "{{}}"},
		"nil pointer":       {(*shape)(nil), "{}"},
		"pointer":           {&one, "{1}"},
		"interfaces":        {[]any{nil, 1, nil, &one}, "{{[2] = 1, [4] = 1}}"},
		"args":              {lualike.Args{1, "a"}, `{{1, "a"}}`},
		"string map sorted": {map[string]int{"c": 3, "a": 1, "b": 2}, "{{a = 1, b = 2, c = 3}}"},
		"any map sorted":    {map[string]any{"c": 3, "a": nil, "b": "x", "f": 6, "e": 5, "d": 4}, `{{b = "x", c = 3, d = 4, e = 5, f = 6}}`},
		"int map sorted":    {map[int]string{30: "c", -1: "a", 2: "b"}, `{{[-1] = "a", [2] = "b", [30] = "c"}}`},
		"uint map sorted":   {map[uint8]int{9: 1, 8: 2, 7: 3, 6: 4, 5: 5}, "{{[5] = 5, [6] = 4, [7] = 3, [8] = 2, [9] = 1}}"},
		"float map":         {map[float64]int{2: 1, 0.5: 2}, "{{[0.5] = 2, [2] = 1}}"},
		"map of nil":        {map[string]*int{"a": nil, "b": &one}, "{{b = 1}}"},
		"pointer value":     {lualike.Pointer(16), "{pointer: 0x10}"},
		"struct": {
			shape{base: base{ID: 7, Kind: "k"}, Name: "n", Map: map[string]int{"a": 1}},
			`{{id = 7, Kind = "k", name = "n", map = {a = 1}}}`,
		},
		"struct in full": {
			&shape{base: base{ID: 7}, Extra: &Extra{3}, Name: "n", Skip: 5, Empty: "e", List: []int{1}, Flag: &yes, private: 1},
			`{{id = 7, Kind = "", Level = 3, name = "n", empty = "e", List = {1}, flag = true, map = {}}}`,
		},
		"empty struct": {struct{}{}, "{{}}"},
		"omitted": {
			struct {
				I int            `lua:",omitempty"`
				B bool           `lua:",omitempty"`
				P *int           `lua:",omitempty"`
				L []int          `lua:",omitempty"`
				M map[string]int `lua:",omitempty"`
				A any            `lua:",omitempty"`
				S struct{}       `lua:",omitempty"`
			}{L: []int{}, M: map[string]int{}}, "{{S = {}}}",
		},
		"not omitted": {
			struct {
				I int  `lua:",omitempty"`
				P *int `lua:"p,omitempty"`
			}{2, new(int)}, "{{I = 2, p = 0}}",
		},
		"bool map": {map[bool]int{true: 1}, "{{[true] = 1}}"},
		"all left out": {struct {
			A int `lua:"-"`
		}{1}, "{{}}"},
		"long name":        {struct{ A string }{strings.Repeat("x", 32)}, `{{A = "` + strings.Repeat("x", 32) + `"}}`},
		"table in a field": {struct{ T *lualike.Table }{lualike.Array(1)}, "{{T = {1}}}"},
		"go values inside a table": {
			lualike.Array(base{ID: 1}, []int{2}, (*int)(nil), 3),
			`{{{id = 1, Kind = ""}, {2}, [4] = 3}}`,
		},
		"go nil inside a table": {lualike.Map(map[string]any{"p": []*int{nil}, "q": 1}), "{{p = {}, q = 1}}"},
		"pointer field in any":  {struct{ V any }{&one}, "{{V = 1}}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := repack(t, test.in); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

type Inner struct{ X, Y int }

type Other struct{ X, Z int }

type rivals struct {
	Inner
	Other
	Y string
}

type tagged struct {
	Inner `lua:"inner"`
	Other struct {
		Z int `lua:"Y"`
	}
	Y int `lua:"Y"`
}

type tagWins struct {
	A1 int `lua:"v"`
	V  int `lua:"-"`
	twin
}

type twin struct {
	W  int
	W2 int `lua:"W"`
}

type Loop struct {
	*Loop
	N int
}

type left struct{ Inner }

type right struct{ Inner }

type diamond struct {
	left
	right
	Z int
}

func TestEmbeddedFields(t *testing.T) {
	tests := map[string]struct {
		in   any
		want string
	}{
		"a tie hides both, the outer one wins": {rivals{Inner{1, 2}, Other{3, 4}, "y"}, `{{Z = 4, Y = "y"}}`},
		"a tag keeps the struct together":      {tagged{Inner: Inner{1, 2}, Y: 5}, "{{inner = {X = 1, Y = 2}, Other = {Y = 0}, Y = 5}}"},
		"a tag wins at one depth":              {tagWins{A1: 1, twin: twin{W: 2, W2: 3}}, "{{v = 1, W = 3}}"},
		"a type inside itself, further in":     {struct{ Loop }{Loop{N: 1}}, "{{N = 1}}"},
		"a type inside itself":                 {Loop{N: 1, Loop: &Loop{N: 2}}, "{{N = 1}}"},
		"a type twice at one level is a tie":   {diamond{Z: 1}, "{{Z = 1}}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := repack(t, test.in); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

type selfPointer *selfPointer

type list struct {
	Next *list `lua:"next"`
}

func TestUnsupported(t *testing.T) {
	type item struct {
		Fn func() `lua:"fn"`
	}
	type bag struct {
		Items []item `lua:"items"`
	}
	var any1 any
	any1 = &any1
	ring := &list{}
	ring.Next = ring
	tests := map[string]struct {
		args []any
		kind error
		want string
	}{
		"func":            {[]any{1, func() {}}, lualike.ErrUnsupported, "argument 2: func() cannot be packed"},
		"path":            {[]any{"set", bag{make([]item, 3)}}, lualike.ErrUnsupported, "argument 2: .items[1].fn: func() cannot be packed"},
		"chan":            {[]any{make(chan int)}, lualike.ErrUnsupported, "argument 1: chan int cannot be packed"},
		"complex":         {[]any{[]any{1, 1i}}, lualike.ErrUnsupported, "argument 1: [2]: complex128 cannot be packed"},
		"in a map":        {[]any{map[string]any{"a b": func() {}}}, lualike.ErrUnsupported, `argument 1: ["a b"]: func() cannot be packed`},
		"in an int map":   {[]any{map[int]any{3: func() {}}}, lualike.ErrUnsupported, "argument 1: [3]: func() cannot be packed"},
		"in a table":      {[]any{lualike.Map(map[string]any{"x": lualike.Array(1, func() {})})}, lualike.ErrUnsupported, "argument 1: .x[2]: func() cannot be packed"},
		"no fields":       {[]any{time.Time{}}, lualike.ErrUnsupported, "argument 1: time.Time has no exported fields and cannot be packed"},
		"pointer type":    {[]any{[]selfPointer{nil}}, lualike.ErrUnsupported, "argument 1: [1]: lualike_test.selfPointer points to itself only"},
		"uint64":          {[]any{uint64(math.MaxUint64)}, lualike.ErrRange, "argument 1: 18446744073709551615 overflows integer"},
		"uint64 in table": {[]any{lualike.Array(uint64(1 << 63))}, lualike.ErrRange, "argument 1: [1]: 9223372036854775808 overflows integer"},
		"nil key":         {[]any{map[any]int{nil: 1}}, lualike.ErrKey, "argument 1: [nil]: table index is nil"},
		"nan key":         {[]any{map[float64]int{math.NaN(): 1}}, lualike.ErrKey, "argument 1: [nan]: table index is NaN"},
		"cycle":           {[]any{ring}, lualike.ErrTooDeep, "argument 1: " + strings.Repeat(".next", 16) + "…" + strings.Repeat(".next", 16) + ": serialize can't pack too depth table"},
		"pointer cycle":   {[]any{any1}, lualike.ErrTooDeep, "argument 1: serialize can't pack too depth table"},
		"marked cycle":    {[]any{lualike.AsTable(any1)}, lualike.ErrTooDeep, "argument 1: serialize can't pack too depth table"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			prefix := []byte("prefix")
			got, err := lualike.AppendPack(prefix, test.args...)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			if !errors.Is(err, test.kind) {
				t.Errorf("not %v", test.kind)
			}
			if string(got) != "prefix" {
				t.Errorf("destination became %q", got)
			}
		})
	}
}

// Structs and maps must respect the depth exactly as tables do, though they are packed by other code.
func TestPackDepthOfGoValues(t *testing.T) {
	build := map[string]func(levels int) any{
		"slices": func(n int) any {
			var v any = []any{1}
			for range n - 1 {
				v = []any{v}
			}
			return v
		},
		"maps": func(n int) any {
			var v any = map[string]any{"k": 1}
			for range n - 1 {
				v = map[string]any{"k": v}
			}
			return v
		},
		"structs": func(n int) any {
			var v any = struct{ V int }{1}
			for range n - 1 {
				v = struct{ V any }{v}
			}
			return v
		},
		"typed maps": func(n int) any {
			var v any = map[int]string{1: "x"}
			for range n - 1 {
				v = map[int]any{1: v}
			}
			return v
		},
		"arrays": func(n int) any {
			var v any = [1]string{"x"}
			for range n - 1 {
				v = [1]any{v}
			}
			return v
		},
	}
	for name, f := range build {
		t.Run(name, func(t *testing.T) {
			if _, err := lualike.Pack(f(32)); err != nil {
				t.Error(err)
			}
			if _, err := lualike.Pack(f(33)); !errors.Is(err, lualike.ErrTooDeep) {
				t.Errorf("33 levels: %v", err)
			}
		})
	}
}

// A pair without value leaves no bytes, and a float key without fraction leaves those of the integer: as from a Lua table.
func TestPackedPairs(t *testing.T) {
	for name, test := range map[string]struct {
		in   any
		want string
	}{
		"nil field":          {struct{ P, Q *int }{}, "\x06\x00"},
		"nil in an any map":  {map[string]any{"a": nil, "b": (*int)(nil)}, "\x06\x00"},
		"nil in a typed map": {map[string]*int{"a": nil}, "\x06\x00"},
		"nil in a table":     {lualike.Map(map[string]any{"a": lualike.AsTable(nil)}), "\x06\x00"},
		"integral key":       {map[float64]int{2: 1}, "\x06\x0a\x02\x0a\x01\x00"},
		"integral any key":   {map[any]int{2.0: 1}, "\x06\x0a\x02\x0a\x01\x00"},
		"go map of 1..n":     {map[int]bool{1: true, 2: true}, "\x06\x0a\x01\x09\x0a\x02\x09\x00"},
	} {
		if got := pack(t, test.in); string(got) != test.want {
			t.Errorf("%s: %x, want %x", name, got, test.want)
		}
	}
}

func TestAppendPack(t *testing.T) {
	got, err := lualike.AppendPack([]byte("x"), nil, true)
	if err != nil || string(got) != "x\x00\x09" {
		t.Errorf("%q %v", got, err)
	}
}
