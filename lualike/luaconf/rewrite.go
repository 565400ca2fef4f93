package luaconf

import (
	"fmt"
	"slices"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// The compiler recurses over the tree, its jumps reach 2^17 instructions, its
// lists 25,550 elements (beyond these it goes wrong in silence), and it looks
// up constants one by one. All of this is far beyond any config file.
const (
	maxDepth  = 1000
	maxNodes  = 50000
	maxFields = 25000
	maxBatch  = 256
)

// Names that no program can write or set, because a NUL is in them: functions
// that expressions become calls of, and the locals of an assignment.
const (
	hiddenConcat = "\x00concat"
	hiddenNew    = "\x00new"
	hiddenKey    = "\x00key"
	hiddenValue  = "\x00value"
	hiddenLocal  = "\x00local"
)

// maxOperands is how many operands one hidden call takes: each needs one of
// the 200 registers.
const maxOperands = 50

// rewriter replaces what can make memory grow by calls of functions that
// count: a .. b .. c becomes concat(a, b, c), {…} and function … end become
// new(…), [k] = v inside of {…} becomes [key(k)] = v.
type rewriter struct {
	file  string
	depth int
	nodes int
}

// rewrite changes a parsed file in place and cuts it into parts to be compiled
// and run one after the other.
func rewrite(file string, stmts []ast.Stmt) (parts [][]ast.Stmt, err error) {
	defer func() {
		if v := recover(); v != nil {
			e, ok := v.(*Error)
			if !ok {
				panic(v)
			}
			parts, err = nil, e
		}
	}()
	size := len(stmts)
	if separable(stmts) {
		size = maxBatch
	}
	for len(stmts) > 0 {
		n := min(size, len(stmts))
		r := &rewriter{file: file}
		parts = append(parts, r.block(stmts[:n]))
		stmts = stmts[n:]
	}
	return parts, nil
}

// separable tells whether the statements share nothing but the environment.
func separable(stmts []ast.Stmt) bool {
	for _, s := range stmts {
		switch s.(type) {
		case *ast.AssignStmt, *ast.FuncCallStmt, *ast.FuncDefStmt:
		default: // a local, or a block, which may hold a goto to a label out here
			return false
		}
	}
	return true
}

func (r *rewriter) fail(line int, format string, args ...any) {
	panic(&Error{File: r.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (r *rewriter) enter(n ast.PositionHolder) {
	r.depth++
	r.nodes++
	if r.depth > maxDepth {
		r.fail(n.Line(), "nested more than %d levels deep", maxDepth)
	}
	if r.nodes > maxNodes {
		r.fail(n.Line(), "more than %d expressions and statements in one piece", maxNodes)
	}
}

func (r *rewriter) leave() { r.depth-- }

func (r *rewriter) block(stmts []ast.Stmt) []ast.Stmt {
	out := make([]ast.Stmt, 0, len(stmts))
	for _, s := range stmts {
		r.enter(s)
		out = append(out, r.stmt(s)...)
		r.leave()
	}
	return out
}

func (r *rewriter) stmt(s ast.Stmt) []ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		r.targets(s.Lhs)
		r.exprs(s.Rhs)
		if len(s.Lhs) > 1 || computed(s.Rhs[0]) {
			return []ast.Stmt{parallel(s)}
		}
	case *ast.LocalAssignStmt:
		r.names(s.Line(), s.Names)
		if len(s.Names) == 1 && len(s.Exprs) == 1 {
			if fn, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
				return r.localFunction(s, fn)
			}
		}
		r.exprs(s.Exprs)
	case *ast.FuncCallStmt:
		s.Expr = r.expr(s.Expr)
	case *ast.DoBlockStmt:
		s.Stmts = r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = r.operand(s.Condition)
		s.Stmts = r.block(s.Stmts)
	case *ast.RepeatStmt:
		s.Stmts = r.block(s.Stmts)
		s.Condition = r.operand(s.Condition)
	case *ast.IfStmt:
		s.Condition = r.operand(s.Condition)
		s.Then = r.block(s.Then)
		s.Else = r.block(s.Else)
	case *ast.NumberForStmt:
		r.names(s.Line(), []string{s.Name})
		s.Init, s.Limit, s.Step = r.expr(s.Init), r.expr(s.Limit), r.expr(s.Step)
		s.Stmts = r.block(s.Stmts)
	case *ast.GenericForStmt:
		r.names(s.Line(), s.Names)
		r.exprs(s.Exprs)
		s.Stmts = r.block(s.Stmts)
	case *ast.FuncDefStmt:
		return []ast.Stmt{r.funcDef(s)}
	case *ast.ReturnStmt:
		r.exprs(s.Exprs)
	}
	return []ast.Stmt{s}
}

// localFunction declares the name first, so that the function may call itself
// although it goes through a hidden call.
func (r *rewriter) localFunction(s *ast.LocalAssignStmt, fn *ast.FunctionExpr) []ast.Stmt {
	target := &ast.IdentExpr{Value: s.Names[0]}
	target.SetLine(s.Line())
	set := &ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{r.expr(fn)}}
	set.SetLine(s.Line())
	set.SetLastLine(s.LastLine())
	s.Exprs = nil
	return []ast.Stmt{s, set}
}

