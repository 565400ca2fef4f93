package lualike_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/skynetgo/skynet/lualike"
)

// Short strings that come again are not copied again; a kept string must not depend on the message all the same.
func TestKnownStringsAreNotCopied(t *testing.T) {
	for name, test := range map[string]struct {
		data   []byte
		allocs float64
	}{
		"command":     {pack(t, "a command"), 1},                // Args
		"key":         {pack(t, map[string]any{"a key": 1}), 4}, // Args, Table, hash part, its pairs
		"long string": {pack(t, strings.Repeat("x", 25)), 3},    // Args, the text, the value
		"argument":    {pack(t, 1, "an argument"), 1},           // Args
	} {
		t.Run(name, func(t *testing.T) {
			unpack := func() {
				if _, err := lualike.Unpack(test.data); err != nil {
					t.Error(err)
				}
			}
			for range 500 { // a slot in use by another string is taken over with some probability
				unpack()
			}
			if n := testing.AllocsPerRun(100, unpack); n != test.allocs {
				t.Errorf("%v allocations, want %v", n, test.allocs)
			}
		})
	}
}

// More strings than there are slots: each must still come out as itself.
func TestManyKeys(t *testing.T) {
	in := map[string]any{}
	for i := range 5000 {
		in[fmt.Sprintf("key %d", i)] = fmt.Sprintf("value %d", i)
	}
	for range 3 {
		args, err := lualike.Unpack(pack(t, in))
		if err != nil {
			t.Fatal(err)
		}
		table, err := args.Table(0)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range in {
			if table.Get(k) != v {
				t.Fatalf("%s is %v", k, table.Get(k))
			}
		}
	}
}

// Plans, scratch buffers and known strings are shared between goroutines. Run with -race.
func TestConcurrentUse(t *testing.T) {
	type node struct {
		Name string           `lua:"name"`
		Kids []node           `lua:"kids"`
		By   map[string]*node `lua:"by"`
	}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 100 {
				name := fmt.Sprintf("n%d", (g+i)%20)
				in := node{Name: name, Kids: []node{{Name: "kid", Kids: []node{}, By: map[string]*node{}}}, By: map[string]*node{name: {Name: name, Kids: []node{}, By: map[string]*node{}}}}
				v, err := lualike.Normalize(in)
				if err != nil {
					t.Error(err)
					return
				}
				out, err := lualike.As[node](v)
				if err != nil || !reflect.DeepEqual(in, out) {
					t.Errorf("%+v became %+v, %v", in, out, err)
					return
				}
			}
		})
	}
	group.Wait()
}
