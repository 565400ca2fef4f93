package lualike_test

import (
	"strconv"
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

type row struct {
	ID    int64   `lua:"id"`
	Name  string  `lua:"name"`
	Score float64 `lua:"score"`
}

func rows(n int) []row {
	out := make([]row, n)
	for i := range out {
		out[i] = row{ID: int64(i), Name: "player", Score: float64(i) + 0.5}
	}
	return out
}

func BenchmarkPackUnpack(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		data, err := lualike.Pack("set", 1, "key")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := lualike.Unpack(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRows(b *testing.B) {
	in := rows(100)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = lualike.AppendPack(buf[:0], in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPackRows(b *testing.B) {
	in := rows(100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := lualike.Pack(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeRows(b *testing.B) {
	data, err := lualike.Pack(rows(100))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var d lualike.Decoder
		d.Reset(data)
		var out []row
		if err := d.Decode(&out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnpackRows(b *testing.B) {
	data, err := lualike.Pack(rows(100))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := lualike.Unpack(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConvertStruct(b *testing.B) {
	t := lualike.Map(map[string]any{"id": 1, "name": "a", "score": 1.5})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := lualike.As[row](t); err != nil {
			b.Fatal(err)
		}
	}
}

// Arguments are seldom the same twice in a row; these are never.
func BenchmarkUnpackDistinct(b *testing.B) {
	messages := make([][]byte, 1<<16)
	for i := range messages {
		data, err := lualike.Pack("set", i, "user:"+strconv.Itoa(i))
		if err != nil {
			b.Fatal(err)
		}
		messages[i] = data
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := lualike.Unpack(messages[i%len(messages)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
