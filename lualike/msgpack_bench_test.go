package lualike_test

import (
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

func ranking(n int) *Ranking {
	out := &Ranking{}
	for _, r := range rows(n) {
		out.Rows = append(out.Rows, Score(r))
	}
	return out
}

// benchmarkBeside measures msgp alone, and what a payload of the same type costs.
func benchmarkBeside(b *testing.B, direct, lualike func() error) {
	for _, run := range []struct {
		name string
		once func() error
	}{{"direct", direct}, {"lualike", lualike}} {
		b.Run(run.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := run.once(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeMsgp(b *testing.B) {
	in := ranking(100)
	var buf []byte
	benchmarkBeside(b,
		func() (err error) { buf, err = in.MarshalMsg(buf[:0]); return err },
		func() (err error) { buf, err = lualike.AppendPack(buf[:0], in); return err })
}

func BenchmarkDecodeMsgp(b *testing.B) {
	direct, err := ranking(100).MarshalMsg(nil)
	if err != nil {
		b.Fatal(err)
	}
	packed, err := lualike.Pack(ranking(100))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkBeside(b,
		func() error { _, err := new(Ranking).UnmarshalMsg(direct); return err },
		func() error { return lualike.NewDecoder(packed).Decode(new(Ranking)) })
}
