package lualike_test

import (
	"errors"
	"io"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/skynetgo/skynet/lualike"
)

func pack(t testing.TB, args ...any) []byte {
	t.Helper()
	data, err := lualike.Pack(args...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// into is a test of one conversion: in is packed and decoded into a variable of the type of want, and also given to Convert.
type into struct {
	in   any
	want any
}

func (c into) run(t *testing.T) {
	t.Helper()
	check := func(what string, target reflect.Value, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if got := target.Elem().Interface(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s gave %#v, want %#v", what, got, c.want)
		}
	}
	target := reflect.New(reflect.TypeOf(c.want))
	check("Decode", target, lualike.NewDecoder(pack(t, c.in)).Decode(target.Interface()))
	target = reflect.New(reflect.TypeOf(c.want))
	check("Convert", target, lualike.Convert(c.in, target.Interface()))
}

type (
	myString string
	myInt    int32
	myFloat  float32
	myBool   bool
	myBytes  []byte
)

func TestConversions(t *testing.T) {
	three := 3
	ptr := &three
	tests := map[string]into{
		"int":                  {1, int64(1)},
		"int8":                 {-128, int8(-128)},
		"uint8":                {255, uint8(255)},
		"uint64":               {int64(math.MaxInt64), uint64(math.MaxInt64)},
		"named int":            {7, myInt(7)},
		"duration":             {time.Second, int(time.Second)},
		"float from int":       {3, 3.0},
		"float32 from int":     {3, float32(3)},
		"float32 infinity":     {math.Inf(1), float32(math.Inf(1))},
		"int from float":       {3.0, 3},
		"int64 from float":     {-0x1p63, int64(math.MinInt64)},
		"int8 from float":      {-3.0, int8(-3)},
		"uint from float":      {3.0, uint(3)},
		"named float":          {1.5, myFloat(1.5)},
		"string":               {"x", "x"},
		"named string":         {"x", myString("x")},
		"string from bytes":    {[]byte("x"), "x"},
		"bytes":                {"x", []byte("x")},
		"named bytes":          {"x", myBytes("x")},
		"empty bytes":          {"", []byte{}},
		"bool":                 {true, true},
		"named bool":           {true, myBool(true)},
		"userdata":             {lualike.Pointer(5), lualike.Pointer(5)},
		"nil to int":           {nil, 0},
		"nil to int8":          {nil, int8(0)},
		"nil to float":         {nil, 0.0},
		"nil to string":        {nil, ""},
		"nil to bool":          {nil, false},
		"nil to pointer":       {nil, (*int)(nil)},
		"nil to table":         {nil, (*lualike.Table)(nil)},
		"nil to slice":         {nil, []int(nil)},
		"nil to map":           {nil, map[string]int(nil)},
		"nil to struct":        {nil, base{}},
		"value to pointer":     {3, ptr},
		"pointer to value":     {ptr, 3},
		"pointer to pointer":   {3, &ptr},
		"slice":                {[]any{1, 2.0, nil}, []int{1, 2, 0}},
		"empty slice":          {[]any{}, []int{}},
		"slice of pointers":    {[]any{nil, 3}, []*int{nil, ptr}},
		"slice of any":         {[]int{1}, []any{int64(1)}},
		"array":                {[]int{1, 2}, [3]int{1, 2, 0}},
		"array from pairs":     {map[int]int{2: 5}, [2]int{0, 5}},
		"slices of slices":     {[]any{[]any{1}, []any{}}, [][]int8{{1}, {}}},
		"args":                 {[]int{1}, lualike.Args{int64(1)}},
		"map":                  {map[string]any{"a": 1}, map[string]int{"a": 1}},
		"empty map":            {map[string]any{}, map[string]int{}},
		"map of any":           {map[string]int{"a": 1}, map[string]any{"a": int64(1)}},
		"map from array":       {[]string{"a", "b"}, map[int]string{1: "a", 2: "b"}},
		"map any from array":   {[]any{"a", nil, "c"}, map[any]any{int64(1): "a", int64(3): "c"}},
		"map float from array": {[]string{"a"}, map[float64]string{1: "a"}},
		"named keys":           {map[string]int{"a": 1}, map[myString]myInt{"a": 1}},
		"struct keys":          {map[any]any{[1]int{7}: 1}, map[[1]int]int{{7}: 1}},
		"struct from map":      {map[string]any{"id": 1, "Kind": "x", "other": []any{1, "y"}, "z": nil}, base{ID: 1, Kind: "x"}},
		"struct from struct":   {struct{ Kind, More string }{"k", "m"}, base{Kind: "k"}},
		"struct skips array":   {lualike.Array(1, []any{2}), base{}},
		"struct skips keys":    {map[any]any{1: 2, 2.5: "x", true: []int{}}, base{}},
		"any struct keeps":     {map[string]any{"A": 1}, struct{ A any }{int64(1)}},
		"recursive":            {map[string]any{"next": map[string]any{}}, list{Next: &list{}}},
		"struct with table":    {struct{ T []int }{[]int{}}, struct{ T *lualike.Table }{lualike.NewTable(0, 0)}},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

func TestEmbeddedTargets(t *testing.T) {
	yes := true
	want := shape{base: base{ID: 7}, Extra: &Extra{3}, Name: "n", Empty: "e", List: []int{1}, Flag: &yes, Map: map[string]int{"a": 1}}
	into{map[string]any{
		"id": 7, "Kind": "", "Level": 3, "name": "n", "empty": "e", "List": []int{1}, "flag": true, "map": map[string]int{"a": 1}, "Skip": 9,
	}, want}.run(t)
}

// A list with holes arrives in parts, depending on the border that Lua found.
func TestSparseLists(t *testing.T) {
	holes := lualike.NewTable(0, 0)
	for k, v := range map[any]any{1: "a", 3: "c", 6: "f", "n": 6, 2.5: "x", 0: "zero", -1: "minus"} {
		mustSet(t, holes, k, v)
	}
	into{holes, []string{"a", "", "c", "", "", "f"}}.run(t)
	into{holes, [6]string{"a", "", "c", "", "", "f"}}.run(t)
	floats := "\x06\x42\x00\x00\x00\x00\x00\x00\x00\x40\x0a\x07\x42\x00\x00\x00\x00\x00\x00\xf8\x3f\x0a\x08\x00" // {[2.0] = 7, [1.5] = 8}
	if got, err := lualike.DecodeAs[[]int](lualike.NewDecoder([]byte(floats))); err != nil || !slices.Equal(got, []int{0, 7}) {
		t.Error(got, err)
	}
	if got, err := lualike.As[[]int](map[int]int{10: 1}); err != nil || len(got) != 10 {
		t.Error(got, err)
	}
	if got, err := lualike.As[[]int](map[int]int{11: 1}); !errors.Is(err, lualike.ErrRange) {
		t.Error(got, err)
	}
}

func TestConversionErrors(t *testing.T) {
	sparse := lualike.Map(map[string]any{"x": map[int]int{1: 1, 1000: 2}})
	tests := map[string]struct {
		in, target any
		kind       error
		want       string
	}{
		"string to int":         {"1", new(int), lualike.ErrType, "string is not an integer"},
		"int to string":         {1, new(string), lualike.ErrType, "integer is not a string"},
		"float to string":       {1.5, new(myString), lualike.ErrType, "float is not a string"},
		"string to float":       {"1", new(float64), lualike.ErrType, "string is not a number"},
		"bool to int":           {true, new(int8), lualike.ErrType, "boolean is not an integer"},
		"int to bool":           {1, new(bool), lualike.ErrType, "integer is not a boolean"},
		"int to bytes":          {1, new([]byte), lualike.ErrType, "integer is not a string"},
		"table to string":       {[]any{}, new(string), lualike.ErrType, "table is not a string"},
		"string to slice":       {"x", new([]int), lualike.ErrType, "string is not a table"},
		"string to struct":      {"x", new(base), lualike.ErrType, "string is not a table"},
		"string to table":       {"x", new(*lualike.Table), lualike.ErrType, "string is not a table"},
		"string to map":         {"x", new(map[string]int), lualike.ErrType, "string is not a table"},
		"int to pointer":        {1, new(lualike.Pointer), lualike.ErrType, "integer is not a pointer"},
		"userdata to int":       {lualike.Pointer(1), new(int), lualike.ErrType, "pointer is not an integer"},
		"fraction":              {1.5, new(int), lualike.ErrRange, "float 1.5 has no integer form"},
		"too large":             {0x1p63, new(int64), lualike.ErrRange, "float 9.2233720368548e+18 has no integer form"},
		"nan":                   {math.NaN(), new(int), lualike.ErrRange, "float nan has no integer form"},
		"int8":                  {128, new(int8), lualike.ErrRange, "integer 128 overflows int8"},
		"int8 from float":       {128.0, new(int8), lualike.ErrRange, "integer 128 overflows int8"},
		"uint":                  {-1, new(uint), lualike.ErrRange, "integer -1 overflows uint"},
		"uint16":                {1 << 16, new(uint16), lualike.ErrRange, "integer 65536 overflows uint16"},
		"float32":               {1e300, new(float32), lualike.ErrRange, "1e+300 overflows float32"},
		"element":               {[]any{1, "x"}, new([]int), lualike.ErrType, "[2]: string is not an integer"},
		"element of array":      {[]any{1, "x"}, new([2]int), lualike.ErrType, "[2]: string is not an integer"},
		"element by pair":       {map[int]string{2: "x"}, new([2]int), lualike.ErrType, "[2]: string is not an integer"},
		"array too short":       {[]int{1, 2, 3}, new([2]int), lualike.ErrRange, "3 elements do not fit [2]int"},
		"array by pair":         {map[int]int{3: 1}, new([2]int), lualike.ErrRange, "[3]: does not fit [2]int"},
		"field":                 {map[string]any{"id": "x"}, new(base), lualike.ErrType, ".id: string is not an integer"},
		"field overflow":        {map[string]any{"kind": int64(1) << 40}, new(narrow), lualike.ErrRange, ".kind: integer 1099511627776 overflows int32"},
		"element overflow":      {[]any{1, 300.0}, new([]narrowInt), lualike.ErrRange, "[2]: integer 300 overflows lualike_test.narrowInt"},
		"element float":         {[]any{1, 1e300}, new([]float32), lualike.ErrRange, "[2]: 1e+300 overflows float32"},
		"nil wanted":            {[]any{}, new(lualike.Pointer), lualike.ErrType, "table is not a pointer"},
		"field float":           {map[string]any{"f": 1e300}, new(narrow), lualike.ErrRange, ".f: 1e+300 overflows float32"},
		"long path":             {map[string]any{"a": []any{nil, map[string]any{"id": "x"}}}, new(map[string][]base), lualike.ErrType, ".a[2].id: string is not an integer"},
		"map value":             {map[string]any{"a b": "x"}, new(map[string]int), lualike.ErrType, `["a b"]: string is not an integer`},
		"map key":               {[]any{1}, new(map[string]int), lualike.ErrType, "[1]: integer is not a string"},
		"map value in array":    {[]any{"x"}, new(map[int]int), lualike.ErrType, "[1]: string is not an integer"},
		"map key in pair":       {map[string]any{"a": 1}, new(map[int]int), lualike.ErrType, ".a: string is not an integer"},
		"map table key":         {map[any]any{[1]int{7}: 1}, new(map[int]int), lualike.ErrType, "[table]: table is not an integer"},
		"sparse":                {sparse, new(map[string][]int), lualike.ErrRange, ".x[1000]: too sparse for []int, which has 0 elements"},
		"func":                  {1, new(func()), lualike.ErrUnsupported, "func() cannot be packed"},
		"interface":             {1, new(io.Reader), lualike.ErrUnsupported, "io.Reader cannot be filled from a message"},
		"not a pointer":         {"x", 1, lualike.ErrUnsupported, "target is int, not a pointer to a variable"},
		"nil pointer":           {"x", (*base)(nil), lualike.ErrUnsupported, "target is *lualike_test.base, not a pointer to a variable"},
		"no target":             {"x", nil, lualike.ErrUnsupported, "target is <nil>, not a pointer to a variable"},
		"time":                  {map[string]any{}, new(time.Time), lualike.ErrUnsupported, "time.Time has no exported fields and cannot be packed"},
		"source cannot be sent": {func() {}, new(int), lualike.ErrUnsupported, "func() cannot be packed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			check := func(what, where string, err error) {
				t.Helper()
				if err == nil || err.Error() != where+test.want || !errors.Is(err, test.kind) {
					t.Errorf("%s gave %v, want %s%s", what, err, where, test.want)
				}
			}
			check("Convert", "", lualike.Convert(test.in, test.target))
			data, err := lualike.Pack(1, test.in, "after")
			if err != nil {
				return
			}
			d := lualike.NewDecoder(data)
			if err := d.Skip(); err != nil {
				t.Fatal(err)
			}
			at := d.Offset()
			err = d.Decode(test.target)
			check("Decode", "value 2: ", err)
			if err != nil && d.Offset() != at {
				t.Errorf("stands at %d after the error, was at %d", d.Offset(), at)
			}
		})
	}
}

type narrowInt int8

type narrow struct {
	Kind int32   `lua:"kind"`
	F    float32 `lua:"f"`
}

// What a variable held before must not shine through, nor a repeated key mix two values.
func TestDecodeOverwrites(t *testing.T) {
	v := shape{Name: "old", List: []int{1, 2, 3}, Map: map[string]int{"old": 1}}
	old := v
	d := lualike.NewDecoder(pack(t, map[string]any{"List": []int{9}, "map": map[string]int{"new": 2}}))
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	if want := (shape{List: []int{9}, Map: map[string]int{"new": 2}}); !reflect.DeepEqual(v, want) {
		t.Errorf("got %+v", v)
	}
	if old.List[0] != 1 || len(old.Map) != 1 {
		t.Error("the old list or map was written to")
	}

	type outer struct{ In Inner }
	twice := "\x06" + "\x14In" + "\x06\x0cX\x0a\x01\x00" + "\x14In" + "\x06\x0cY\x0a\x02\x00" + "\x00"
	o, err := lualike.DecodeAs[outer](lualike.NewDecoder([]byte(twice)))
	if err != nil || o.In != (Inner{Y: 2}) {
		t.Errorf("%+v %v", o, err)
	}
	m, err := lualike.DecodeAs[map[string]Inner](lualike.NewDecoder([]byte(twice)))
	if err != nil || m["In"] != (Inner{Y: 2}) {
		t.Errorf("%+v %v", m, err)
	}
	list, err := lualike.DecodeAs[[]Inner](lualike.NewDecoder([]byte("\x0e\x06\x0cX\x0a\x01\x00\x0a\x01\x06\x0cY\x0a\x02\x00\x00")))
	if err != nil || len(list) != 1 || list[0] != (Inner{Y: 2}) {
		t.Errorf("%+v %v", list, err)
	}
	gone, err := lualike.DecodeAs[map[string]int](lualike.NewDecoder([]byte("\x06\x0ca\x0a\x01\x0ca\x00\x00")))
	if err != nil || len(gone) != 0 {
		t.Errorf("%v %v", gone, err)
	}
}

// A table counts for the depth only while it is open.
func TestDepthOfSiblings(t *testing.T) {
	data := pack(t, make([][]int, 3*lualike.DefaultMaxDepth))
	for name, read := range map[string]func(d *lualike.Decoder) error{
		"Next":   func(d *lualike.Decoder) error { _, err := d.Next(); return err },
		"Skip":   (*lualike.Decoder).Skip,
		"Decode": func(d *lualike.Decoder) error { return d.Decode(new([][]int)) },
	} {
		if err := read(lualike.NewDecoder(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// After an error the depth starts anew, and so does everything after Reset.
func TestDecoderUsedAgain(t *testing.T) {
	d := lualike.NewDecoder([]byte("\x0e\x07\x00"))
	d.SetLimits(lualike.Limits{MaxDepth: 1})
	for range 2 {
		if _, err := d.Next(); err == nil || errors.Is(err, lualike.ErrTooDeep) {
			t.Error(err)
		}
	}
	for _, want := range []string{"first text", "other text"} {
		d.Reset(pack(t, 1, want))
		args, err := d.Args()
		if err != nil || args.At(1) != want {
			t.Errorf("%v %v", args, err)
		}
	}
}

// Trailing nils of an announced array do not count: the length must be a border.
func TestUnpackedLength(t *testing.T) {
	for stream, want := range map[string]int{
		"\x16\x0a\x01\x00\x00": 1, "\x16\x00\x00\x00": 0, "\x1e\x00\x00\x0a\x07\x00": 3, "\x0e\x0a\x01\x0a\x03\x0a\x03\x0a\x02\x0a\x02\x00": 3,
	} {
		args, err := lualike.Unpack([]byte(stream))
		if err != nil {
			t.Fatal(err)
		}
		if table, err := args.Table(0); err != nil || table.Len() != want {
			t.Errorf("%x: %v %v, want length %d", stream, table, err, want)
		}
	}
}

// Keys of any kind follow Lua: 2.0 is 2, and NaN is none.
func TestMapKeys(t *testing.T) {
	two := "\x06\x42\x00\x00\x00\x00\x00\x00\x00\x40\x0a\x07\x00"
	m, err := lualike.DecodeAs[map[any]any](lualike.NewDecoder([]byte(two)))
	if err != nil || m[int64(2)] != int64(7) {
		t.Errorf("%v %v", m, err)
	}
	nan := "\x06\x42\x00\x00\x00\x00\x00\x00\xf8\x7f\x0a\x01\x00"
	for _, target := range []any{new(map[any]any), new(map[float64]any), new(any)} {
		err := lualike.NewDecoder([]byte(nan)).Decode(target)
		if !errors.Is(err, lualike.ErrInvalidStream) || err.Error() != "table index is NaN" {
			t.Errorf("%T: %v", target, err)
		}
	}
}

// A table may be a key in Lua; in a Go map it is one as an array, a struct or a *Table.
func TestTablesAsMapKeys(t *testing.T) {
	into{map[any]any{[1]int{7}: "x"}, map[[1]int]string{{7}: "x"}}.run(t)
	got, err := lualike.As[map[any]string](map[any]any{[1]int{7}: "x"})
	if err != nil || len(got) != 1 {
		t.Fatalf("%v %v", got, err)
	}
	for k := range got {
		if _, ok := k.(*lualike.Table); !ok {
			t.Errorf("key is %T", k)
		}
	}
}
