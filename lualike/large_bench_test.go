package lualike_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

// A copy is what packing and unpacking cannot do without.
func BenchmarkLargeString(b *testing.B) {
	for _, size := range []int{32 << 10, 1 << 20} {
		text := strings.Repeat("x", size)
		data, err := lualike.Pack("put", text)
		if err != nil {
			b.Fatal(err)
		}
		for _, run := range []struct {
			name string
			once func() error
		}{
			{"copy", func() error { sink = append([]byte(nil), text...); return nil }},
			{"pack", func() (err error) { sink, err = lualike.Pack("put", text); return err }},
			{"pack two", func() (err error) { sink, err = lualike.Pack("put", text, text); return err }},
			{"unpack", func() error { _, err := lualike.Unpack(data); return err }},
		} {
			b.Run(run.name+"/size="+strconv.Itoa(size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if err := run.once(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

var sink []byte
