// Package lualike holds the Lua-shaped values that nodes exchange and their wire form.
//
// A value is nil, bool, int64, float64, string, [*Table] or [Pointer]; integers and floats stay apart as in Lua.
// [Pack] and [Unpack] speak the byte format of Skynet's lua-seri, so that what one side packs the other unpacks.
//
// Go values travel by these rules:
//
//   - every int and uint kind becomes an integer, float32 and float64 a float, string and []byte a string;
//   - a slice or an array becomes an array table (a nil slice an empty one), a map a hash table with sorted keys;
//   - a struct becomes a hash table with one pair for each exported field, named by the tag `lua:"name"` or else by the field;
//     `lua:"-"` skips a field, `lua:",omitempty"` skips it while it is empty, embedded structs are flattened as encoding/json does;
//   - a nil pointer or interface becomes nil; in a table it leaves its pair out;
//   - a struct type T whose *T implements msgp.Marshaler and msgp.Unmarshaler becomes one string of MessagePack,
//     unless [AsTable] asks for a table;
//   - anything else is an error that names the path of the value.
//
// The way back is strict: a string never becomes a number nor a number a string, an integer must fit its target, a float becomes an
// integer only if it has no fraction. nil becomes the zero value; a *T target tells nil from zero.
//
// Wire layout. A value starts with one byte: the type in the low three bits, a cookie in the high five.
//
//	0 nil
//	1 boolean       cookie 0 false, else true
//	2 number        cookie 0: zero, 1: uint8, 2: uint16, 4: int32, 6: int64, 8: float64; little endian
//	3 pointer       eight bytes
//	4 short string  cookie is the length, 0 to 31
//	5 long string   cookie 2: uint16 length, 4: uint32 length
//	6 table         cookie is the array size, 31: the size follows as an integer value; the elements; key and value pairs; nil
//
// Functions of this package keep no reference to the bytes they are given, and may be called from any goroutine;
// a [Decoder] or a [Table] belongs to one goroutine at a time.
package lualike
