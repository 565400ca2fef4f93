//go:build interop

package cluster_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/tinylib/msgp/msgp"
)

// valueTest is something that a row of the table of values in docs/api.md says.
type valueTest struct {
	row  string // its cell for Lua
	name string
	run  func(c *service.Context) error
	log  string // which Lua logs then
}

// is: v in Go is the expression in Lua, which sees it as told, whichever way it
// goes.
func is[T any](row string, v T, expression, sees string) valueTest {
	return valueTest{row: row, name: fmt.Sprintf("%T/%s", v, expression), run: func(c *service.Context) error {
		back, err := cluster.CallAs[T](c, "lua", "@sdb", "echo", v)
		if err := errors.Join(err, want("there and back", show(back), show(v))); err != nil {
			return err
		}
		got, err := cluster.Call(c, "lua", "@sdb", "through", "go", expression)
		if err := errors.Join(err, want("Lua's there and back", got, lualike.Args{sees, sees})); err != nil {
			return err
		}
		return errors.Join(sends(row, v, sees).run(c), reads(row, expression, v).run(c))
	}}
}

// sends: Lua sees v as told.
func sends(row string, v any, sees string) valueTest {
	return valueTest{row: row, name: fmt.Sprintf("%T/%s", v, sees), run: func(c *service.Context) error {
		got, err := cluster.CallAs[string](c, "lua", "@sdb", "describe", v)
		return errors.Join(err, want("Lua sees", got, sees))
	}}
}

// reads: what the expression makes in Lua is v for who asks for a T.
func reads[T any](row, expression string, v T) valueTest {
	return valueTest{row: row, name: fmt.Sprintf("%s/%T", expression, v), run: func(c *service.Context) error {
		got, err := cluster.CallAs[T](c, "lua", "@sdb", "value", expression)
		return errors.Join(err, want("Go reads", show(got), show(v)))
	}}
}

// misreads: what the expression makes in Lua is no T.
func misreads[T any](row, expression string, is error) valueTest {
	return valueTest{row: row, name: fmt.Sprintf("%s/%v", expression, is), run: func(c *service.Context) error {
		got, err := cluster.CallAs[T](c, "lua", "@sdb", "value", expression)
		if !errors.Is(err, is) {
			return fmt.Errorf("read as %v, %v; want %v", got, err, is)
		}
		return nil
	}}
}

// refuses: Go does not pack v.
func refuses(row string, v any, is error) valueTest {
	return valueTest{row: row, name: fmt.Sprintf("%T/%v", v, is), run: func(c *service.Context) error {
		if _, err := cluster.Call(c, "lua", "@sdb", "describe", v); !errors.Is(err, is) {
			return fmt.Errorf("got error %v, want %v", err, is)
		}
		return nil
	}}
}

// raises: Lua does not pack what the expression makes.
func raises(row, expression, text string) valueTest {
	return valueTest{row: row, name: expression, log: text, run: func(c *service.Context) error {
		got, err := cluster.Call(c, "lua", "@sdb", "value", expression)
		if !errors.Is(err, service.ErrCallFailed) {
			return fmt.Errorf("Lua packed %v, %v", got, err)
		}
		return nil
	}}
}

// show is a value with its type, so that 0, 0.0 and -0.0 differ and NaN is NaN.
func show(v any) string {
	if table, ok := v.(*lualike.Table); ok {
		b, err := lualike.Pack(table)
		return fmt.Sprintf("table %x %v", b, err)
	}
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && !rv.IsNil() {
		return "&" + show(rv.Elem().Interface())
	}
	return fmt.Sprintf("%#v", v)
}

// point travels as a table.
type point struct {
	X    int `lua:"x"`
	Y    float64
	In   size `lua:"in"`
	Next *point
}

type size struct{ W, H uint8 }

// hero travels as MessagePack.
type hero struct {
	Name  string `lua:"name"`
	Level int    `lua:"level"`
}

func (h *hero) MarshalMsg(b []byte) ([]byte, error) {
	return msgp.AppendInt(msgp.AppendString(msgp.AppendArrayHeader(b, 2), h.Name), h.Level), nil
}

func (h *hero) UnmarshalMsg(b []byte) ([]byte, error) {
	_, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return b, err
	}
	if h.Name, b, err = msgp.ReadStringBytes(b); err != nil {
		return b, err
	}
	h.Level, b, err = msgp.ReadIntBytes(b)
	return b, err
}

// nested is a text in a number of tables; nestedLua makes the same in Lua.
func nested(depth int) (v any) {
	for v = "x"; depth > 0; depth-- {
		v = lualike.Array(v)
	}
	return v
}

func nestedLua(depth int) string {
	return strings.Repeat("{", depth) + `"x"` + strings.Repeat("}", depth)
}

