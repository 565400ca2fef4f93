package wire

import "testing"

func BenchmarkParseRequest(b *testing.B) {
	for name, addr := range map[string]Addr{"handle": NumAddr(8), "name": NameAddr("@sdb")} {
		b.Run("by="+name, func(b *testing.B) {
			frame, _, err := AppendRequest(nil, addr, 1, make([]byte, 100))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseRequest(frame[2:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseResponse(b *testing.B) {
	frame, _ := AppendResponse(nil, 1, true, make([]byte, 100))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseResponse(frame[2:]); err != nil {
			b.Fatal(err)
		}
	}
}
