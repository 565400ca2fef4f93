package lualike

import (
	"math"
	"reflect"
)

// Pointer is a light userdata: an address that means something only to the process that packed it.
type Pointer uint64

// Args is a list of values, as unpacked from a message. Its elements are nil, bool, int64, float64, string, [*Table] or [Pointer].
// The methods count from 0 as the slice does; the texts of their errors count from 1 as Lua does.
type Args []any

// At returns value i, nil past the end.
func (a Args) At(i int) any {
	if i < 0 || i >= len(a) {
		return nil
	}
	return a[i]
}

// Int returns the integer at i; a float without fraction will do.
func (a Args) Int(i int) (int64, error) {
	if n, ok := a.At(i).(int64); ok {
		return n, nil
	}
	return argument[int64](a, i, "an integer")
}

// Float returns the number at i as a float.
func (a Args) Float(i int) (float64, error) {
	if n, ok := a.At(i).(float64); ok {
		return n, nil
	}
	return argument[float64](a, i, "a number")
}

// Str returns the string at i.
func (a Args) Str(i int) (string, error) {
	if s, ok := a.At(i).(string); ok {
		return s, nil
	}
	return argument[string](a, i, "a string")
}

// Bool returns the boolean at i.
func (a Args) Bool(i int) (bool, error) {
	if b, ok := a.At(i).(bool); ok {
		return b, nil
	}
	return argument[bool](a, i, "a boolean")
}

// Table returns the table at i.
func (a Args) Table(i int) (*Table, error) {
	if t, ok := a.At(i).(*Table); ok && t != nil {
		return t, nil
	}
	return argument[*Table](a, i, "a table")
}

// argument is the slow half of the accessors: conversion, and the error. Unlike a conversion it does not take nil for zero.
func argument[T any](a Args, i int, want string) (T, error) {
	var zero T
	v := a.At(i)
	if isNil(v) {
		return zero, inPosition(faultf(ErrType, "nil is not %s", want), "argument", i+1)
	}
	got, err := As[T](v)
	if err != nil {
		return zero, inPosition(err, "argument", i+1)
	}
	return got, nil
}

// isNil reports whether v packs as nil.
func isNil(v any) bool {
	return lower(v) == nil
}

// lower turns the Go scalars into their Lua form and leaves everything else as it is.
// A uint64 beyond the integers stays too: packing refuses it and knows the path.
func lower(v any) any {
	switch x := v.(type) {
	case nil, bool, int64, float64, string, Pointer:
		return v
	case *Table:
		if x == nil {
			return nil
		}
		return v
	case int:
		return int64(x)
	case []byte:
		return string(x)
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Bool:
		return rv.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if u := rv.Uint(); u <= math.MaxInt64 {
			return int64(u)
		}
	case reflect.Float32, reflect.Float64:
		return rv.Float()
	case reflect.String:
		return rv.String()
	case reflect.Pointer:
		if rv.IsNil() {
			return nil
		}
	}
	return v
}

// floatToInt gives the integer equal to f, if there is one.
func floatToInt(f float64) (int64, bool) {
	if f >= -0x1p63 && f < 0x1p63 && f == math.Trunc(f) {
		return int64(f), true
	}
	return 0, false
}
