package lualike_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

// What is large is copied once each way: by Pack, whose buffer is of the right size at once, and by whoever reads the string.
func TestLargeStringIsCopiedOnce(t *testing.T) {
	const size = 1 << 20
	text := strings.Repeat("x", size)
	data := pack(t, "put", text)
	var s string
	var b []byte
	for name, once := range map[string]func() error{
		"pack":        func() error { _, err := lualike.Pack("put", text); return err },
		"pack bytes":  func() error { _, err := lualike.Pack("put", data); return err },
		"pack field":  func() error { _, err := lualike.Pack(struct{ S string }{text}); return err },
		"unpack":      func() error { _, err := lualike.Unpack(data); return err },
		"into string": func() error { return second(data, &s) },
		"into []byte": func() error { return second(data, &b) },
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := once()
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			// Memory of that size comes in pages of 8 KiB.
			if taken := after.TotalAlloc - before.TotalAlloc; taken > size+32<<10 {
				t.Errorf("took %d bytes for a string of %d", taken, size)
			}
		})
	}
}

// second reads the second value of data into target.
func second(data []byte, target any) error {
	d := lualike.NewDecoder(data)
	if err := d.Skip(); err != nil {
		return err
	}
	return d.Decode(target)
}

// A list makes room for all its elements when it has seen the first, but not for more than a fair guess.
func TestListMakesRoom(t *testing.T) {
	list := rows(100)
	if n := testing.AllocsPerRun(100, func() { pack(t, list) }); n > 5 {
		t.Errorf("%v allocations", n)
	}
	uneven := make([]string, 10_000)
	uneven[0] = strings.Repeat("x", 100_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	pack(t, uneven)
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
		t.Errorf("took %d bytes", taken)
	}
}
