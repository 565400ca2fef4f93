package lualike_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

func mustSet(t *testing.T, table *lualike.Table, key, value any) {
	t.Helper()
	if err := table.Set(key, value); err != nil {
		t.Fatal(err)
	}
}

func TestTableKeys(t *testing.T) {
	type name string
	type number int16
	ref := lualike.Array(1)
	tests := map[string]struct{ set, get any }{
		"string":             {"a", "a"},
		"named string":       {name("a"), "a"},
		"bytes":              {[]byte("a"), "a"},
		"int":                {7, int64(7)},
		"int8":               {int8(7), 7},
		"uint64":             {uint64(7), 7},
		"named int":          {number(7), 7},
		"zero":               {0, 0},
		"negative":           {-1, -1},
		"integral float":     {7.0, 7},
		"integral float32":   {float32(7), 7},
		"float":              {7.5, 7.5},
		"infinity":           {math.Inf(1), math.Inf(1)},
		"false":              {false, false},
		"pointer":            {lualike.Pointer(1), lualike.Pointer(1)},
		"table":              {ref, ref},
		"the number after n": {1, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			table := lualike.NewTable(0, 0)
			mustSet(t, table, test.set, "v")
			if got := table.Get(test.get); got != "v" {
				t.Errorf("Get gave %v", got)
			}
			if n := count(table); n != 1 {
				t.Errorf("%d pairs", n)
			}
			mustSet(t, table, test.get, nil)
			if got := table.Get(test.get); got != nil {
				t.Errorf("Get after deletion gave %v", got)
			}
		})
	}
}

func TestTableKinds(t *testing.T) {
	table := lualike.Map(map[string]any{"s": "1", "i": 1})
	if table.Get("1") != nil || table.Get(1) != nil || table.Get("i") != int64(1) {
		t.Error("keys or values of different types are mixed up")
	}
	if lualike.Array(lualike.Array()).Get(lualike.Array()) != nil {
		t.Error("another table with equal contents is another key")
	}
}

func TestTableBadKeys(t *testing.T) {
	for name, key := range map[string]any{
		"nil": nil, "nan": math.NaN(), "nil table": (*lualike.Table)(nil), "struct": struct{ A int }{1}, "slice": []any{1},
		"too large": uint64(math.MaxUint64), "func": func() {},
	} {
		t.Run(name, func(t *testing.T) {
			table := lualike.NewTable(0, 0)
			if err := table.Set(key, 1); !errors.Is(err, lualike.ErrKey) {
				t.Errorf("Set gave %v", err)
			}
			if got := table.Get(key); got != nil {
				t.Errorf("Get gave %v", got)
			}
		})
	}
}

func TestTableLength(t *testing.T) {
	table := lualike.NewTable(4, 4)
	step := func(want int, what string) {
		t.Helper()
		if table.Len() != want {
			t.Fatalf("length %d after %s, want %d", table.Len(), what, want)
		}
	}
	table.Append("a")
	table.Append(nil)
	step(1, "append of nil")
	mustSet(t, table, 3, "c")
	step(1, "a gap")
	mustSet(t, table, 4, "d")
	mustSet(t, table, 2, "b")
	step(4, "closing the gap")
	mustSet(t, table, 3, nil)
	step(4, "a hole inside")
	mustSet(t, table, 4, nil)
	step(2, "deleting the end next to a hole")
	table.Append("x")
	if table.Get(3) != "x" {
		t.Error("Append did not go to the end")
	}
	if got := lualike.Array(1, nil, 3, nil).Len(); got != 3 {
		t.Errorf("array with trailing nil has length %d", got)
	}
}

func TestTableTypedNilIsNil(t *testing.T) {
	table := lualike.Array(1, (*int)(nil))
	mustSet(t, table, "k", (*lualike.Table)(nil))
	if n := count(table); n != 1 {
		t.Errorf("%d pairs, want 1", n)
	}
}

// The hash part has an index only from a certain size on; both forms must agree.
func TestTableOrderAndDeletion(t *testing.T) {
	for _, size := range []int{3, 8, 9, 10, 100} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			table := lualike.NewTable(0, 0)
			for i := range size {
				mustSet(t, table, fmt.Sprintf("k%d", i), i)
			}
			// Deleting while going through is allowed, as in Lua.
			for k, v := range table.All() {
				if v.(int64)%4 != 0 {
					mustSet(t, table, k, nil)
				}
			}
			for i := range size {
				mustSet(t, table, fmt.Sprintf("n%d", i), i)
			}
			var got, want []string
			for k := range table.All() {
				got = append(got, k.(string))
			}
			for i := 0; i < size; i += 4 {
				want = append(want, fmt.Sprintf("k%d", i))
			}
			for i := range size {
				want = append(want, fmt.Sprintf("n%d", i))
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Fatalf("order %v, want %v", got, want)
			}
			for i, k := range want[len(want)-size:] {
				if table.Get(k) != int64(i) {
					t.Errorf("%s is %v", k, table.Get(k))
				}
			}
			for i := 0; i < size; i += 4 {
				if k := fmt.Sprintf("k%d", i); table.Get(k) != int64(i) {
					t.Errorf("%s is %v", k, table.Get(k))
				}
			}
			for range table.All() {
				break
			}
		})
	}
}

