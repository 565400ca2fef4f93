package luaconf

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// environmentName is what Lua calls the table of globals. It may be read, so
// that _ENV["db-1"] = "host:port" works, but not replaced.
const environmentName = "_ENV"

// maxIncludes bounds how deep files include each other.
const maxIncludes = 64

// runner is one evaluation.
type runner struct {
	opt       Options
	bootstrap bool // include and $NAME
	state     *lua.LState
	meter     *meter
	env       *lua.LTable // always empty, so that every assignment is seen
	store     *lua.LTable // what was assigned
	tables    *lua.LTable // the metatable of the program's tables
	where     map[string]position
	sources   []string // file by chunk number
	including []string // the files being evaluated, the innermost last
	err       *Error   // the reason, when one of our own functions raised
}

func newRunner(o Options, bootstrap bool) *runner {
	o = o.withDefaults()
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	r := &runner{
		opt:       o,
		bootstrap: bootstrap,
		state:     l,
		meter:     newMeter(o),
		env:       l.NewTable(),
		store:     l.NewTable(),
		tables:    l.NewTable(),
		where:     map[string]position{},
	}
	base := l.NewTable()
	base.RawSetString(environmentName, r.env)
	base.RawSetString(hiddenConcat, l.NewFunction(r.concat))
	base.RawSetString(hiddenNew, l.NewFunction(r.newObject))
	base.RawSetString(hiddenKey, l.NewFunction(r.fieldKey))
	base.RawSetString(hiddenValue, l.NewFunction(value))
	if bootstrap {
		base.RawSetString("include", l.NewFunction(r.include))
	}
	meta := func(t lua.LValue, event string, v lua.LValue) {
		mt := l.NewTable()
		mt.RawSetString(event, v)
		l.SetMetatable(t, mt)
	}
	meta(r.store, "__index", base)
	meta(r.env, "__index", r.store)
	r.env.Metatable.(*lua.LTable).RawSetString("__newindex", l.NewFunction(r.assign))
	r.tables.RawSetString("__newindex", l.NewFunction(r.insert))
	meta(lua.LString(""), "__index", l.NewFunction(r.stringMethod))
	l.SetContext(r.meter)
	return r
}

func (r *runner) close() { r.state.Close() }

// config evaluates a bootstrap config and turns its globals into text.
func (r *runner) config(name, text string) (*Config, error) {
	if err := r.evaluate(name, text); err != nil {
		return nil, err
	}
	c := &Config{globals[string]{values: map[string]string{}, where: r.where}}
	for _, key := range slices.Sorted(maps.Keys(r.where)) {
		switch v := r.store.RawGetString(key).(type) {
		case lua.LString:
			c.values[key] = string(v)
		case lua.LNumber:
			c.values[key] = formatNumber(float64(v))
		case lua.LBool:
			c.values[key] = strconv.FormatBool(bool(v))
		default:
			return nil, c.Errorf(key, "Invalid config table key = %s", key)
		}
	}
	return c, nil
}

// table evaluates a cluster node table and turns its globals into Go values.
func (r *runner) table(name, text string) (*Table, error) {
	if err := r.evaluate(name, text); err != nil {
		return nil, err
	}
	t := &Table{globals[any]{values: map[string]any{}, where: r.where}}
	for _, key := range slices.Sorted(maps.Keys(r.where)) {
		switch v := r.store.RawGetString(key).(type) {
		case lua.LString:
			t.values[key] = string(v)
		case lua.LNumber:
			if n, ok := whole(float64(v)); ok {
				t.values[key] = n
			} else {
				t.values[key] = float64(v)
			}
		case lua.LBool:
			t.values[key] = bool(v)
		default:
			return nil, t.Errorf(key, "%s is neither a string, a boolean nor a number", v.Type())
		}
	}
	return t, nil
}

func (r *runner) evaluate(name, text string) (err error) {
	r.including = append(r.including, name)
	parts, err := r.compile(name, text)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := r.call(p); err != nil {
			return err
		}
	}
	return nil
}

// call runs one part. The machine itself may panic: when its registry
// overflows at the first instruction of a function, it stumbles over the
// position for its own error.
func (r *runner) call(part *lua.LFunction) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Error{File: r.including[len(r.including)-1], Text: "calls too deep or with too many values"}
		}
	}()
	r.state.Push(part)
	if err := r.state.PCall(0, 0, nil); err != nil {
		return r.explain(err)
	}
	return nil
}

