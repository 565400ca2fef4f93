package lualike_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/skynetgo/skynet/lualike"
)

// Whatever the values, the pieces together are what Pack makes.
func TestPackPieces(t *testing.T) {
	long, longer := strings.Repeat("x", 32<<10), strings.Repeat("y", 100_000)
	short := long[1:]
	for name, tt := range map[string]struct {
		args   []any
		pieces int
	}{
		"nothing":             {nil, 1},
		"short":               {[]any{"put", 1, short}, 1},
		"long":                {[]any{long}, 2},
		"command in front":    {[]any{"put", long}, 2},
		"more behind":         {[]any{"put", long, 1, short}, 3},
		"two":                 {[]any{long, longer}, 4},
		"two and more":        {[]any{1, long, 2, longer, nil}, 5},
		"in a table":          {[]any{[]any{long}}, 1},
		"bytes, which change": {[]any{[]byte(long)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			first, more, err := lualike.PackPieces(tt.args...)
			if err != nil || 1+len(more) != tt.pieces {
				t.Fatalf("%d pieces, want %d; %v", 1+len(more), tt.pieces, err)
			}
			for _, piece := range more {
				first = append(first, piece...)
			}
			if want := pack(t, tt.args...); !bytes.Equal(first, want) {
				t.Errorf("the pieces are %d bytes, want %d", len(first), len(want))
			}
		})
	}
}

func TestPackPiecesDoesNotCopy(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	_, more, err := lualike.PackPieces("put", long)
	if err != nil || unsafe.SliceData(more[0]) != unsafe.StringData(long) {
		t.Errorf("the string was copied; %v", err)
	}
}

func TestPackPiecesFails(t *testing.T) {
	_, _, err := lualike.PackPieces(strings.Repeat("x", 32<<10), uint64(math.MaxUint64))
	if !errors.Is(err, lualike.ErrRange) || !strings.Contains(err.Error(), "argument 2") {
		t.Error(err)
	}
}

// What makes up most of a message that nobody changes is not copied; all else is.
func TestOwn(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for name, tt := range map[string]struct {
		data  []byte
		own   bool
		share bool
	}{
		"most of it":      {pack(t, long, 1), true, true},
		"not owned":       {pack(t, long, 1), false, false},
		"a small message": {pack(t, long[:100]), true, false},
		"a short string":  {pack(t, long[:4000]), true, false},
		"less than half":  {pack(t, long[:10_000], long), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			var d lualike.Decoder
			if tt.own {
				d.Own()
			}
			d.Reset(tt.data)
			v, err := d.Next()
			if err != nil {
				t.Fatal(err)
			}
			s := v.(string)
			if !strings.HasPrefix(long, s) {
				t.Fatalf("%q", s)
			}
			clear(tt.data)
			if shares := s[0] == 0; shares != tt.share {
				t.Errorf("the string shares the memory: %v", shares)
			}
		})
	}
}
