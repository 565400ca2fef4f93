package lualike

import (
	"errors"
	"math"
	"testing"
)

// A string or list beyond 2 GiB cannot be built in a test; the check that stands before both can.
func TestCheckSize(t *testing.T) {
	if err := checkSize(math.MaxInt32); err != nil {
		t.Error(err)
	}
	if err := checkSize(math.MaxInt32 + 1); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
}
