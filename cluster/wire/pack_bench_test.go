package wire

import (
	"fmt"
	"testing"
)

var benchSizes = []int{0, 100, 4096, PartSize - 1, 1 << 20}

func BenchmarkAppendRequest(b *testing.B) {
	for _, addr := range []Addr{NumAddr(8), NameAddr("@sdb")} {
		for _, size := range benchSizes {
			b.Run(fmt.Sprintf("to=%s/size=%d", addr, size), func(b *testing.B) {
				payload, dst := make([]byte, size), make([]byte, 0, size+size/64+1024)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					out, n, err := AppendRequest(dst, addr, 1, payload)
					if err != nil {
						b.Fatal(err)
					}
					for i := range n {
						out = AppendPart(out, 1, payload, i)
					}
				}
			})
		}
	}
}

func BenchmarkAppendResponse(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			payload, dst := make([]byte, size), make([]byte, 0, size+size/64+1024)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				out, n := AppendResponse(dst, 1, true, payload)
				for i := range n {
					out = AppendResponsePart(out, 1, payload, i)
				}
			}
		})
	}
}

// What remains of a large message when the payload is not copied.
func BenchmarkAppendPartHeader(b *testing.B) {
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		AppendPartHeader(dst, 1, 1<<20, 3)
	}
}
