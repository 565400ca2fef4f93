package lualike

import (
	"reflect"
	"slices"
	"strings"
)

// field is one pair of the table that a struct becomes.
type field struct {
	name      string
	key       []byte // the packed name
	index     []int
	direct    int // the only index, -1 if the field lies in an embedded struct
	typ       reflect.Type
	plan      *plan
	omitEmpty bool
	tagged    bool
}

// flatten lists the fields of struct type t with those of its embedded structs. Among fields of one name the least nested wins,
// then a tagged one; a tie hides them all.
func flatten(t reflect.Type) []field {
	type level struct {
		typ   reflect.Type
		index []int
	}
	var all []field
	visited := map[reflect.Type]bool{t: true}
	for next := []level{{typ: t}}; len(next) > 0; {
		current := next
		next = nil
		for _, l := range current {
			for i := range l.typ.NumField() {
				sf := l.typ.Field(i)
				f, embedded, ok := parseField(sf)
				if !ok {
					continue
				}
				f.index = append(slices.Clone(l.index), i)
				f.direct = -1
				if len(f.index) == 1 {
					f.direct = i
				}
				if embedded == nil {
					all = append(all, f)
				} else if !visited[embedded] {
					next = append(next, level{embedded, f.index})
				}
			}
		}
		// Only now: a type embedded twice at one level is a tie.
		for _, l := range next {
			visited[l.typ] = true
		}
	}
	return dominant(all)
}

// parseField reads one struct field; embedded is set when its fields are to be flattened in its place.
func parseField(sf reflect.StructField) (f field, embedded reflect.Type, ok bool) {
	tag := sf.Tag.Get("lua")
	if tag == "-" {
		return f, nil, false
	}
	name, options, _ := strings.Cut(tag, ",")
	if sf.Anonymous && name == "" {
		t := sf.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		// A nil pointer to an unexported struct could not be filled.
		reachable := sf.IsExported() || sf.Type.Kind() != reflect.Pointer
		if t.Kind() == reflect.Struct && reachable {
			return f, t, true
		}
	}
	if !sf.IsExported() {
		return f, nil, false
	}
	f = field{name: name, typ: sf.Type, tagged: name != ""}
	if name == "" {
		f.name = sf.Name
	}
	f.omitEmpty = slices.Contains(strings.Split(options, ","), "omitempty")
	return f, nil, true
}

func dominant(all []field) []field {
	var names []string
	byName := map[string][]field{}
	for _, f := range all {
		if byName[f.name] == nil {
			names = append(names, f.name)
		}
		byName[f.name] = append(byName[f.name], f)
	}
	var out []field
	for _, name := range names {
		if f, ok := winner(byName[name]); ok {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b field) int { return slices.Compare(a.index, b.index) })
	return out
}

func winner(rivals []field) (field, bool) {
	depth := len(rivals[0].index) // the list is in order of depth
	var best []field
	for _, f := range rivals {
		if len(f.index) == depth {
			best = append(best, f)
		}
	}
	if len(best) > 1 {
		best = slices.DeleteFunc(best, func(f field) bool { return !f.tagged })
	}
	if len(best) != 1 {
		return field{}, false
	}
	return best[0], true
}

// hasExported reports whether t has exported fields at all; if so, its author left them out on purpose.
func hasExported(t reflect.Type) bool {
	for i := range t.NumField() {
		if sf := t.Field(i); sf.IsExported() {
			return true
		}
	}
	return false
}

// of returns the field of struct v; ok is false when an embedded pointer on the way is nil.
func (f *field) of(v reflect.Value) (reflect.Value, bool) {
	for i, x := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

// in is of for decoding: embedded pointers are filled on the way.
func (f *field) in(v reflect.Value) reflect.Value {
	for i, x := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v
}
