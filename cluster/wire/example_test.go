package wire_test

import (
	"fmt"
	"log"
	"net"
	"strings"

	"github.com/skynetgo/skynet/cluster/wire"
)

func ExampleAppendRequest() {
	frame, parts, err := wire.AppendRequest(nil, wire.NameAddr("@sdb"), 1, []byte("GET a"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("% x, %d parts follow\n", frame, parts)
	// Output:
	// 00 0f 80 04 40 73 64 62 01 00 00 00 47 45 54 20 61, 0 parts follow
}

// A large payload goes out without being copied: its slices stand between the headers.
func ExampleAppendPartHeader() {
	payload := []byte(strings.Repeat("x", 100000))
	begin, parts, err := wire.AppendRequest(nil, wire.NumAddr(8), 7, payload)
	if err != nil {
		log.Fatal(err)
	}
	out := net.Buffers{begin}
	for i := range parts {
		lo, hi := wire.PartRange(len(payload), i)
		out = append(out, wire.AppendPartHeader(nil, 7, len(payload), i), payload[lo:hi])
	}
	for _, b := range out {
		fmt.Println(len(b))
	}
	// Output:
	// 15
	// 7
	// 32768
	// 7
	// 32768
	// 7
	// 32768
	// 7
	// 1696
}

func ExampleParseRequest() {
	frame, _, err := wire.AppendPush(nil, wire.NameAddr("@log"), 1, []byte("hello"))
	if err != nil {
		log.Fatal(err)
	}
	r, err := wire.ParseRequest(frame[2:])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Kind, r.Addr, r.Push, string(r.Payload))

	_, err = wire.ParseRequest([]byte{0x82, 1, 2, 3})
	fmt.Println(err)
	// Output:
	// request @log true hello
	// Invalid req package type -126
}

func ExampleAssembly() {
	answer := []byte(strings.Repeat("y", 40000))
	begin, parts := wire.AppendResponse(nil, 7, true, answer)
	frames := [][]byte{begin}
	for i := range parts {
		frames = append(frames, wire.AppendResponsePart(nil, 7, answer, i))
	}

	var large wire.Assembly
	for _, f := range frames {
		r, err := wire.ParseResponse(f[2:])
		if err != nil {
			log.Fatal(err)
		}
		if r.Kind == wire.KindBegin {
			large.Reset(r.Size)
		} else {
			large.Append(r.Payload)
		}
		b, ok := large.Bytes()
		fmt.Println(r.Kind, len(b), ok)
	}
	// Output:
	// begin 0 false
	// part 0 false
	// end 40000 true
}
