package freelist_test

import (
	"testing"

	"github.com/skynetgo/skynet/internal/freelist"
)

func TestList(t *testing.T) {
	var l freelist.List[int]
	if v := l.Take(); v != nil {
		t.Errorf("an empty list has %d", *v)
	}
	for i := range freelist.Most + 1 {
		l.Give(&i)
	}
	for i := freelist.Most - 1; i >= 0; i-- {
		if v := l.Take(); v == nil || *v != i {
			t.Fatalf("got %v, want %d", v, i)
		}
	}
	if v := l.Take(); v != nil {
		t.Errorf("more than %d are kept: %d", freelist.Most, *v)
	}
}
