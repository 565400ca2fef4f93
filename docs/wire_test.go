package docs_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
)

// large is a payload that needs two parts.
var large = bytes.Repeat([]byte{0}, 40000)

// examples make the bytes that the hex blocks of the cluster pages explain.
var examples = map[string]func() ([]byte, error){
	"request by name": func() ([]byte, error) {
		return request(wire.AppendRequest, wire.NameAddr("@sdb"), 1, "GET", "a")
	},
	"request by handle": func() ([]byte, error) {
		return request(wire.AppendRequest, wire.NumAddr(0x0a), 2, "GET", "a")
	},
	"push by handle": func() ([]byte, error) {
		return request(wire.AppendPush, wire.NumAddr(0x0a), 3, "PING")
	},
	"name query": func() ([]byte, error) {
		return request(wire.AppendRequest, wire.NumAddr(0), 3, "sdb")
	},
	"answer": func() ([]byte, error) {
		payload, err := lualike.Pack("foobar")
		frame, _ := wire.AppendResponse(nil, 1, true, payload)
		return frame, err
	},
	"error answer": func() ([]byte, error) {
		frame, _ := wire.AppendResponse(nil, 2, false, []byte("call failed"))
		return frame, nil
	},
	"large request": func() ([]byte, error) {
		out, parts, err := wire.AppendRequest(nil, wire.NameAddr("@sdb"), 4, large)
		for i := range parts {
			out = wire.AppendPartHeader(out, 4, len(large), i)
		}
		return out, err
	},
	"begin of a large push": func() ([]byte, error) {
		out, _, err := wire.AppendPush(nil, wire.NumAddr(0x0a), 5, large)
		return out, err
	},
	"large answer": func() ([]byte, error) {
		out, parts := wire.AppendResponse(nil, 4, true, large)
		for i := range parts {
			out = wire.AppendResponsePartHeader(out, 4, len(large), i)
		}
		return out, nil
	},
	"trace": func() ([]byte, error) { return wire.AppendTrace(nil, "(host1-db-5):00000008-1") },
	"values": func() ([]byte, error) {
		t := lualike.Array(7)
		if err := t.Set("k", "v"); err != nil {
			return nil, err
		}
		return lualike.Pack(nil, false, true, 0, 1, 300, -1, int64(1)<<40, 1.5, "GET", strings.Repeat("x", 32), t)
	},
}

type pack func(dst []byte, a wire.Addr, session uint32, payload []byte) ([]byte, int, error)

func request(f pack, a wire.Addr, session uint32, args ...any) ([]byte, error) {
	payload, err := lualike.Pack(args...)
	if err != nil {
		return nil, err
	}
	frame, _, err := f(nil, a, session, payload)
	return frame, err
}

// checkHex compares the bytes in front of each line's explanation, which two
// spaces set apart.
func checkHex(b block) error {
	example := examples[b.arg]
	if example == nil {
		return fmt.Errorf("no example is called %q", b.arg)
	}
	want, err := example()
	if err != nil {
		return err
	}
	var got []byte
	for line := range strings.Lines(b.text) {
		digits, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		one, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			return fmt.Errorf("%q: %w", digits, err)
		}
		got = append(got, one...)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the bytes are\n% x, not\n% x", want, got)
	}
	return nil
}

func TestWireExamplesAreShown(t *testing.T) {
	blocks := append(pageAt(t, "docs/cluster-wire.md").blocks, pageAt(t, "docs/cluster-examples.md").blocks...)
	for name := range examples {
		found := false
		for _, b := range blocks {
			found = found || b.kind == "hex" && b.arg == name
		}
		if !found {
			t.Errorf("no block %q", name)
		}
	}
}

func pageAt(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := parse(path, string(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
