package luaconf

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestB110(t *testing.T) {
	c, err := LoadString("cfg", "text = 'x'\nwhole = 42\nfloat = 1.5\nyes = true\nno = false\nunset = nil\ngone = 1\ngone = nil")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"text": "x", "whole": "42", "float": "1.5", "yes": "true", "no": "false"}
	if got := maps.Collect(c.All()); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := c.Keys(); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Errorf("keys %q", got)
	}
	for _, key := range []string{"unset", "gone", "include", "_ENV"} {
		if v, ok := c.Get(key); ok {
			t.Errorf("%s = %q, want nothing", key, v)
		}
	}
	for _, lib := range []string{"string", "os", "io", "table", "math", "print", "pairs", "require", "load", "pcall", "_G", "setmetatable", "getfenv"} {
		c, err := LoadString("cfg", "k = "+lib+" == nil")
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := c.Get("k"); v != "true" {
			t.Errorf("%s is there", lib)
		}
	}
}

func TestB110Errors(t *testing.T) {
	tests := map[string]struct {
		text, want string
		key        string
	}{
		"table":    {"a = 1\nt = {}", "cfg:2: t: Invalid config table key = t", "t"},
		"function": {"\nfunction t() end", "cfg:2: t: Invalid config table key = t", "t"},
		"include":  {"k = include", "cfg:1: k: Invalid config table key = k", "k"},
		"first":    {"z = {}\ny = {}", "cfg:2: y: Invalid config table key = y", "y"},
		"number":   {"a = 1\n_ENV[1] = 'x'", "cfg:2: Invalid config table", ""},
		"boolean":  {"_ENV[true] = 'x'", "cfg:1: Invalid config table", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := LoadString("cfg", tc.text)
			checkError(t, "", err, tc.want)
			if e := (*Error)(nil); errors.As(err, &e) && e.Key != tc.key {
				t.Errorf("key %q, want %q", e.Key, tc.key)
			}
		})
	}
}

func TestB111(t *testing.T) {
	env := withEnv(map[string]string{"NAME": "db", "PORT": "2528", "LINES": "x = 1\ny = 2", "EMPTY": ""})
	c, err := env.LoadString("cfg", "name = '$NAME-1' -- $PORT\nport = $PORT$EMPTY\n$LINES\nlone = '$ $-'")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"name": "db-1", "port": "2528", "x": "1", "y": "2", "lone": "$ $-"}
	if got := maps.Collect(c.All()); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = env.LoadString("cfg", "\r\n\n-- $NO_SUCH_VAR_X")
	checkError(t, "", err, "cfg:3: os.getenv() failed: NO_SUCH_VAR_X")

	t.Setenv("LUACONF_TEST", "real")
	c, err = LoadString("cfg", "k = '$LUACONF_TEST'")
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := c.Get("k"); v != "real" {
		t.Errorf("k = %q: not the process's environment", v)
	}
}

func TestB112(t *testing.T) {
	absolute := filepath.Join(writeFiles(t, map[string]string{"abs": "include 'beside' abs = 1", "beside": "beside = 1"}), "abs")
	dir := writeFiles(t, map[string]string{
		"cfg":       "k = 'main'\ninclude 'sub/one'\ninclude [[" + absolute + "]]\nlast = k",
		"sub/one":   "include 'two'\nk = 'one'\ninclude '../top'",
		"sub/two":   "two = 'sub'",
		"two":       "two = 'wrong folder'",
		"top":       "\n\ntop = 1",
		"sub/extra": "not even Lua",
	})
	c, err := LoadFile(filepath.Join(dir, "cfg"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"k": "one", "last": "one", "two": "sub", "top": "1", "abs": "1", "beside": "1"}
	if got := maps.Collect(c.All()); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for key, want := range map[string]string{"k": "sub/one:2", "last": "cfg:4", "two": "sub/two:1", "top": "top:3"} {
		file, line := c.Where(key)
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s:%d", filepath.ToSlash(rel), line); got != want {
			t.Errorf("%s was set at %s, want %s", key, got, want)
		}
	}
}

