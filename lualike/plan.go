package lualike

import (
	"fmt"
	"reflect"
	"sync"
)

// op says how the values of a Go type travel.
type op uint8

const (
	opUnsupported op = iota
	opBool
	opInt
	opUint
	opFloat
	opString
	opBytes
	opSlice
	opArray
	opMap
	opStruct
	opPtr
	opAny
	opTable
	opPointer
)

// plan is what is worked out once for a Go type. A plan is immutable once it is in the cache.
type plan struct {
	op   op
	typ  reflect.Type
	elem *plan // of slices, arrays, maps, pointers
	key  *plan // of maps

	fields []field
	byName map[string]int

	msgp    bool   // a struct that travels as a string of MessagePack
	bounded bool   // one whose MessagePack needs less of a check
	why     string // opUnsupported: what to tell
}

var plans sync.Map // reflect.Type -> *plan

var (
	tableType   = reflect.TypeFor[*Table]()
	pointerType = reflect.TypeFor[Pointer]()
)

// planFor returns the plan of t. Plans of recursive types refer to each other, so a set is published only when all of it is complete.
func planFor(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	b := builder{}
	p := b.plan(t)
	for typ, built := range b {
		plans.LoadOrStore(typ, built)
	}
	return p
}

// builder holds the plans of one build.
type builder map[reflect.Type]*plan

func (b builder) plan(t reflect.Type) *plan {
	if p, ok := b[t]; ok {
		return p
	}
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{typ: t}
	b[t] = p
	switch t.Kind() {
	case reflect.Bool:
		p.op = opBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.op = opInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.op = opUint
		if t == pointerType {
			p.op = opPointer
		}
	case reflect.Float32, reflect.Float64:
		p.op = opFloat
	case reflect.String:
		p.op = opString
	case reflect.Slice:
		p.op = opSlice
		if t.Elem().Kind() == reflect.Uint8 {
			p.op = opBytes
			break
		}
		p.elem = b.plan(t.Elem())
	case reflect.Array:
		p.op = opArray
		p.elem = b.plan(t.Elem())
	case reflect.Map:
		p.op = opMap
		p.key = b.plan(t.Key())
		p.elem = b.plan(t.Elem())
	case reflect.Interface:
		p.op = opAny
	case reflect.Pointer:
		b.pointer(p)
	case reflect.Struct:
		b.structure(p)
	default:
		p.refuse("%s cannot be packed", t)
	}
	return p
}

func (b builder) pointer(p *plan) {
	if p.typ == tableType {
		p.op = opTable
		return
	}
	seen := map[reflect.Type]bool{}
	for t := p.typ; t.Kind() == reflect.Pointer; t = t.Elem() {
		if seen[t] {
			p.refuse("%s points to itself only", p.typ)
			return
		}
		seen[t] = true
	}
	p.op = opPtr
	p.elem = b.plan(p.typ.Elem())
}

func (b builder) structure(p *plan) {
	p.op = opStruct
	p.msgp = isMsgp(p.typ)
	p.bounded = p.msgp && isBounded(p.typ)
	for _, f := range flatten(p.typ) {
		f.plan = b.plan(f.typ)
		f.key = appendString(nil, f.name)
		p.fields = append(p.fields, f)
	}
	if len(p.fields) == 0 && p.typ.NumField() > 0 && !p.msgp && !hasExported(p.typ) {
		p.refuse("%s has no exported fields and cannot be packed", p.typ)
		return
	}
	p.byName = make(map[string]int, len(p.fields))
	for i, f := range p.fields {
		p.byName[f.name] = i
	}
}

func (p *plan) refuse(format string, args ...any) {
	p.op = opUnsupported
	p.why = fmt.Sprintf(format, args...)
}
