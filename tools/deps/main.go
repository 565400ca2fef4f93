// Command deps checks that the packages of this module import each other in one direction only, and that
// the module does not gather dependencies without anyone noticing.
//
// It is run from the module's root, with package patterns as arguments (default ./...). It reads import
// clauses only, so it works on packages that do not compile. Test files are free to import what they like.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// maxModules is the number of modules, ours included, that the build list may not reach.
const maxModules = 60

// order lists the places of the module's packages from the bottom up, by path below the module's root. A
// package belongs to the longest place that is its path or a parent of it, and may import its own place and
// those before it.
var order = []string{"actor", "service", "service/socket", "cluster", "services", "bootstrap", "examples", "internal/bench", "docs"}

// leaves are the places outside the order: each says who may use it and what it may use itself.
var leaves = map[string]leaf{
	"internal":        {from: "actor"},
	"lualike":         {from: "service", uses: []string{"internal"}},
	"lualike/luaconf": {users: []string{"cluster/nodefile", "services/clusterd", "bootstrap"}, uses: []string{"internal", "lualike"}},
	"cluster/wire":    {from: "cluster"},
}

// leaf is usable from place from of the order upwards, or by the packages under users only.
type leaf struct {
	from  string
	users []string
	uses  []string
}

// pkg is a package of the module and what it imports, both by path below the module's root.
type pkg struct {
	path    string
	imports []string
}

func main() {
	patterns := os.Args[1:]
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	problems, err := run(patterns)
	if err != nil {
		fmt.Fprintln(os.Stderr, "deps:", err)
		os.Exit(2)
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, "deps:", p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

func run(patterns []string) ([]string, error) {
	module, err := goList("-m")
	if err != nil {
		return nil, err
	}
	root := strings.TrimSpace(module)
	args := append([]string{"-e", "-f", `{{.ImportPath}} {{join .Imports " "}}`}, patterns...)
	listed, err := goList(args...)
	if err != nil {
		return nil, err
	}
	modules, err := goList("-m", "all")
	if err != nil {
		return nil, err
	}
	problems := check(parse(root, listed))
	if n := strings.Count(modules, "\n"); n >= maxModules {
		problems = append(problems, fmt.Sprintf("the build list has %d modules (go list -m all), want fewer than %d", n, maxModules))
	}
	return problems, nil
}

func goList(args ...string) (string, error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w\n%s", strings.Join(args, " "), err, errs.String())
	}
	return string(out), nil
}

// parse reads lines of an import path and what it imports, and keeps what belongs to the module root.
func parse(root, listed string) []pkg {
	var pkgs []pkg
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		path, ok := below(root, fields[0])
		if !ok {
			continue
		}
		p := pkg{path: path}
		for _, imp := range fields[1:] {
			if dep, ok := below(root, imp); ok {
				p.imports = append(p.imports, dep)
			}
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

// below returns path relative to root, "." for root itself.
func below(root, path string) (string, bool) {
	if path == root {
		return ".", true
	}
	return strings.CutPrefix(path, root+"/")
}

func check(pkgs []pkg) []string {
	var problems []string
	for _, p := range pkgs {
		from := placeOf(p.path)
		if from == "" {
			problems = append(problems, fmt.Sprintf("package %s has no place in the import order; give it one in tools/deps", p.path))
			continue
		}
		for _, imp := range p.imports {
			to := placeOf(imp)
			if to == "" || mayImport(p.path, from, to) { // a package without a place is reported once, as itself
				continue
			}
			problems = append(problems, fmt.Sprintf("package %s must not import %s: %s", p.path, imp, reason(from, to)))
		}
	}
	return problems
}

// placeOf returns the longest place that holds path, or "".
func placeOf(path string) string {
	best := ""
	consider := func(place string) {
		if under(place, path) && len(place) > len(best) {
			best = place
		}
	}
	for _, place := range order {
		consider(place)
	}
	for place := range leaves {
		consider(place)
	}
	return best
}

func mayImport(path, from, to string) bool {
	if from == to {
		return true
	}
	if l, ok := leaves[from]; ok {
		for _, use := range l.uses {
			if use == to {
				return true
			}
		}
		return false
	}
	l, ok := leaves[to]
	if !ok {
		return rank(to) < rank(from)
	}
	for _, user := range l.users {
		if under(user, path) {
			return true
		}
	}
	return l.from != "" && rank(l.from) <= rank(from)
}

func reason(from, to string) string {
	if l, ok := leaves[from]; ok {
		if len(l.uses) == 0 {
			return from + " imports nothing of this module"
		}
		return from + " imports only " + strings.Join(l.uses, ", ")
	}
	if l, ok := leaves[to]; ok {
		if l.from != "" {
			return to + " is for " + l.from + " and above"
		}
		return to + " is for " + strings.Join(l.users, " and ") + " only"
	}
	return "imports go " + strings.Join(order, " <- ")
}

func rank(place string) int {
	for i, p := range order {
		if p == place {
			return i
		}
	}
	return -1
}

func under(place, path string) bool {
	return path == place || strings.HasPrefix(path, place+"/")
}