func TestB112Errors(t *testing.T) {
	chain := map[string]string{}
	for i := range 100 {
		chain[fmt.Sprint("f", i)] = fmt.Sprintf("include 'f%d'", i+1)
	}
	tests := map[string]struct {
		cfg   string
		files map[string]string
		want  string
	}{
		"missing":    {"\ninclude 'no'", nil, `cfg:2: include "no": no: No such file or directory`},
		"itself":     {"include 'cfg'", nil, `cfg:1: include "cfg": the file includes itself`},
		"cycle":      {"include 'a/b'", map[string]string{"a/b": "\ninclude '../a/../cfg'"}, `a/b:2: include "../a/../cfg": the file includes itself`},
		"too deep":   {"include 'f0'", chain, `f62:1: include "f63": more than 64 files deep`},
		"not a name": {"include {}", nil, "cfg:1: include needs a file name, not a table"},
		"syntax":     {"include 'a'", map[string]string{"a": "x = 1\ny = )"}, "a:2: unexpected symbol near ')'"},
		"table":      {"include 'a'", map[string]string{"a": "\nx = {}"}, "a:2: x: Invalid config table key = x"},
		"folder":     {"include 'a'", map[string]string{"a/b": ""}, `cfg:1: include "a": a: is a directory`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := writeFiles(t, tc.files)
			writeFile(t, filepath.Join(dir, "cfg"), tc.cfg)
			_, err := LoadFile(filepath.Join(dir, "cfg"))
			checkError(t, dir, err, tc.want)
		})
	}
}

func TestB112Twice(t *testing.T) {
	dir := writeFiles(t, map[string]string{"cfg": "n = 0 include 'a' include 'a'", "a": "n = n + 1"})
	c, err := LoadFile(filepath.Join(dir, "cfg"))
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := c.Get("n"); v != "2" {
		t.Errorf("n = %s after including a file twice", v)
	}
}

func TestB113(t *testing.T) {
	dir := t.TempDir()
	_, err := LoadFile(filepath.Join(dir, "cfg"))
	checkError(t, dir, err, "cfg: No such file or directory")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	_, err = LoadString("FILE", "k = = 1")
	checkError(t, "", err, "FILE:1: unexpected symbol near '='")
	_, err = LoadString("FILE", "k = 1\nfor i = 1 do\n")
	checkError(t, "", err, "FILE:2: unexpected symbol near 'do'")
	_, err = LoadString("FILE", "k = 1\nfor i = 1, 2 do\n")
	checkError(t, "", err, "FILE:3: unexpected symbol near <eof>")
	_, err = LoadString("FILE", "a = 1\r\n\n\rk = [[\r\n]] // 2")
	checkError(t, "", err, "FILE:4: integer division (//) is not supported")
	_, err = LoadString("FILE", "k = {}.x")
	checkError(t, "", err, "FILE:1: unexpected symbol")
	_, err = LoadString("FILE", "k = 1\ngoto away")
	if err == nil || !strings.HasPrefix(err.Error(), "FILE:") {
		t.Errorf("a goto without its label: %v", err)
	}
	if os.Getuid() > 0 {
		path := filepath.Join(dir, "secret")
		if err := os.WriteFile(path, nil, 0); err != nil {
			t.Fatal(err)
		}
		_, err = LoadFile(path)
		checkError(t, dir, err, "secret: Permission denied")
	}
}

func TestB115(t *testing.T) {
	c, err := LoadString("cfg", "\nthread = 0\na = '3x'\nb = 'abc'\nc = ' -12 '\nd = '+7'\ne = '99999999999999999999'\nf = '-99999999999999999999'\ng = ''\nh = 1.9\nyes = true\nno = 1")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int64{
		"thread": 0, "a": 3, "b": 0, "c": -12, "d": 7, "e": 1<<63 - 1, "f": -1 << 63, "g": 0, "h": 1, "yes": 0, "unset": 8,
	} {
		if got := c.Int(key, 8); got != want {
			t.Errorf("Int(%s) = %d, want %d", key, got, want)
		}
	}
	if !c.Bool("yes", false) || c.Bool("no", true) || !c.Bool("unset", true) {
		t.Error("only the text true is true")
	}
	checkError(t, "", c.Errorf("thread", "Invalid thread %d , should be in [1,%d]", 0, 1024),
		"cfg:2: thread: Invalid thread 0 , should be in [1,1024]")
	checkError(t, "", c.Errorf("harbor", "missing"), "harbor: missing")
}

