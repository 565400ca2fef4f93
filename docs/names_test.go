package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skynetgo/skynet/services"
)

// packages are those whose names the pages use, by path below the root.
var packages = []string{
	"actor", "service", "service/socket", "service/snax", "cluster", "cluster/nodefile", "cluster/wire", "lualike", "lualike/luaconf",
	"bootstrap", "bootstrap/nodetest", "services/gate", "services/login",
}

var (
	qualified = regexp.MustCompile(`\b([a-z]+)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)
	onContext = regexp.MustCompile(`\bc\.([A-Z]\w*)`)
	pathLike  = regexp.MustCompile("^`((?:actor|service|services|cluster|lualike|bootstrap|examples|tools|docs)/[\\w./-]+)`$")
	makeCode  = regexp.MustCompile("^`make ([a-z-]+)")
)

// TestNames looks up every name of the form package.Name, package.Type.Name or
// c.Method, every path and every make target that stands in inline code.
func TestNames(t *testing.T) {
	count := 0
	for _, p := range pages(t) {
		for _, code := range inlineCode.FindAllString(p.prose, -1) {
			n, err := checkCode(code)
			if err != nil {
				t.Errorf("%s: %s: %v", p.path, code, err)
			}
			count += n
		}
	}
	if count < 100 {
		t.Errorf("only %d names found", count)
	}
}

func TestNameCheckFails(t *testing.T) {
	for _, code := range []string{"`service.NoSuch`", "`service.Context.NoSuch`", "`c.NoSuch(1)`", "`actor/nosuch.go`", "`make nosuch`"} {
		if _, err := checkCode(code); err == nil {
			t.Errorf("%s passed", code)
		}
	}
	for _, code := range []string{"`service.F1`", "`service.Context.Call`", "`c.Call(db, \"GET\")`", "`actor/node.go`", "`make run`", "`wire.Addr.Name`"} {
		if n, err := checkCode(code); err != nil || n != 1 {
			t.Errorf("%s: %d, %v", code, n, err)
		}
	}
}

// checkCode returns how many names it has looked up.
func checkCode(code string) (int, error) {
	syms, err := symbols()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, m := range qualified.FindAllStringSubmatch(code, -1) {
		names := syms[m[1]]
		if names == nil {
			continue
		}
		n++
		if !names[m[2]] || m[3] != "" && !names[m[2]+"."+m[3]] {
			return n, fmt.Errorf("there is no %s", m[0])
		}
	}
	for _, m := range onContext.FindAllStringSubmatch(code, -1) {
		n++
		if !syms["service"]["Context."+m[1]] {
			return n, fmt.Errorf("a Context has no %s", m[1])
		}
	}
	if m := pathLike.FindStringSubmatch(code); m != nil {
		n++
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			return n, err
		}
	}
	if m := makeCode.FindStringSubmatch(code); m != nil {
		n++
		targets, err := makeTargets()
		if err != nil {
			return n, err
		}
		if !slices.Contains(targets, m[1]) {
			return n, fmt.Errorf("no target %s", m[1])
		}
	}
	return n, nil
}

// TestTestNames looks up every test that inline code names, and wants one in each
// row of the table of differences on the wire.
func TestTestNames(t *testing.T) {
	known := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(b, -1) {
			known[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`(Test\\w+)`")
	for _, p := range pages(t) {
		for _, m := range name.FindAllStringSubmatch(p.prose, -1) {
			if !known[m[1]] {
				t.Errorf("%s: there is no test %s", p.path, m[1])
			}
		}
	}
	_, rest, _ := strings.Cut(pageAt(t, "docs/cluster-wire.md").prose, "## Where this project differs")
	table, _, _ := strings.Cut(rest, "\n## ")
	rows := 0
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Skynet") {
			continue
		}
		if rows++; !name.MatchString(line) {
			t.Errorf("no test in %s", line)
		}
	}
	if rows == 0 {
		t.Error("no differences found")
	}
}

// symbols are the exported names of each package: "Name" and "Type.Name".
var symbols = sync.OnceValues(func() (map[string]map[string]bool, error) {
	out := make(map[string]map[string]bool)
	for _, path := range packages {
		files, err := source(path)
		if err != nil {
			return nil, err
		}
		names := make(map[string]bool)
		for _, f := range files {
			for _, d := range f.Decls {
				declare(names, d)
			}
		}
		out[filepath.Base(path)] = names
	}
	return out, nil
})

