package wire

import (
	"fmt"
	"testing"
)

func BenchmarkAssembly(b *testing.B) {
	for _, size := range []int{PartSize, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			payload := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				var a Assembly
				a.Reset(uint32(size))
				for i := range parts(size) {
					lo, hi := PartRange(size, i)
					a.Append(payload[lo:hi])
				}
				if _, ok := a.Bytes(); !ok {
					b.Fatal("incomplete")
				}
			}
		})
	}
}