// upvalue is a light userdata.
const upvalue = "(function() local x; return debug.upvalueid(function() return x end, 1) end)()"

var valueTests = func() []valueTest {
	const (
		null, boolean, integer, float, text = "nil", "boolean", "integer", "float", "string"
		message, array, hash, record        = "string of MessagePack", "table, array part", "table, hash part", "table of a record"
		pointer, none                       = "light userdata", "" // none has no row, only a sentence
	)
	five, binary := 5, "\x00\n\xff\"\\"
	hulk, hulkMsg := hero{"hulk", 7}, "\x92\xa4hulk\x07"
	return []valueTest{
		is[any](null, nil, "nil", "nil"),
		is[*int](null, nil, "nil", "nil"),
		is(null, &five, "5", "5"),
		reads(null, "nil", 0),
		reads(null, "nil", ""),
		reads(null, "nil", hero{}),
		is(null, []any{int64(1), nil, int64(3)}, "{1, nil, 3}", "{1, [3]=3}"),
		sends(null, map[string]*int{"a": nil, "b": &five}, `{["b"]=5}`),

		is[any](boolean, true, "true", "true"),
		is(boolean, false, "false", "false"),
		misreads[bool](boolean, "1", lualike.ErrType),

		is[any](integer, int64(0), "0", "0"),
		is(integer, -1, "-1", "-1"),
		is(integer, int64(1)<<53+1, "(1 << 53) + 1", "9007199254740993"),
		is(integer, int64(math.MinInt64), "math.mininteger", "-9223372036854775808"),
		is(integer, uint64(math.MaxInt64), "math.maxinteger", "9223372036854775807"),
		is(integer, uint8(200), "200", "200"),
		refuses(integer, uint64(math.MaxInt64)+1, lualike.ErrRange),
		reads(integer, "3", 3.0),
		misreads[int8](integer, "300", lualike.ErrRange),
		misreads[uint](integer, "-1", lualike.ErrRange),
		misreads[string](integer, "3", lualike.ErrType),

		is[any](float, 1.5, "1.5", "float 1.5"),
		is(float, 1.0, "1.0", "float 1"),
		is(float, float32(0.5), "0.5", "float 0.5"),
		is(float, math.NaN(), "0/0", "float nan"),
		is(float, math.Inf(1), "1/0", "float inf"),
		is(float, math.Inf(-1), "-1/0", "float -inf"),
		is(float, math.Copysign(0, -1), "-0.0", "float -0"),
		is(float, math.MaxFloat64, "1.7976931348623157e308", "float 1.7976931348623157e+308"),
		reads(float, "2.0", 2),
		misreads[int](float, "2.5", lualike.ErrRange),
		misreads[int](float, "2.0^63", lualike.ErrRange),

		is[any](text, binary, `"\0\n\255\"\\"`, `"\x00\x0a\xff\x22\x5c"`),
		is(text, []byte(binary), `"\0\n\255\"\\"`, `"\x00\x0a\xff\x22\x5c"`),
		is(text, "", `""`, `""`),
		is(text, "你好", `"你好"`, `"\xe4\xbd\xa0\xe5\xa5\xbd"`),
		misreads[int](text, `"5"`, lualike.ErrType),

		is(message, hulk, `"\x92\xa4hulk\x07"`, `"\x92\xa4hulk\x07"`),
		is(message, &hulk, `"\x92\xa4hulk\x07"`, `"\x92\xa4hulk\x07"`),
		is(message, []hero{hulk}, `{"\x92\xa4hulk\x07"}`, `{"\x92\xa4hulk\x07"}`),
		reads(message, `"\x92\xa4hulk\x07"`, hulkMsg),
		reads(message, `{name = "hulk", level = 7}`, hulk),

		is[any](array, lualike.Array("a", "b"), `{"a", "b"}`, `{"a", "b"}`),
		is(array, []int{}, "{}", "{}"),
		is(array, []int{1, 2, 3}, "{1, 2, 3}", "{1, 2, 3}"),
		is(array, [2]bool{true, false}, "{true, false}", "{true, false}"),
		is(array, [][]string{{"a"}, {}}, `{{"a"}, {}}`, `{{"a"}, {}}`),
		is(array, make([]int, 40), `{("\0"):rep(40):byte(1, 40)}`, "{"+strings.Repeat("0, ", 39)+"0}"),
		sends(array, []int(nil), "{}"),
		reads(array, "{7, 8}", map[int]int{1: 7, 2: 8}),
		is(array, nested(32), nestedLua(32), nestedLua(32)),
		refuses(array, nested(33), lualike.ErrTooDeep),
		raises(array, nestedLua(33), "serialize can't pack too depth table"),

		is[any](hash, lualike.Map(map[string]any{"a": 1}), "{a = 1}", `{["a"]=1}`),
		is(hash, map[string]int{}, "{}", "{}"),
		is(hash, map[string]int{"a": 1, "b": 2}, "{a = 1, b = 2}", `{["a"]=1, ["b"]=2}`),
		is(hash, map[float64]string{1.5: "x", 2: "y"}, `{[1.5] = "x", [2] = "y"}`, `{[2]="y", [float 1.5]="x"}`),
		is(hash, map[bool]int64{true: 1, false: 0}, "{[true] = 1, [false] = 0}", "{[false]=0, [true]=1}"),
		is(hash, map[int]string{-1: "a", 1 << 40: "b"}, `{[-1] = "a", [1 << 40] = "b"}`, `{[-1]="a", [1099511627776]="b"}`),
		sends(hash, map[int]string{1: "a", 2: "b"}, `{"a", "b"}`),
		reads(hash, `{"a", "b", x = "c"}`, map[any]string{int64(1): "a", int64(2): "b", "x": "c"}),
		refuses(hash, map[float64]int{math.NaN(): 1}, lualike.ErrKey),

		is(record, point{1, 2.5, size{W: 3}, nil}, `{x = 1, Y = 2.5, ["in"] = {W = 3, H = 0}}`,
			`{["Y"]=float 2.5, ["in"]={["H"]=0, ["W"]=3}, ["x"]=1}`),
		sends(record, lualike.AsTable(hulk), `{["level"]=7, ["name"]="hulk"}`),
		reads(record, `{x = 1, more = true, "array"}`, point{X: 1}),
		misreads[point](record, `{x = "1"}`, lualike.ErrType),

		{row: pointer, name: "through", run: func(c *service.Context) error {
			got, err := cluster.Call(c, "lua", "@sdb", "through", "go", upvalue)
			if err := errors.Join(err, want("there and back", got.At(1), got.At(0))); err != nil {
				return err
			}
			p, err := cluster.CallAs[any](c, "lua", "@sdb", "value", upvalue)
			if _, ok := p.(lualike.Pointer); !ok {
				return fmt.Errorf("Go reads %T, %v", p, err)
			}
			return nil
		}},

		raises(none, "print", "Unsupport type function to serialize"),
		raises(none, "coroutine.create(print)", "Unsupport type thread to serialize"),
		raises(none, "io.stdout", "Unsupport type userdata to serialize"),
		refuses(none, func() {}, lualike.ErrUnsupported),
		refuses(none, map[string]any{"a": make(chan int)}, lualike.ErrUnsupported),
	}
}()

