package luaconf

import (
	"bufio"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// vector is one config and what Skynet's own loader made of it:
// testdata/skynet.jsonl, Lua 5.5. testdata/random.jsonl holds programs drawn at
// random, for the sake of the compiler behind this package.
type vector struct {
	Name   string
	Text   string
	Files  map[string]string
	Env    map[string]string
	Values map[string]string
	Error  string
}

// differing holds the outcome here for every vector that differs, on purpose,
// from Skynet's: an error, or values.
var differing = map[string]any{
	"whole floats":           map[string]string{"a": "1", "b": "1000", "c": "2", "d": "1024"},
	"modulo of zero":         map[string]string{"a": "nan"},
	"negative zero":          map[string]string{"a": "0", "b": "0"},
	"float literals":         map[string]string{"a": "0.5", "b": "0.5", "c": "525", "d": "7.5", "e": "0.01"},
	"precedence":             map[string]string{"a": "511", "b": "-4", "c": "false", "d": "true", "e": "3"},
	"big integer literal":    "cfg:1: integer 9007199254740993 is beyond 2^53 and not exact here",
	"big hexadecimal":        "cfg:1: integer 0xffffffffffffffff is beyond 2^53 and not exact here",
	"too large":              "cfg:1: the number 1e400 is too large",
	"hex float":              "cfg:1: hexadecimal floats (0x1p4) are not supported",
	"escape x":               `cfg:1: the escape \x in a string is not supported`,
	"escape u":               `cfg:1: the escape \u in a string is not supported`,
	"escape z":               `cfg:1: the escape \z in a string is not supported`,
	"integer division":       "cfg:1: integer division (//) is not supported",
	"bit and":                "cfg:1: the bit operator & is not supported",
	"bit or":                 "cfg:1: the bit operator | is not supported",
	"bit xor":                "cfg:1: the bit operator ~ is not supported",
	"bit not":                "cfg:1: the bit operator ~ is not supported",
	"shift left":             "cfg:1: the bit operator << is not supported",
	"shift right":            "cfg:1: the bit operator >> is not supported",
	"const":                  "cfg:1: the attribute <const> of a local is not supported",
	"close":                  "cfg:1: the attribute <close> of a local is not supported",
	"set _ENV":               "cfg:1: setting _ENV is not supported",
	"local _ENV":             "cfg:1: setting _ENV is not supported",
	"string methods":         "cfg:1: string methods (rep) are not available in a config file",
	"list of 50 and a call":  "cfg:1: a table of 50 values and then all results of a call is not supported",
	"list of 100 and a call": "cfg:1: a table of 100 values and then all results of a call is not supported",
	"list of 150 and a call": "cfg:1: a table of 150 values and then all results of a call is not supported",
	"list of 50 and varargs": "cfg:1: a table of 50 values and then all results of a call is not supported",
	// The same error in the words of gopher-lua, or with a better position.
	"no library":             "cfg:1: attempt to call a non-function object",
	"call nil":               "cfg:1: attempt to call a non-function object",
	"index nil":              "cfg:1: attempt to index a non-table object(nil) with key 'c'",
	"arith nil":              "cfg:1: cannot perform add operation between nil and number",
	"include needs a string": "cfg:1: include needs a file name, not a nil",
	"missing include":        `cfg:1: include "nofile": nofile: No such file or directory`,
	"include missing below":  `sub/one:1: include "nofile": sub/nofile: No such file or directory`,
	"env unset":              "cfg:2: os.getenv() failed: NO_SUCH_VAR_X",
	"env unset in comment":   "cfg:1: os.getenv() failed: NO_SUCH_VAR_X",
	"env lines":              "cfg:2: os.getenv() failed: NO_SUCH_VAR_X",
	"include env unset":      "x:2: os.getenv() failed: NO_SUCH_VAR_X",
	"octal":                  "cfg:1: malformed number near '0o17'",
	"underscore":             "cfg:1: malformed number near '1_000'",
	"hash line":              "cfg:1: unexpected symbol near '!'",
	"table value":            "cfg:1: t: Invalid config table key = t",
	"function value":         "cfg:1: t: Invalid config table key = t",
	"non-string key":         "cfg:1: Invalid config table",
}

// variable names the operand in Lua's run-time errors.
var variable = regexp.MustCompile(` \((global|local|field) '\w+'\)`)

func TestSkynetVectors(t *testing.T) {
	for _, v := range readVectors(t, "testdata/skynet.jsonl", 140) {
		t.Run(v.Name, func(t *testing.T) {
			dir := writeFiles(t, v.Files)
			writeFile(t, filepath.Join(dir, "cfg"), v.Text)
			c, err := withEnv(v.Env).LoadFile(filepath.Join(dir, "cfg"))
			wantValues, wantError := v.Values, variable.ReplaceAllString(v.Error, "")
			switch d := differing[v.Name].(type) {
			case map[string]string:
				if maps.Equal(d, v.Values) {
					t.Error("does not differ from Skynet")
				}
				wantValues, wantError = d, ""
			case string:
				if d == wantError {
					t.Error("does not differ from Skynet")
				}
				wantValues, wantError = nil, d
			}
			if wantError != "" {
				checkError(t, dir, err, wantError)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := maps.Collect(c.All()); !maps.Equal(got, wantValues) {
				t.Errorf("got %q, want %q", got, wantValues)
			}
		})
	}
}

func TestRandomVectors(t *testing.T) {
	for _, v := range readVectors(t, "testdata/random.jsonl", 100) {
		c, err := LoadString(v.Name, v.Text)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := maps.Collect(c.All()); !maps.Equal(got, v.Values) {
			t.Errorf("%s\ngot  %q\nwant %q", v.Text, got, v.Values)
		}
	}
}

func TestDifferingNamesVectors(t *testing.T) {
	names := map[string]bool{}
	for _, v := range readVectors(t, "testdata/skynet.jsonl", 140) {
		names[v.Name] = true
	}
	for n := range differing {
		if !names[n] {
			t.Errorf("no vector %q", n)
		}
	}
}

func readVectors(t *testing.T, path string, atLeast int) []vector {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []vector
	s := bufio.NewScanner(f)
	for s.Scan() {
		var v vector
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	if len(list) < atLeast {
		t.Fatalf("only %d vectors", len(list))
	}
	return list
}

// checkError compares an error's text, with the folder of the test cut out.
func checkError(t *testing.T, dir string, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", want)
	}
	if e := (*Error)(nil); !errors.As(err, &e) {
		t.Errorf("%T is not an *Error", err)
	}
	got := err.Error()
	if dir != "" {
		got = strings.ReplaceAll(got, dir+string(filepath.Separator), "")
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func withEnv(env map[string]string) Options {
	return Options{Getenv: func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}}
}

// writeFiles makes a folder with files by relative path.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, text)
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
