package lualike

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	// printBytes and printDepth bound what String prints of a table.
	printBytes = 1000
	printDepth = 6
)

// String prints the table as Lua source would write it, for people: long strings, large and deep tables are cut short.
func (t *Table) String() string {
	var b strings.Builder
	t.print(&b, 0)
	return b.String()
}

// print reports whether there is room for more.
func (t *Table) print(b *strings.Builder, depth int) bool {
	switch {
	case t == nil:
		b.WriteString("nil")
		return true
	case depth == printDepth:
		b.WriteString("{…}")
		return true
	}
	b.WriteByte('{')
	next := int64(1)
	first := true
	for k, v := range t.All() {
		if !first {
			b.WriteString(", ")
		}
		first = false
		if b.Len() > printBytes {
			b.WriteString("…}")
			return false
		}
		if k == any(next) {
			next++
		} else if name, ok := k.(string); ok && isIdent(name) {
			b.WriteString(name + " = ")
		} else {
			b.WriteString("[" + formatScalar(k) + "] = ")
		}
		inner, ok := v.(*Table)
		if !ok {
			b.WriteString(formatScalar(v))
		} else if !inner.print(b, depth+1) {
			b.WriteByte('}')
			return false
		}
	}
	b.WriteByte('}')
	return true
}

// formatScalar prints v as Lua prints it; tables and foreign Go values by their type alone.
func formatScalar(v any) string {
	switch x := v.(type) {
	case nil:
		return "nil"
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return formatFloat(x)
	case string:
		return quoteBounded(x)
	case Pointer:
		return fmt.Sprintf("pointer: %#x", uint64(x))
	case *Table:
		return "table"
	default:
		return fmt.Sprintf("<%T>", v)
	}
}

// formatFloat always shows that f is a float, as Lua does.
func formatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(f, 'g', 14, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// keyElem prints a table key as Lua source would select it.
func keyElem(key any) string {
	if name, ok := key.(string); ok {
		return nameElem(name)
	}
	return "[" + formatScalar(key) + "]"
}

func nameElem(name string) string {
	if isIdent(name) {
		return "." + name
	}
	return "[" + quoteBounded(name) + "]"
}

func indexElem(i int) string { return "[" + strconv.Itoa(i) + "]" }

func isIdent(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// quoteBounded quotes at most the first 40 bytes of s.
func quoteBounded(s string) string {
	const bound = 40
	if len(s) > bound {
		return strconv.Quote(s[:bound]) + "…"
	}
	return strconv.Quote(s)
}