func TestTableDeletedKeyComesBack(t *testing.T) {
	for _, size := range []int{3, 20} {
		table := lualike.NewTable(0, size)
		for i := range size {
			mustSet(t, table, fmt.Sprint("k", i), i)
		}
		mustSet(t, table, "k1", nil)
		mustSet(t, table, "k1", "again")
		var last any
		for k := range table.All() {
			last = k
		}
		if n := count(table); n != size || table.Get("k1") != "again" || last != "k1" {
			t.Errorf("%d pairs, last %v", n, last)
		}
	}
}

func TestTableReplaceKeepsOrder(t *testing.T) {
	table := lualike.Map(map[string]any{"a": 1, "b": 2})
	mustSet(t, table, "a", 3)
	if got := table.String(); got != "{a = 3, b = 2}" {
		t.Error(got)
	}
}

func TestTableString(t *testing.T) {
	deep := nest(10, 1)
	long := lualike.NewTable(0, 0)
	for i := range 10_000 {
		long.Append(i)
	}
	tests := map[string]struct {
		table *lualike.Table
		want  string
	}{
		"nil":     {nil, "nil"},
		"empty":   {lualike.NewTable(0, 0), "{}"},
		"array":   {lualike.Array(1, 2.0, "x", true, nil, 1e100), `{1, 2.0, "x", true, [6] = 1e+100}`},
		"mixed":   {lualike.Map(map[string]any{"a b": 1, "ok": lualike.Array()}), `{["a b"] = 1, ok = {}}`},
		"special": {lualike.Array(math.Inf(1), math.Inf(-1), math.NaN(), lualike.Pointer(255), func() {}), "{inf, -inf, nan, pointer: 0xff, <func()>}"},
		"deep":    {deep, "{{{{{{{…}}}}}}}"},
		"string":  {lualike.Array(strings.Repeat("x", 100)), `{"` + strings.Repeat("x", 40) + `"…}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.table.String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	t.Run("bounded", func(t *testing.T) {
		self := lualike.NewTable(0, 0)
		for range 10 {
			self.Append(self)
		}
		for _, table := range []*lualike.Table{long, self} {
			if got := table.String(); len(got) > 1200 || !strings.Contains(got, "…") || !strings.HasSuffix(got, "}") {
				t.Errorf("%d bytes: %s", len(got), got)
			}
		}
	})
}

func TestArgs(t *testing.T) {
	args := lualike.Args{int64(1), 2.5, "s", true, lualike.Array(1), nil, int8(3), 4.0}
	if n, err := args.Int(0); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := args.Int(6); n != 3 || err != nil {
		t.Error(n, err)
	}
	if n, err := args.Int(7); n != 4 || err != nil {
		t.Error(n, err)
	}
	if f, err := args.Float(0); f != 1 || err != nil {
		t.Error(f, err)
	}
	if f, err := args.Float(1); f != 2.5 || err != nil {
		t.Error(f, err)
	}
	if s, err := args.Str(2); s != "s" || err != nil {
		t.Error(s, err)
	}
	if b, err := args.Bool(3); !b || err != nil {
		t.Error(b, err)
	}
	if table, err := args.Table(4); err != nil || table.Len() != 1 {
		t.Error(table, err)
	}
	if args.At(2) != "s" || args.At(99) != nil || args.At(-1) != nil {
		t.Error("At")
	}
}

func TestArgsErrors(t *testing.T) {
	args := lualike.Args{int64(1), 2.5, "s", nil}
	tests := map[string]struct {
		get  func() error
		want string
	}{
		"string is no integer":  {func() error { _, err := args.Int(2); return err }, "argument 3: string is not an integer"},
		"fraction":              {func() error { _, err := args.Int(1); return err }, "argument 2: float 2.5 has no integer form"},
		"string is no number":   {func() error { _, err := args.Float(2); return err }, "argument 3: string is not a number"},
		"integer is no string":  {func() error { _, err := args.Str(0); return err }, "argument 1: integer is not a string"},
		"float is no boolean":   {func() error { _, err := args.Bool(1); return err }, "argument 2: float is not a boolean"},
		"string is no table":    {func() error { _, err := args.Table(2); return err }, "argument 3: string is not a table"},
		"nil":                   {func() error { _, err := args.Str(3); return err }, "argument 4: nil is not a string"},
		"past the end":          {func() error { _, err := args.Table(8); return err }, "argument 9: nil is not a table"},
		"integer for a boolean": {func() error { _, err := args.Bool(0); return err }, "argument 1: integer is not a boolean"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.get()
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if !errors.Is(err, lualike.ErrType) && !errors.Is(err, lualike.ErrRange) {
				t.Error("no sentinel")
			}
		})
	}
}
