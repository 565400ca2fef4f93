package luaconf

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
)

// Config is an evaluated bootstrap config: text by key, as Skynet keeps it.
type Config struct{ globals[string] }

// Get gives the value of key as text, and whether the file sets it.
func (c *Config) Get(key string) (string, bool) { return c.get(key) }

// Int reads the value of key as C's strtol does: a number with anything behind
// it counts, text without one is 0. It gives def when key is not set.
func (c *Config) Int(key string, def int64) int64 {
	v, ok := c.get(key)
	if !ok {
		return def
	}
	return strtol(v)
}

// Bool tells whether the value of key is "true"; def when key is not set.
func (c *Config) Bool(key string, def bool) bool {
	v, ok := c.get(key)
	if !ok {
		return def
	}
	return v == "true"
}

// Keys gives the keys, sorted.
func (c *Config) Keys() []string { return c.keys() }

// All yields the keys, sorted, with their values.
func (c *Config) All() iter.Seq2[string, string] { return c.all() }

// Where tells where key was assigned last; "" and 0 when it is not set.
func (c *Config) Where(key string) (file string, line int) { return c.position(key) }

// Errorf makes an error about the value of key, with the place it was assigned at.
func (c *Config) Errorf(key, format string, args ...any) *Error {
	return c.errorf(key, format, args)
}

// Table is an evaluated cluster node table: string, bool, int64 or float64 by key.
type Table struct{ globals[any] }

// Get gives the value of key, and whether the file sets it.
func (t *Table) Get(key string) (any, bool) { return t.get(key) }

// Keys gives the keys, sorted.
func (t *Table) Keys() []string { return t.keys() }

// All yields the keys, sorted, with their values.
func (t *Table) All() iter.Seq2[string, any] { return t.all() }

// Where tells where key was assigned last; "" and 0 when it is not set.
func (t *Table) Where(key string) (file string, line int) { return t.position(key) }

// Errorf makes an error about the value of key, with the place it was assigned at.
func (t *Table) Errorf(key, format string, args ...any) *Error {
	return t.errorf(key, format, args)
}

type position struct {
	file string
	line int
}

// globals is what a file left in its environment.
type globals[V any] struct {
	values map[string]V
	where  map[string]position
}

func (g *globals[V]) get(key string) (V, bool) {
	v, ok := g.values[key]
	return v, ok
}

func (g *globals[V]) keys() []string { return slices.Sorted(maps.Keys(g.values)) }

func (g *globals[V]) all() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, k := range g.keys() {
			if !yield(k, g.values[k]) {
				return
			}
		}
	}
}

func (g *globals[V]) position(key string) (string, int) {
	p := g.where[key]
	return p.file, p.line
}

func (g *globals[V]) errorf(key, format string, args []any) *Error {
	p := g.where[key]
	return &Error{File: p.file, Line: p.line, Key: key, Text: fmt.Sprintf(format, args...)}
}

func strtol(s string) int64 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	neg := strings.HasPrefix(s, "-")
	if neg || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	var n int64
	for i := 0; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		d := int64(s[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			if neg {
				return math.MinInt64
			}
			return math.MaxInt64
		}
		n = n*10 + d
	}
	if neg {
		return -n
	}
	return n
}
