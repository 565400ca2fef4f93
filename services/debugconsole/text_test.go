package debugconsole_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/services/debugconsole"
)

func TestParseValues(t *testing.T) {
	for text, want := range map[string]string{
		`1`:                                  "[1]",
		` -12 , 0x1F,-0xf, +1`:               "",
		`-12, 0x1F, -0xf`:                    "[-12 31 -15]",
		`0xffffffffffffffff`:                 "[-1]",
		`1.5, -2e3, 1e-2, .5, 9e999`:         "[1.5 -2000 0.01 0.5 +Inf]",
		`12345678901234567890`:               "[1.2345678901234567e+19]",
		`nil, true, false`:                   "[<nil> true false]",
		`'it"s', "it's"`:                     `[it"s it's]`,
		`"\n\t\\\65\x41\u{4e2d}\'\0001"`:     "[\n\t\\AA中'\x001]",
		`{}`:                                 "[{}]",
		`{1, 'a', {2}; x = 3, [9] = 5, nil}`: `[{1, "a", {2}, x = 3, [9] = 5}]`,
		`{true_ = true,}`:                    "[{true_ = true}]",
		`{['a b'] = -1}`:                     `[{["a b"] = -1}]`,
	} {
		got, err := debugconsole.ParseValues(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%s: got %v", text, got)
		case want != "" && (err != nil || fmt.Sprint(got) != want):
			t.Errorf("%s: got %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestParseValuesRefuses(t *testing.T) {
	for _, text := range []string{
		"", ",", "1,", "1 2", "1 + 2", "f()", "x", "nan", "inf", "1_000", "0x", "0x1g", "1e", "--1", "'a", `"a\`, `"\q"`, `"\999"`, `"\x4"`, `"\u{}"`,
		`"\u{d800}"`, "{", "{1", "{1 2}", "{x = }", "{[nil] = 1}", "{[1]}", "{[1] 2}", "}", "{1}}", "[[a]]",
		strings.Repeat("{", 33) + strings.Repeat("}", 33),
	} {
		if got, err := debugconsole.ParseValues(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
	if _, err := debugconsole.ParseValues(strings.Repeat("{", 32) + strings.Repeat("}", 32)); err != nil {
		t.Error(err)
	}
}

func FuzzParseValues(f *testing.F) {
	for _, text := range []string{`1, "a\n", {x = {1}, [2] = nil}`, `-0x1p3, 'b'`, `{{{}}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vals, err := debugconsole.ParseValues(text)
		if (err == nil) != (len(vals) > 0) {
			t.Errorf("%q: %v, %v", text, vals, err)
		}
	})
}

// TestUnits: sizes and times in the words of Skynet's netstat.
func TestUnits(t *testing.T) {
	for n, want := range map[uint64]string{1: "1", 1023: "1023", 1024: "1.0K", 6124: "5.98046875K", 3 << 20: "3.0M", 5<<20 + 1<<19: "5.5M"} {
		if got := debugconsole.SizeText(n); got != want {
			t.Errorf("%d bytes: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-1: "0.0s", 0: "0.0s", 9 * time.Millisecond: "0.0s", 1329 * time.Millisecond: "1.32s", 59990 * time.Millisecond: "59.99s",
		time.Minute: "1:0s", 121500 * time.Millisecond: "2:1.5s", time.Hour + 2*time.Minute + 3*time.Second: "1:2:3s", 26 * time.Hour: "26:0:0s",
	} {
		if got := debugconsole.AgoText(d); got != want {
			t.Errorf("%d ns: %s, want %s", d, got, want)
		}
	}
}

// TestSums: what has ended keeps its counts, and a counter may go round.
func TestSums(t *testing.T) {
	s := debugconsole.NewSums(32)
	for i, round := range []struct {
		add  map[string]debugconsole.Pair
		want string
	}{
		{map[string]debugconsole.Pair{"1": {10, 5}, "2": {20, 5}}, "map[a:[30 10]]"},
		{map[string]debugconsole.Pair{"1": {11, 6}}, "map[a:[31 11]]"},
		{map[string]debugconsole.Pair{"1": {1<<32 - 1, 6}}, "map[a:[4294967315 11]]"},
		{map[string]debugconsole.Pair{"1": {2, 5}, "2": {20, 1}}, "map[a:[4294967338 12]]"},
		{nil, "map[a:[4294967338 12]]"},
	} {
		for key, is := range round.add {
			s.Add("a", key, is)
		}
		if got := fmt.Sprint(s.Done()); got != round.want {
			t.Errorf("round %d: %s, want %s", i, got, round.want)
		}
	}
}
