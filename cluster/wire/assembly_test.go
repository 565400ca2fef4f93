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
	if held := a.Held(); held != 0 {
		t.Errorf("%d bytes held for an announcement", held)
	}
	part := make([]byte, PartSize)
	for i := range 100 {
		a.Append(part)
		if held, most := a.Held(), max(firstReserve, 16*(i+1)*PartSize); held > most {
			t.Fatalf("%d bytes held after %d parts", held, i+1)
		}
	}

	a.Reset(3 * PartSize)
	a.Append([]byte{1})
	if held := a.Held(); held != 3*PartSize {
		t.Errorf("%d bytes held for three parts", held)
	}

	a.Reset(PartSize)
	a.Append(part)
	a.Append([]byte{1})
	if held := a.Held(); held != 0 {
		t.Errorf("a broken message keeps %d bytes", held)
	}

	a = Assembly{}
	a.Append(part)
	if held := a.Held(); held != 0 {
		t.Errorf("parts without a begin keep %d bytes", held)
	}

	a.Reset(math.MaxUint32)
	for range 100 {
		a.Append(nil)
	}
	if held := a.Held(); held != 0 {
		t.Errorf("empty parts keep %d bytes", held)
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