func TestB121(t *testing.T) {
	text := "__nowaiting = true\ndb = 'host:2528'\n\noff = false\n_ENV['db-2'] = \"$HOME\"\nn = 3\nf = 2.5\nbig = 2^60\ngone = 1\ngone = nil"
	dir := writeFiles(t, map[string]string{"clustername.lua": text})
	want := map[string]any{
		"__nowaiting": true, "db": "host:2528", "off": false, "db-2": "$HOME", "n": int64(3), "f": 2.5, "big": float64(1 << 60),
	}
	table, err := LoadTableFile(filepath.Join(dir, "clustername.lua"))
	if err != nil {
		t.Fatal(err)
	}
	if got := maps.Collect(table.All()); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := table.Keys(); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Errorf("keys %q", got)
	}
	if v, ok := table.Get("off"); v != false || !ok {
		t.Errorf("off = %v %v", v, ok)
	}
	if file, line := table.Where("off"); filepath.Base(file) != "clustername.lua" || line != 4 {
		t.Errorf("off was set at %s:%d", file, line)
	}
	checkError(t, dir, table.Errorf("n", "number is neither false nor a string"),
		"clustername.lua:6: n: number is neither false nor a string")
}

func TestB121Errors(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"table":      {"\ndb = {}", "t:2: db: table is neither a string, a boolean nor a number"},
		"function":   {"function db() end", "t:1: db: function is neither a string, a boolean nor a number"},
		"no include": {"include 't'", "t:1: attempt to call a non-function object"},
		"no $NAME":   {"db = $PORT", "t:1: unexpected symbol near '$'"},
		"syntax":     {"db = 'x'\ndb2 'y' =", "t:2: unexpected symbol near '='"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := LoadTable("t", tc.text)
			checkError(t, "", err, tc.want)
		})
	}
	dir := t.TempDir()
	_, err := LoadTableFile(filepath.Join(dir, "none.lua"))
	checkError(t, dir, err, "none.lua: No such file or directory")
}

func TestWhereIsTheLastAssignment(t *testing.T) {
	c, err := LoadString("cfg", "a = 1\nlocal function set()\n  a = 2\n  _ENV.b = 3\nend\n\nset() c =\n'x'\nd, e = 1,\n 2\nif c then\n a = a\nend")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"a": 12, "b": 4, "c": 7, "d": 9, "e": 9} {
		if file, line := c.Where(key); file != "cfg" || line != want {
			t.Errorf("%s was set at %s:%d, want line %d", key, file, line, want)
		}
	}
	if file, line := c.Where("none"); file != "" || line != 0 {
		t.Errorf("an unset key was set at %s:%d", file, line)
	}
}

// A long flat file is compiled in pieces, which must not show.
func TestLongFile(t *testing.T) {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "node%d = '10.0.0.1:%d'\n", i, 2000+i)
	}
	end := "copy = node0 .. node2999\nnode7 = nil\nlast = ({}).x == nil"
	table, err := LoadTable("t", b.String()+end)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(table.Keys()); n != 20_001 {
		t.Errorf("%d keys", n)
	}
	if v, _ := table.Get("copy"); v != "10.0.0.1:200010.0.0.1:4999" {
		t.Errorf("copy = %v", v)
	}
	if _, line := table.Where("node2999"); line != 3000 {
		t.Errorf("node2999 at line %d", line)
	}
	first, _, _ := strings.Cut(b.String(), "node3000 ")
	table, err = LoadTable("t", "local ip = '10.0.0.1'\n"+strings.ReplaceAll(first, "'10.0.0.1:", "ip .. ':")+end)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := table.Get("copy"); v != "10.0.0.1:200010.0.0.1:4999" {
		t.Errorf("with a local: copy = %v", v)
	}
}

func TestErrorIsOneLine(t *testing.T) {
	e := &Error{File: "a\nb", Line: 3, Key: "k", Text: "x\r\ny"}
	if got, want := e.Error(), "a b:3: k: x  y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (&Error{Text: "x"}).Error(), "x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConcurrentLoads(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			text := fmt.Sprintf("k = '' for i = 1, 100 do k = k .. %d end", i)
			c, err := LoadString("cfg", text)
			if err != nil {
				t.Error(err)
				return
			}
			if v, _ := c.Get("k"); v != strings.Repeat(fmt.Sprint(i), 100) {
				t.Errorf("k = %q", v)
			}
		})
	}
	wg.Wait()
}
