package lualike_test

import (
	"math"

	"github.com/skynetgo/skynet/lualike"
)

// equal compares values by what Lua could tell apart: floats by their bits, tables by their pairs in any order.
func equal(a, b any) bool {
	switch x := a.(type) {
	case lualike.Args:
		y, ok := b.(lualike.Args)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case float64:
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	case *lualike.Table:
		y, ok := b.(*lualike.Table)
		return ok && equalTables(x, y)
	default:
		return a == b
	}
}

func equalTables(a, b *lualike.Table) bool {
	if count(a) != count(b) {
		return false
	}
	var tables [][2]any // pairs of b whose keys are tables
	for k, v := range b.All() {
		if _, ok := k.(*lualike.Table); ok {
			tables = append(tables, [2]any{k, v})
		}
	}
	for k, v := range a.All() {
		if _, ok := k.(*lualike.Table); !ok {
			if !equal(v, b.Get(k)) {
				return false
			}
			continue
		}
		found := false
		for i, p := range tables {
			if equal(k, p[0]) && equal(v, p[1]) {
				tables = append(tables[:i], tables[i+1:]...)
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func count(t *lualike.Table) int {
	n := 0
	for range t.All() {
		n++
	}
	return n
}
