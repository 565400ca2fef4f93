package lualike

import (
	"iter"
	"math"
	"slices"
)

// indexFrom is the number of pairs from which the hash part keeps an index; a linear scan is faster below.
const indexFrom = 9

// Table is a Lua table: an array part for the keys 1..n, a hash part for all others. Pairs keep the order in which their keys came,
// so that printing and packing are deterministic. The zero Table is empty and ready for use.
//
// A Table that was unpacked holds Lua values only. Into one that is built by hand any Go value may be put: scalars are brought to their Lua
// form at once, others stay as they are until the table is packed.
type Table struct {
	arr  []any // the last element is never nil; earlier ones may be
	hash *hashPart
}

// hashPart holds the pairs outside the array. A deleted pair keeps its place with a nil key until the next insertion,
// so that fields may be cleared during a traversal.
type hashPart struct {
	pairs []pair
	index map[any]int
	dead  int
}

type pair struct{ key, value any }

// NewTable returns an empty table with room for narr array elements and nhash pairs.
func NewTable(narr, nhash int) *Table {
	t := &Table{}
	if narr > 0 {
		t.arr = make([]any, 0, narr)
	}
	if nhash > 0 {
		t.hash = &hashPart{pairs: make([]pair, 0, nhash)}
	}
	return t
}

// Array returns a table with vals at the keys 1..n.
func Array(vals ...any) *Table {
	t := NewTable(len(vals), 0)
	for _, v := range vals {
		t.arr = append(t.arr, lower(v))
	}
	t.trim()
	return t
}

// Map returns a table with the pairs of m, in the order of the sorted keys.
func Map(m map[string]any) *Table {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	t := NewTable(0, len(m))
	for _, k := range keys {
		t.set(k, lower(m[k]))
	}
	return t
}

// Get returns the value at key, nil if there is none.
func (t *Table) Get(key any) any {
	k, err := tableKey(key)
	if err != nil {
		return nil
	}
	if i, ok := k.(int64); ok && i >= 1 && i <= int64(len(t.arr)) {
		return t.arr[i-1]
	}
	if t.hash == nil {
		return nil
	}
	if at := t.hash.find(k); at >= 0 {
		return t.hash.pairs[at].value
	}
	return nil
}

// Set puts value at key; a nil value deletes the pair. A float key without fraction means the integer. A key that Lua
// does not have (nil, NaN, a struct) is an error.
func (t *Table) Set(key, value any) error {
	k, err := tableKey(key)
	if err != nil {
		return err
	}
	t.set(k, lower(value))
	return nil
}

// Append puts v at Len()+1; appending nil changes nothing.
func (t *Table) Append(v any) {
	t.set(int64(len(t.arr))+1, lower(v))
}

// Len returns the length of the array part, which is a border as # gives in Lua: the value at Len() is not nil, the one after it is.
func (t *Table) Len() int { return len(t.arr) }

// All goes through the array part in order, leaving nils out, then through the pairs in the order they were put in.
// During the traversal existing keys may be set or deleted, as in Lua; new ones must not be added.
func (t *Table) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for i := 0; i < len(t.arr); i++ {
			if v := t.arr[i]; v != nil && !yield(int64(i+1), v) {
				return
			}
		}
		if t.hash == nil {
			return
		}
		for i := 0; i < len(t.hash.pairs); i++ {
			if p := t.hash.pairs[i]; p.key != nil && !yield(p.key, p.value) {
				return
			}
		}
	}
}

// set is Set for a key and a value in Lua form.
func (t *Table) set(key, value any) {
	if i, ok := key.(int64); ok {
		n := int64(len(t.arr))
		if i >= 1 && i <= n {
			t.arr[i-1] = value
			if value == nil && i == n {
				t.trim()
			}
			return
		}
		if i == n+1 && value != nil {
			t.arr = append(t.arr, value)
			t.adopt()
			return
		}
	}
	if t.hash == nil {
		if value == nil {
			return
		}
		t.hash = &hashPart{pairs: make([]pair, 0, 2)}
	}
	t.hash.set(key, value)
}

// adopt moves pairs that now continue the array out of the hash part.
func (t *Table) adopt() {
	if t.hash == nil || len(t.hash.pairs) == t.hash.dead {
		return
	}
	for {
		next := any(int64(len(t.arr) + 1))
		at := t.hash.find(next)
		if at < 0 {
			return
		}
		t.arr = append(t.arr, t.hash.pairs[at].value)
		t.hash.remove(at)
	}
}

func (t *Table) trim() {
	n := len(t.arr)
	for n > 0 && t.arr[n-1] == nil {
		n--
	}
	t.arr = t.arr[:n]
}

// find returns the place of key, -1 if it has none.
func (h *hashPart) find(key any) int {
	if h.index != nil {
		if at, ok := h.index[key]; ok {
			return at
		}
		return -1
	}
	for i := range h.pairs {
		if h.pairs[i].key == key {
			return i
		}
	}
	return -1
}

func (h *hashPart) set(key, value any) {
	at := h.find(key)
	switch {
	case at >= 0 && value == nil:
		h.remove(at)
	case at >= 0:
		h.pairs[at].value = value
	case value != nil:
		h.insert(key, value)
	}
}

func (h *hashPart) remove(at int) {
	if h.index != nil {
		delete(h.index, h.pairs[at].key)
	}
	h.pairs[at] = pair{}
	h.dead++
}

// insert appends a pair whose key is not there yet, and drops the dead ones when they are the majority.
func (h *hashPart) insert(key, value any) {
	if h.dead > len(h.pairs)/2 {
		h.pairs = slices.DeleteFunc(h.pairs, func(p pair) bool { return p.key == nil })
		h.dead = 0
		h.index = nil
	}
	h.pairs = append(h.pairs, pair{key, value})
	switch {
	case h.index != nil:
		h.index[key] = len(h.pairs) - 1
	case len(h.pairs) >= indexFrom:
		h.index = make(map[any]int, 2*len(h.pairs))
		for i, p := range h.pairs {
			if p.key != nil {
				h.index[p.key] = i
			}
		}
	}
}

// tableKey brings a key to its Lua form.
func tableKey(key any) (any, error) {
	switch k := lower(key).(type) {
	case bool, int64, string, Pointer, *Table:
		return k, nil
	case float64:
		if math.IsNaN(k) {
			return nil, faultf(ErrKey, "table index is NaN")
		}
		if i, ok := floatToInt(k); ok {
			return i, nil
		}
		return k, nil
	case nil:
		return nil, faultf(ErrKey, "table index is nil")
	default:
		return nil, faultf(ErrKey, "%T cannot be a table key", key)
	}
}