func TestInteropValues(t *testing.T) {
	p := startPair(t)
	tested := make(map[string]bool)
	for _, test := range valueTests {
		tested[test.row] = true
		t.Run(cmp.Or(test.row, "none")+"/"+test.name, func(t *testing.T) {
			if err := service.Run(t.Context(), p.Node.Node, test.run); err != nil {
				t.Error(err)
			}
			if test.log != "" {
				p.lua.Wait(regexp.QuoteMeta(test.log))
			}
		})
	}
	for _, row := range documentedRows(t) {
		if !tested[row] {
			t.Errorf("docs/api.md has a row %q, which is not tested", row)
		}
		delete(tested, row)
	}
	delete(tested, "")
	for row := range tested {
		t.Errorf("docs/api.md has no row %q", row)
	}
}

// documentedRows returns what the table of values has in its column for Lua.
func documentedRows(t *testing.T) (rows []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Values\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile(`(?m)^\|[^|]+\| ([^|]+?) \|`).FindAllStringSubmatch(section, -1) {
		rows = append(rows, m[1])
	}
	if len(rows) < 2 {
		t.Fatal("docs/api.md has no table of values")
	}
	return rows[1:] // without the heading
}

// Arguments and results may be nil anywhere, also at the end.
func TestInteropNilArguments(t *testing.T) {
	p := startPair(t)
	p.Run(func(c *service.Context) error {
		for _, args := range []lualike.Args{{}, {nil}, {1, nil, 3}, {nil, 1, nil}, {nil, nil}} {
			got, err := cluster.Call(c, "lua", "@sdb", append(lualike.Args{"echo"}, args...)...)
			if err := errors.Join(err, want("there and back", got, args)); err != nil {
				return err
			}
		}
		for _, list := range []string{"1, nil, 3", "nil, 1, nil", "nil, nil"} {
			got, err := cluster.Call(c, "lua", "@sdb", "through", "go", list)
			if err := errors.Join(err, want("Lua's there and back", got, lualike.Args{list, list})); err != nil {
				return err
			}
		}
		return nil
	})
}
