package luaconf

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// allocated gives the bytes that f allocates in its whole course.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func TestMemoryLimit(t *testing.T) {
	const limit = 4 << 20
	tests := map[string]string{
		"doubling":          "a = 'x' while true do a = a .. a end",
		"doubling local":    "local a = 'x' while true do a = a .. a .. 'y' end",
		"string parts":      "local t, n = {}, 'x' while true do n = n .. 'x' t[#t + 1] = n end",
		"nested tables":     "local t = {} while true do t = {t, x = 1} end",
		"list":              "local t = {} while true do t[#t + 1] = true end",
		"list of numbers":   "local t = {} for i = 1, 1e9 do t[i] = i + 0.5 end",
		"negative keys":     "local t = {} for i = 1, 1e9 do t[-i] = i end",
		"string keys":       "local t = {} for i = 1, 1e9 do t['' .. i] = i end",
		"table keys":        "local t = {} while true do t[{}] = 1 end",
		"far index":         "local t = {} t[60000000] = 1",
		"far field":         "local t = {[60000000] = 1}",
		"far fields":        "local t while true do t = {t, [100000] = nil} end",
		"closures":          "local f while true do local g = f f = function() return g end end",
		"named closures":    "local o = {} while true do local g = o.f function o.f() return g end end",
		"local closures":    "local f while true do local g = f local function h() return g end f = h end",
		"methods":           "local o = {} while true do local g = o.f function o:f() return g end end",
		"globals":           "for i = 1, 1e9 do _ENV['k' .. i] = 1 end",
		"values":            "local function f(...) return f(1, ...) end f()",
		"varargs in tables": "local function f(...) local t = {...} return f(t, ...) end f()",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() { _, err = Options{MaxBytes: limit, MaxTime: time.Hour}.LoadString("cfg", text) })
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "cfg:") || !strings.Contains(err.Error(), "memory") && !strings.Contains(err.Error(), "too many values") {
				t.Error(err)
			}
			if used > 3*limit {
				t.Errorf("%d bytes allocated, limit %d", used, limit)
			}
		})
	}
}

func TestDefaultMemoryLimit(t *testing.T) {
	var err error
	used := allocated(func() { _, err = LoadString("cfg", "a='x'\nwhile true do\n a = a .. a end") })
	checkError(t, "", err, "cfg:3: needs more than 67108864 bytes of memory")
	if used > 2*defaultMaxBytes {
		t.Errorf("%d bytes allocated", used)
	}
}

// Sources that cost the parser and the compiler more than their length.
func TestSourceLimits(t *testing.T) {
	tests := map[string]string{
		"parentheses": "k = " + strings.Repeat("(", 500_000),
		"tables":      "k = " + strings.Repeat("{", 500_000),
		"closed":      "k = " + strings.Repeat("(", 2000) + "1" + strings.Repeat(")", 2000) + strings.Repeat(".x", 2000),
		"sum":         "k = 1" + strings.Repeat("+1", 5000),
		"concat":      "k = ''" + strings.Repeat("..''", 5000),
		"not":         "k = " + strings.Repeat("not ", 5000) + "1",
		"minus":       "k = " + strings.Repeat("- ", 5000) + "1",
		"blocks":      strings.Repeat("do ", 5000) + strings.Repeat("end ", 5000),
		"functions":   "k = " + strings.Repeat("function() return ", 5000) + strings.Repeat("end ", 5000),
		"elseif":      "if x then " + strings.Repeat("elseif x then ", 5000) + "end",
		"calls":       "k = " + strings.Repeat("f(", 5000) + strings.Repeat(")", 5000),
		"chain":       "f" + strings.Repeat("()", 5000),
		"fields":      "k = #{" + strings.Repeat("1,", 25_600) + "}",
		"one piece":   "local k " + strings.Repeat("k=k ", 20_000),
		"statements":  strings.Repeat("k=1 ", 200_000),
		"locals":      strings.Repeat("local k ", 300),
		"long":        "--" + strings.Repeat("x", maxSource),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() { _, err = LoadTable("cfg", text) })
			if err == nil {
				t.Fatal("no error")
			}
			if used > 2*defaultMaxBytes {
				t.Errorf("%d bytes allocated", used)
			}
		})
	}
}

func TestLongSources(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"cfg":  "include 'long'",
		"long": "--" + strings.Repeat("x", maxSource),
		"many": "for i = 1, 1e9 do include 'small' end", "small": "k = 1",
	})
	_, err := LoadFile(filepath.Join(dir, "long"))
	checkError(t, dir, err, "long: longer than 1 MiB")
	_, err = LoadFile(filepath.Join(dir, "cfg"))
	checkError(t, dir, err, `cfg:1: include "long": long: longer than 1 MiB`)
	_, err = Options{MaxBytes: 1 << 20}.LoadFile(filepath.Join(dir, "many"))
	checkError(t, dir, err, "small: needs more than 1048576 bytes of memory")
	_, err = withEnv(map[string]string{"A": strings.Repeat("x", maxSource)}).LoadString("cfg", "\n-- $A $A $A")
	checkError(t, "", err, "cfg:2: longer than 1 MiB")
	_, err = withEnv(map[string]string{"A": strings.Repeat("x", maxSource)}).LoadString("cfg", "-- $A")
	checkError(t, "", err, "cfg:1: longer than 1 MiB")
}

func TestTimeLimit(t *testing.T) {
	for name, text := range map[string]string{
		"while":     "while true do end",
		"repeat":    "repeat until false",
		"for":       "for i = 1, 1e18 do end",
		"goto":      "::a:: goto a",
		"tail call": "local function f() return f() end f()",
		"condition": "local function f() return true end while f() do end",
		"compare":   "local a, b = '', '' for i = 1, 20000 do a = a .. 'x' b = b .. 'x' end while a < b .. 'y' do end",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Options{MaxTime: 20 * time.Millisecond, MaxBytes: 1 << 40}.LoadString("cfg", text)
			checkError(t, "", err, "cfg:1: takes longer than 20ms")
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	o := Options{}.withDefaults()
	if o.MaxTime != 10*time.Second || o.MaxBytes != 64<<20 || o.Getenv == nil {
		t.Errorf("%+v", o)
	}
}

func TestCallDepth(t *testing.T) {
	_, err := LoadString("cfg", "local function f() return 1 + f() end\nf()")
	checkError(t, "", err, "cfg:1: stack overflow")
	c, err := LoadString("cfg", "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end\nk = f(200)")
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := c.Get("k"); v != "200" {
		t.Errorf("k = %s", v)
	}
}

func TestManyOperands(t *testing.T) {
	for _, n := range []int{1, 49, 50, 51, 99, 100, 101, 900} {
		var text, want strings.Builder
		text.WriteString("k = ''")
		for i := range n {
			fmt.Fprintf(&text, " .. %d", i)
			fmt.Fprint(&want, i)
		}
		c, err := LoadString("cfg", text.String())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := c.Get("k"); got != want.String() {
			t.Errorf("%d operands: got %q", n, got)
		}
	}
}

// The hidden functions must stay out of reach.
func TestHiddenFunctions(t *testing.T) {
	for _, name := range []string{`\0new`, `\0concat`, `\0key`, `a\0`} {
		_, err := LoadString("cfg", "_ENV['"+name+"'] = 1")
		if err == nil || !strings.Contains(err.Error(), "holds a NUL") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