// compile makes the functions that a file consists of.
func (r *runner) compile(name, text string) ([]*lua.LFunction, error) {
	if r.bootstrap {
		var err error
		if text, err = substitute(name, text, r.opt.Getenv); err != nil {
			return nil, err
		}
	}
	if len(text) > maxSource {
		return nil, &Error{File: name, Text: errTooLong.Error()}
	}
	code, tokens, err := scan(name, text)
	if err != nil {
		return nil, err
	}
	if err := r.meter.charge(costObject + int64(len(text))*costSourceByte + int64(tokens)*costToken); err != nil {
		return nil, &Error{File: name, Text: err.Error()}
	}
	stmts, err := parse.Parse(strings.NewReader(code), name)
	if err != nil {
		return nil, syntaxError(name, text, err)
	}
	parts, err := rewrite(name, stmts)
	if err != nil {
		return nil, err
	}
	chunk := strconv.Itoa(len(r.sources))
	r.sources = append(r.sources, name)
	var fns []*lua.LFunction
	for _, p := range parts {
		proto, err := compilePart(p, chunk)
		if err != nil {
			return nil, compileError(name, err)
		}
		fn := r.state.NewFunctionFromProto(proto)
		fn.Env = r.env
		fns = append(fns, fn)
	}
	return fns, nil
}

// compilePart is lua.Compile, whose panics are the compiler's own mistakes.
func compilePart(stmts []ast.Stmt, chunk string) (proto *lua.FunctionProto, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the Lua compiler failed: %v", v)
		}
	}()
	return lua.Compile(stmts, chunk)
}

func syntaxError(name, text string, err error) error {
	var pe *parse.Error
	if !errors.As(err, &pe) {
		return &Error{File: name, Text: "the Lua parser failed: " + err.Error()}
	}
	e := &Error{File: name, Line: pe.Pos.Line, Text: pe.Message}
	if e.Text == "syntax error" || e.Text == "parse error" {
		e.Text = "unexpected symbol"
	}
	switch {
	case pe.Pos.Line == parse.EOF:
		e.Line = lineAt(text, len(text))
		e.Text += " near <eof>"
	case pe.Token != "":
		e.Text += " near '" + pe.Token + "'"
	}
	return e
}

func compileError(name string, err error) error {
	e := &Error{File: name, Text: err.Error()}
	var ce *lua.CompileError
	if errors.As(err, &ce) {
		e.Line, e.Text = ce.Line, ce.Message
	}
	return e
}

// explain makes an *Error of what the virtual machine raised.
func (r *runner) explain(err error) error {
	if r.err != nil {
		return r.err
	}
	text := err.Error()
	if ae := (*lua.ApiError)(nil); errors.As(err, &ae) {
		text = ae.Object.String()
	}
	// The machine's own errors start with chunk number and line.
	chunk, rest, ok1 := strings.Cut(text, ":")
	line, rest, ok2 := strings.Cut(rest, ": ")
	c, err1 := strconv.Atoi(chunk)
	n, err2 := strconv.Atoi(line)
	if !ok1 || !ok2 || err1 != nil || err2 != nil || c < 0 || c >= len(r.sources) {
		return &Error{File: r.including[0], Text: text}
	}
	return &Error{File: r.sources[c], Line: n, Text: rest}
}

// here gives the place of the Lua code that called the running Go function.
func (r *runner) here() position {
	for level := 1; ; level++ {
		d, ok := r.state.GetStack(level)
		if !ok {
			return position{file: r.including[0]}
		}
		if _, err := r.state.GetInfo("Sl", d, lua.LNil); err != nil || d.What == "G" {
			continue
		}
		c, err := strconv.Atoi(d.Source)
		if err != nil {
			continue
		}
		return position{file: r.sources[c], line: d.CurrentLine}
	}
}

// raise ends the evaluation with an error at the place of the caller.
func (r *runner) raise(format string, args ...any) {
	p := r.here()
	r.raiseError(&Error{File: p.file, Line: p.line, Text: fmt.Sprintf(format, args...)})
}

func (r *runner) raiseError(e *Error) {
	r.err = e
	r.state.RaiseError("%s", e.Text)
}

func (r *runner) charge(n int64) {
	if err := r.meter.charge(n); err != nil {
		r.raise("%v", err)
	}
}

// include evaluates another file in the same environment.
func (r *runner) include(l *lua.LState) int {
	name, ok := l.Get(1).(lua.LString)
	if !ok {
		r.raise("include needs a file name, not a %s", l.Get(1).Type())
	}
	path := resolve(filepath.Dir(r.including[len(r.including)-1]), string(name))
	if slices.ContainsFunc(r.including, func(f string) bool { return filepath.Clean(f) == path }) {
		r.raise("include %q: the file includes itself", name)
	}
	if len(r.including) >= maxIncludes {
		r.raise("include %q: more than %d files deep", name, maxIncludes)
	}
	text, err := readSource(path)
	if err != nil {
		p := r.here()
		r.raiseError(&Error{
			File: p.file, Line: p.line, cause: err,
			Text: fmt.Sprintf("include %q: %s: %s", name, path, fileErrorText(err)),
		})
	}
	parts, err := r.compile(path, text)
	if err != nil {
		e := &Error{Text: err.Error()}
		errors.As(err, &e)
		r.raiseError(e)
	}
	r.including = append(r.including, path)
	for _, p := range parts {
		l.Push(p)
		l.Call(0, 0)
	}
	r.including = r.including[:len(r.including)-1]
	return 0
}
