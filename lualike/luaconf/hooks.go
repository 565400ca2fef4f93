package luaconf

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// farthest is the first index that gopher-lua does not keep in an array.
const farthest = 1 << 26

// assign sets a global: __newindex of the environment.
func (r *runner) assign(l *lua.LState) int {
	name, ok := l.Get(2).(lua.LString)
	value := l.Get(3)
	if !ok {
		r.raise("Invalid config table")
	}
	key := string(name)
	if strings.IndexByte(key, 0) >= 0 {
		r.raise("the key %q holds a NUL", key)
	}
	if value == lua.LNil {
		delete(r.where, key)
	} else {
		if _, known := r.where[key]; !known {
			r.charge(costHashEntry)
		}
		r.where[key] = r.here()
	}
	r.store.RawSetString(key, value)
	return 0
}

// insert adds a field to a table: __newindex of the program's tables.
func (r *runner) insert(l *lua.LState) int {
	t := l.CheckTable(1)
	key := l.Get(2)
	r.checkKey(key)
	cost := int64(costHashEntry)
	if n, ok := arrayIndex(key); ok {
		cost = costArraySlot * max(1, n-int64(t.Len()))
	}
	r.charge(cost)
	t.RawSet(key, l.Get(3))
	return 0
}

// fieldKey passes a key of a table constructor on. The table is not there yet,
// so an index counts as if it made the whole array.
func (r *runner) fieldKey(l *lua.LState) int {
	key := l.Get(1)
	r.checkKey(key)
	cost := int64(costHashEntry)
	if n, ok := arrayIndex(key); ok {
		cost = costArraySlot * n
	}
	r.charge(cost)
	l.Push(key)
	return 1
}

func (r *runner) checkKey(key lua.LValue) {
	if key == lua.LNil {
		r.raise("table index is nil")
	}
	if n, ok := key.(lua.LNumber); ok && n != n {
		r.raise("table index is NaN")
	}
}

func arrayIndex(key lua.LValue) (int64, bool) {
	v, ok := key.(lua.LNumber)
	if !ok {
		return 0, false
	}
	n, ok := whole(float64(v))
	return n, ok && 0 < n && n < farthest
}

// newObject counts a table or function just made, and passes it on.
func (r *runner) newObject(l *lua.LState) int {
	v := l.Get(1)
	cost := int64(costObject)
	if t, ok := v.(*lua.LTable); ok {
		cost += costArraySlot * int64(t.Len())
		t.Metatable = r.tables
	}
	r.charge(cost)
	l.Push(v)
	return 1
}

// value passes its argument on.
func value(*lua.LState) int { return 1 }

// concat joins strings and numbers, after counting the bytes of the result.
func (r *runner) concat(l *lua.LState) int {
	parts := make([]string, l.GetTop())
	var size int64
	for i := range parts {
		switch v := l.Get(i + 1).(type) {
		case lua.LString:
			parts[i] = string(v)
		case lua.LNumber:
			parts[i] = formatNumber(float64(v))
		default:
			r.raise("attempt to concatenate a %s value", v.Type())
		}
		size += int64(len(parts[i]))
	}
	r.charge(size)
	l.Push(lua.LString(strings.Join(parts, "")))
	return 1
}

func (r *runner) stringMethod(l *lua.LState) int {
	r.raise("string methods (%s) are not available in a config file", l.Get(2).String())
	return 0
}