// source parses the files of a package without its tests.
func source(path string) ([]*ast.File, error) {
	paths, err := filepath.Glob(filepath.Join(root, path, "*.go"))
	if err != nil {
		return nil, err
	}
	var out []*ast.File
	fset := token.NewFileSet()
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, p, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func declare(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = typeName(d.Recv.List[0].Type) + "." + name
		}
		names[name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names[n.Name] = true
				}
			case *ast.TypeSpec:
				names[s.Name.Name] = true
				for _, f := range members(s.Type) {
					for _, n := range f.Names {
						names[s.Name.Name+"."+n.Name] = true
					}
				}
			}
		}
	}
}

func members(t ast.Expr) []*ast.Field {
	switch t := t.(type) {
	case *ast.StructType:
		return t.Fields.List
	case *ast.InterfaceType:
		return t.Methods.List
	}
	return nil
}

func typeName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return typeName(t.X)
	case *ast.IndexExpr:
		return typeName(t.X)
	case *ast.IndexListExpr:
		return typeName(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// TestLocks compares the table of locks in concurrency.md with the mutexes that
// the code has.
func TestLocks(t *testing.T) {
	have := make(map[string]bool)
	for _, path := range append(slices.Clone(packages), servicePackages(t)...) {
		files, err := source(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.TypeSpec); ok {
					for _, field := range members(s.Type) {
						if isMutex(field.Type) {
							for _, name := range field.Names {
								have[filepath.Base(path)+"."+s.Name.Name+"."+name.Name] = true
							}
						}
					}
				}
				return true
			})
		}
	}
	listed := make(map[string]bool)
	row := regexp.MustCompile("(?m)^\\| `([a-z]+\\.\\w+\\.\\w+)` \\|")
	for _, m := range row.FindAllStringSubmatch(pageAt(t, "docs/concurrency.md").prose, -1) {
		listed[m[1]] = true
	}
	if !maps.Equal(have, listed) {
		t.Errorf("the code has %v,\nthe page lists %v", slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(listed)))
	}
}

func isMutex(t ast.Expr) bool {
	s, ok := t.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := s.X.(*ast.Ident)
	return ok && pkg.Name == "sync" && (s.Sel.Name == "Mutex" || s.Sel.Name == "RWMutex")
}

// servicePackages are the folders of the built-in services that packages does
// not have.
func servicePackages(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, "services"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if path := "services/" + e.Name(); e.IsDir() && !slices.Contains(packages, path) {
			out = append(out, path)
		}
	}
	return out
}

// TestServicesAreDescribed wants each built-in service in architecture.md.
func TestServicesAreDescribed(t *testing.T) {
	text := pageAt(t, "docs/architecture.md").prose
	for _, d := range services.All() {
		if !strings.Contains(text, "`"+d.Name()+"`") {
			t.Errorf("no word of %s", d.Name())
		}
	}
}

// TestSkynetCalls wants each name of Skynet's Lua libraries in the tables of
// api.md and libraries.md. The list was taken from the tree that the conformance records name.
func TestSkynetCalls(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "skynet_calls.txt"))
	if err != nil {
		t.Fatal(err)
	}
	rows := firstColumns(pageAt(t, "docs/api.md").prose + pageAt(t, "docs/libraries.md").prose)
	names := strings.Fields(string(b))
	if len(names) < 140 {
		t.Fatalf("only %d names", len(names))
	}
	for _, name := range names {
		if !rows[name] {
			t.Errorf("no row for %s", name)
		}
	}
}

// firstColumns are the words in inline code of the first column of all tables.
func firstColumns(prose string) map[string]bool {
	out := make(map[string]bool)
	for line := range strings.Lines(prose) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell := strings.Split(line, "|")[1]
		for _, code := range inlineCode.FindAllString(cell, -1) {
			out[strings.Trim(code, "`")] = true
		}
	}
	return out
}

// TestConfigKeys wants each key that bootstrap knows in api.md.
func TestConfigKeys(t *testing.T) {
	files, err := source("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	rows := firstColumns(pageAt(t, "docs/api.md").prose)
	count := 0
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.ValueSpec)
			if !ok || len(s.Names) != 1 || len(s.Values) != 1 || !strings.HasPrefix(s.Names[0].Name, "key") {
				return true
			}
			if lit, ok := s.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				count++
				if key := strings.Trim(lit.Value, `"`); !rows[key] {
					t.Errorf("no row for the key %s", key)
				}
			}
			return true
		})
	}
	if count == 0 {
		t.Error("bootstrap has no keys: were they found?")
	}
}
