package luaconf

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func FuzzLoadString(f *testing.F) {
	for _, s := range []string{
		"", "k = 1", "k = 'a' .. 1.5 .. \"b\\065\"", "local t = {1, x = 2, [3] = 4; 5} k = #t", "include 'x'",
		"-- $A\nk='$A'", "for i=1,3 do if i==2 then goto c end k=i ::c:: end", "function a.b:c(...) return ... end",
		"while true do a = (a or 'x') .. 'y' end", "k=[==[\r\n]=]==]--[[x]]--[=x", "_ENV['a'] = _ENV", "k=0x1F+007-.5e1",
		"local x <const> = 1//2", "repeat local x = 1 until x", "return ('x'):y{}", "local function f(...) return f(1, ...) end f()",
	} {
		f.Add(s)
	}
	o := Options{
		Getenv:   func(name string) (string, bool) { return "'" + name + "\n", name < "M" },
		MaxTime:  50 * time.Millisecond,
		MaxBytes: 1 << 20,
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		c, err := o.LoadString(dir+"/cfg", text)
		checkFuzzed(t, err)
		if err == nil {
			for k := range c.All() {
				if file, line := c.Where(k); file == "" || line < 1 {
					t.Errorf("%q was set at %q:%d", k, file, line)
				}
			}
		}
		_, err = o.LoadTable("table", text)
		checkFuzzed(t, err)
	})
}

func checkFuzzed(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	e := (*Error)(nil)
	if !errors.As(err, &e) || e.File == "" || e.Line < 0 || e.Text == "" {
		t.Errorf("error without a place: %#v", err)
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("more than one line: %q", err)
	}
	if strings.Contains(err.Error(), "compiler failed") || strings.Contains(err.Error(), "parser failed") {
		t.Error(err)
	}
}