// funcDef makes the assignment that function a.b:c() … end stands for.
func (r *rewriter) funcDef(s *ast.FuncDefStmt) ast.Stmt {
	target := s.Name.Func
	if s.Name.Method != "" {
		key := &ast.StringExpr{Value: s.Name.Method}
		key.SetLine(s.Line())
		field := &ast.AttrGetExpr{Object: s.Name.Receiver, Key: key}
		field.SetLine(s.Line())
		target = field
		s.Func.ParList.Names = append([]string{"self"}, s.Func.ParList.Names...)
	}
	set := &ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{s.Func}}
	set.SetLine(s.Line())
	set.SetLastLine(s.LastLine())
	r.targets(set.Lhs)
	r.exprs(set.Rhs)
	return set
}

// targets passes the left side of an assignment, whose last step must stay an
// index and not become a call.
func (r *rewriter) targets(list []ast.Expr) {
	for i, e := range list {
		if id, ok := e.(*ast.IdentExpr); ok {
			r.names(id.Line(), []string{id.Value})
		}
		list[i] = r.expr(e)
	}
}

// parallel keeps every value of a, b[i] = b, a in a new local before the first
// is stored, from right to left as Lua does it: gopher-lua stores into locals
// while it still reads them.
func parallel(s *ast.AssignStmt) ast.Stmt {
	line := s.Line()
	var before []ast.Expr
	var names []string
	local := func() *ast.IdentExpr {
		id := hiddenIdent(fmt.Sprint(hiddenLocal, len(names)), line)
		names = append(names, id.Value)
		return id
	}
	for _, e := range s.Lhs {
		if at, ok := e.(*ast.AttrGetExpr); ok {
			before = append(before, at.Object, at.Key)
			at.Object, at.Key = local(), local()
		}
	}
	var stores []ast.Stmt
	if len(before) > 0 {
		decl := &ast.LocalAssignStmt{Names: slices.Clone(names), Exprs: before}
		decl.SetLine(line)
		stores = append(stores, decl)
	}
	first := len(names)
	for _, e := range s.Lhs {
		set := &ast.AssignStmt{Lhs: []ast.Expr{e}, Rhs: []ast.Expr{local()}}
		set.SetLine(line)
		set.SetLastLine(line)
		stores = append(stores, set)
	}
	decl := &ast.LocalAssignStmt{Names: names[first:], Exprs: s.Rhs}
	decl.SetLine(line)
	at := min(1, first)
	slices.Reverse(stores[at:])
	block := &ast.DoBlockStmt{Stmts: slices.Insert(stores, at, ast.Stmt(decl))}
	block.SetLine(line)
	block.SetLastLine(line)
	return block
}

// computed tells whether an expression takes more than one instruction.
// gopher-lua may lose the value of p = q and false, or clobber other locals
// by p = f(), when p is a local and receives it directly.
func computed(e ast.Expr) bool {
	switch e.(type) {
	case ast.ConstExpr, *ast.IdentExpr:
		return false
	}
	return true
}

func (r *rewriter) names(line int, names []string) {
	for _, n := range names {
		if n == environmentName {
			r.fail(line, "setting %s is not supported", environmentName)
		}
	}
}

func (r *rewriter) exprs(list []ast.Expr) {
	for i, e := range list {
		list[i] = r.expr(e)
	}
}

