package wire

import (
	"bytes"
	"math"
	"testing"
)

func TestAssembly(t *testing.T) {
	tests := map[string]struct {
		size  uint32
		begin bool
		parts []string
		want  string
		ok    bool
	}{
		"exact":               {6, true, []string{"abc", "def"}, "abcdef", true},
		"too few":             {7, true, []string{"abc", "def"}, "", false},
		"too many":            {5, true, []string{"abc", "def"}, "", false},
		"too many, then none": {5, true, []string{"abc", "def", ""}, "", false},
		"too many, then fits": {5, true, []string{"abcdef", "abcde"}, "", false},
		"empty parts count 0": {3, true, []string{"", "ab", "", "c", ""}, "abc", true},
		"nothing, size 0":     {0, true, nil, "", true},
		"size 0, empty part":  {0, true, []string{""}, "", true},
		"size 0, a byte":      {0, true, []string{"a"}, "", false},
		"nothing, size 1":     {1, true, nil, "", false},
		"no begin":            {0, false, []string{"abc"}, "", false},
		"no begin, no part":   {0, false, nil, "", false},
		"largest size":        {math.MaxUint32, true, []string{"abc"}, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var a Assembly
			if tt.begin {
				a.Reset(tt.size)
			}
			for _, p := range tt.parts {
				a.Append([]byte(p))
			}
			b, ok := a.Bytes()
			if ok != tt.ok || string(b) != tt.want || ok != (b != nil) {
				t.Errorf("Bytes = %q, %v; want %q, %v", b, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestAssemblyCopiesParts(t *testing.T) {
	var a Assembly
	a.Reset(3)
	part := []byte("abc")
	a.Append(part)
	copy(part, "xyz")
	if b, ok := a.Bytes(); !ok || string(b) != "abc" {
		t.Errorf("Bytes = %q, %v; want abc", b, ok)
	}
}

func TestAssemblyResetLeavesBytes(t *testing.T) {
	var a Assembly
	a.Reset(3)
	a.Append([]byte("abc"))
	first, _ := a.Bytes()
	a.Reset(3)
	a.Append([]byte("xyz"))
	if string(first) != "abc" {
		t.Errorf("the first message became %q", first)
	}
	if second, ok := a.Bytes(); !ok || string(second) != "xyz" {
		t.Errorf("the second message = %q, %v", second, ok)
	}
}

// An announced size must not cost memory, and an overflow must free what had come.
func TestAssemblyMemory(t *testing.T) {
	var a Assembly
	a.Reset(math.MaxUint32)
	if cap(a.buf) != 0 {
		t.Errorf("%d bytes reserved for an announcement", cap(a.buf))
	}
	part := make([]byte, PartSize)
	if n := a.After(PartSize); n != PartSize {
		t.Errorf("the first part will take %d bytes", n)
	}
	for i := range 20 {
		held := a.After(PartSize)
		a.Append(part)
		if come := (i + 1) * PartSize; a.Len() != come || cap(a.buf) > growth*come {
			t.Fatalf("after %d bytes: Len %d, capacity %d", come, a.Len(), cap(a.buf))
		}
		if a.Held() != cap(a.buf) || a.Held() != held {
			t.Fatalf("%d bytes were foreseen, %d are said to be held, %d are", held, a.Held(), cap(a.buf))
		}
	}

	a.Reset(PartSize)
	a.Append(part)
	if cap(a.buf) != PartSize {
		t.Errorf("capacity %d for a message of %d", cap(a.buf), PartSize)
	}
	if n := a.After(1); n != 0 {
		t.Errorf("a broken message will keep %d bytes", n)
	}
	a.Append([]byte{1})
	if a.Len() != 0 || cap(a.buf) != 0 {
		t.Errorf("a broken message keeps %d bytes", cap(a.buf))
	}

	a = Assembly{}
	if n := a.After(PartSize); n != 0 {
		t.Errorf("parts without a begin will keep %d bytes", n)
	}
	a.Append(part)
	if cap(a.buf) != 0 {
		t.Errorf("parts without a begin keep %d bytes", cap(a.buf))
	}
}

func TestAssemblyLarge(t *testing.T) {
	payload := pattern(5*PartSize + 3)
	var stream []byte
	for i := range parts(len(payload)) {
		stream = AppendResponsePart(stream, 1, payload, i)
	}
	var a Assembly
	a.Reset(uint32(len(payload)))
	for _, body := range splitFrames(t, stream) {
		r, err := ParseResponse(body)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := a.Bytes(); ok {
			t.Fatal("complete before the last part")
		}
		a.Append(r.Payload)
	}
	if b, ok := a.Bytes(); !ok || !bytes.Equal(b, payload) {
		t.Errorf("%d bytes, %v; want the payload of %d", len(b), ok, len(payload))
	}
}
