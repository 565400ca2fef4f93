package lualike_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

func TestDecoder(t *testing.T) {
	data := pack(t, "a", []any{1, map[string]any{"k": "v"}}, 2.5, lualike.Pointer(3), nil, strings.Repeat("x", 40), true)
	d := lualike.NewDecoder(data)
	if s, err := lualike.DecodeAs[string](d); s != "a" || err != nil {
		t.Error(s, err)
	}
	if d.Offset() != 2 || len(d.Rest()) != len(data)-2 {
		t.Error("offset", d.Offset())
	}
	for range 5 {
		if err := d.Skip(); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := d.Next(); v != true || err != nil {
		t.Error(v, err)
	}
	d.Reset(pack(t, 300))
	if n, err := lualike.DecodeAs[int8](d); n != 0 || err == nil {
		t.Error(n, err)
	}
	if n, err := lualike.DecodeAs[int](d); n != 300 || err != nil {
		t.Error(n, err)
	}
	if d.More() || len(d.Rest()) != 0 {
		t.Error("more after the end")
	}
	if v, err := d.Next(); v != nil || err != nil {
		t.Error("Next past the end", v, err)
	}
	if err := d.Skip(); err != nil {
		t.Error("Skip past the end", err)
	}
	s := "old"
	if err := d.Decode(&s); s != "" || err != nil {
		t.Errorf("Decode past the end %q %v", s, err)
	}
	if b, err := lualike.DecodeAs[base](d); err != nil || b != (base{}) {
		t.Error(b, err)
	}
	d.Reset(data)
	if args, err := d.Args(); err != nil || len(args) != 7 {
		t.Error(args, err)
	}
	var zero lualike.Decoder
	if zero.More() {
		t.Error("the zero Decoder has more")
	}
}

func TestDecoderStaysAfterError(t *testing.T) {
	d := lualike.NewDecoder(append(pack(t, 1), 0x0e, 0x06, 0x07))
	if v, err := d.Next(); v != int64(1) || err != nil {
		t.Fatal(v, err)
	}
	at := d.Offset()
	for name, f := range map[string]func() error{
		"Next":   func() error { _, err := d.Next(); return err },
		"Skip":   d.Skip,
		"Decode": func() error { return d.Decode(new([][]int)) },
		"Args":   func() error { _, err := d.Args(); return err },
	} {
		if err := f(); !errors.Is(err, lualike.ErrInvalidStream) || err.Error() != "Invalid serialize stream 0" {
			t.Errorf("%s: %v", name, err)
		}
		if d.Offset() != at {
			t.Errorf("%s moved to %d", name, d.Offset())
		}
	}
}

// Typed targets, skipped values and dynamic ones go through different code, which must agree on what a stream is.
func TestInvalidStreamsIntoTargets(t *testing.T) {
	for _, r := range loadRecords(t, "testdata/seri_bad.jsonl") {
		if r.Error == "" || r.Input != nil || r.Group == "string_len_negative" || strings.Contains(r.Error, "NaN") {
			continue
		}
		data := r.stream(t)
		for d := lualike.NewDecoder(data); ; {
			if err := d.Skip(); err != nil {
				if !errors.Is(err, lualike.ErrInvalidStream) {
					t.Errorf("%s: Skip gave %v", r.ID, err)
				}
				break
			}
			if !d.More() {
				t.Errorf("%s: skipped to the end", r.ID)
				break
			}
		}
		for _, target := range []any{new(any), new([]any), new(map[any]any), new(string), new(int), new(float64), new(bool), new(shape), new([2]any), new(*lualike.Table), new(myBytes), new(lualike.Pointer)} {
			d := lualike.NewDecoder(data)
			for d.More() {
				if err := d.Decode(target); err != nil {
					break
				}
			}
			if !d.More() {
				t.Errorf("%s: decoded into %T to the end", r.ID, target)
			}
		}
	}
}

func TestStringsAreCopies(t *testing.T) {
	for _, n := range []int{1, 1000} {
		data := pack(t, strings.Repeat("a", n), []string{"b"}, map[string]string{"k": "v"})
		d := lualike.NewDecoder(data)
		dynamic, err := lualike.Unpack(data)
		if err != nil {
			t.Fatal(err)
		}
		s, err := lualike.DecodeAs[string](d)
		if err != nil {
			t.Fatal(err)
		}
		b, err := lualike.DecodeAs[[][]byte](d)
		if err != nil {
			t.Fatal(err)
		}
		clear(data)
		if s[0] != 'a' || b[0][0] != 'b' || dynamic[0].(string)[0] != 'a' || dynamic[2].(*lualike.Table).Get("k") != "v" {
			t.Error("a string changed with the input")
		}
	}
}

func TestMaxDepth(t *testing.T) {
	type tree []tree
	nested := func(levels int) []byte {
		return []byte(strings.Repeat("\x0e", levels-1) + "\x06" + strings.Repeat("\x00", levels))
	}
	for _, limit := range []int{0, 1, 50, 1 << 30} {
		allowed := limit
		switch {
		case limit == 0:
			allowed = lualike.DefaultMaxDepth
		case limit > 100_000:
			allowed = 100_000
		}
		for name, read := range map[string]func(d *lualike.Decoder) error{
			"Next":   func(d *lualike.Decoder) error { _, err := d.Next(); return err },
			"Skip":   (*lualike.Decoder).Skip,
			"Decode": func(d *lualike.Decoder) error { return d.Decode(new(tree)) },
		} {
			t.Run(fmt.Sprintf("%d/%s", limit, name), func(t *testing.T) {
				d := lualike.NewDecoder(nested(allowed))
				d.SetLimits(lualike.Limits{MaxDepth: limit})
				if err := read(d); err != nil {
					t.Errorf("%d levels: %v", allowed, err)
				}
				d.Reset(nested(allowed + 1))
				if err := read(d); !errors.Is(err, lualike.ErrTooDeep) || !errors.Is(err, lualike.ErrInvalidStream) {
					t.Errorf("%d levels: %v", allowed+1, err)
				}
				d.Reset(nested(allowed))
				if err := read(d); err != nil {
					t.Errorf("after an error: %v", err)
				}
			})
		}
	}
}

// Memory is set aside for announced elements only as far as bytes follow, over all tables of a message together.
func TestAnnouncedSizes(t *testing.T) {
	type big struct{ A [64]int64 }
	huge := "\xfe\x22\xff\xff\xff\x7f"
	for name, data := range map[string]string{
		"one":    huge,
		"nested": strings.Repeat(huge, 5000),
		"some":   huge + strings.Repeat("\x00", 1000),
	} {
		for _, target := range []any{new(any), new([]any), new([]big), new([][][]any), new(map[int]int)} {
			t.Run(fmt.Sprintf("%s/%T", name, target), func(t *testing.T) {
				d := lualike.NewDecoder([]byte(data))
				d.SetLimits(lualike.Limits{MaxDepth: 100_000})
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := d.Decode(target)
				runtime.ReadMemStats(&after)
				if err == nil {
					t.Error("no error")
				}
				bound := uint64(64*len(data) + 64<<10)
				if _, ok := target.(*[]big); ok && name == "some" {
					bound += 3 * 1000 * 512 // a thousand nils are a thousand elements
				}
				if taken := after.TotalAlloc - before.TotalAlloc; taken > bound {
					t.Errorf("took %d bytes for an input of %d", taken, len(data))
				}
			})
		}
	}
}