func (r *rewriter) expr(e ast.Expr) ast.Expr {
	if e == nil {
		return nil
	}
	r.enter(e)
	defer r.leave()
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		e.Object, e.Key = r.expr(e.Object), r.expr(e.Key)
	case *ast.TableExpr:
		return r.table(e)
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = r.expr(e.Func), r.expr(e.Receiver)
		r.exprs(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = r.operand(e.Lhs), r.operand(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.StringConcatOpExpr:
		return r.concat(e)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.operand(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.FunctionExpr:
		r.names(e.Line(), e.ParList.Names)
		e.Stmts = r.block(e.Stmts)
		return call(hiddenNew, e.Line(), e)
	}
	return e
}

// operand passes what is tested for truth. A constant there becomes a bare
// jump, and gopher-lua loses its way when a loop begins with one.
func (r *rewriter) operand(e ast.Expr) ast.Expr {
	e = r.expr(e)
	if _, ok := e.(ast.ConstExpr); ok {
		return call(hiddenValue, e.Line(), e)
	}
	return e
}

func (r *rewriter) table(e *ast.TableExpr) ast.Expr {
	if len(e.Fields) > maxFields {
		r.fail(e.Line(), "more than %d fields in one table", maxFields)
	}
	listed := 0
	for i, f := range e.Fields {
		f.Value = r.expr(f.Value)
		if f.Key != nil || i < len(e.Fields)-1 {
			// gopher-lua lets a last [k] = f() store all results of the call.
			single(f.Value)
		}
		if f.Key == nil {
			listed++
			continue
		}
		f.Key = r.expr(f.Key)
		if _, ok := f.Key.(*ast.StringExpr); !ok {
			f.Key = call(hiddenKey, f.Key.Line(), single(f.Key))
		}
	}
	if listed >= lua.FieldsPerFlush {
		// gopher-lua stores a full batch once more after each key that
		// follows it, from registers that hold something else by then.
		slices.SortStableFunc(e.Fields, func(a, b *ast.Field) int { return listedLast(a) - listedLast(b) })
	}
	if n := listed - 1; n > 0 && n%lua.FieldsPerFlush == 0 && open(e.Fields[len(e.Fields)-1]) {
		r.fail(e.Line(), "a table of %d values and then all results of a call is not supported", n)
	}
	return call(hiddenNew, e.Line(), e)
}

func listedLast(f *ast.Field) int {
	if f.Key == nil {
		return 1
	}
	return 0
}

// open tells whether a last field stands for any number of values. After a
// full batch of others gopher-lua puts them over the wrong elements.
func open(f *ast.Field) bool {
	if f.Key != nil {
		return false
	}
	switch v := f.Value.(type) {
	case *ast.FuncCallExpr:
		return !v.AdjustRet
	case *ast.Comma3Expr:
		return !v.AdjustRet
	}
	return false
}

// concat flattens a chain of .. into as few calls as the registers allow.
func (r *rewriter) concat(e *ast.StringConcatOpExpr) ast.Expr {
	operands := r.operands(e, nil)
	for len(operands) > maxOperands {
		var groups []ast.Expr
		for len(operands) > 0 {
			n := min(maxOperands, len(operands))
			groups = append(groups, call(hiddenConcat, e.Line(), operands[:n:n]...))
			operands = operands[n:]
		}
		operands = groups
	}
	return call(hiddenConcat, e.Line(), operands...)
}

func (r *rewriter) operands(e ast.Expr, list []ast.Expr) []ast.Expr {
	c, ok := e.(*ast.StringConcatOpExpr)
	if !ok {
		return append(list, single(r.expr(e)))
	}
	r.enter(c)
	defer r.leave()
	return r.operands(c.Rhs, r.operands(c.Lhs, list))
}

// single makes an argument of what was an operand: it gives one value.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// call makes a call of a hidden function, cut to its one result.
func call(name string, line int, args ...ast.Expr) ast.Expr {
	e := &ast.FuncCallExpr{Func: hiddenIdent(name, line), Args: args, AdjustRet: true}
	e.SetLine(line)
	return e
}

func hiddenIdent(name string, line int) *ast.IdentExpr {
	id := &ast.IdentExpr{Value: name}
	id.SetLine(line)
	return id
}
