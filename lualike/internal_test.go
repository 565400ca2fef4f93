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
	over := int64(math.MaxInt32 + 1)
	if int64(int(over)) != over {
		t.Skip("an int has 32 bits here: nothing can be too large")
	}
	if err := checkSize(int(over)); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
}
