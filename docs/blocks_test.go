package docs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/lualike/luaconf"
)

// checks says for each kind of block how it is accounted for.
var checks = map[string]func(b block) error{
	"go":   checkGo,
	"sh":   checkShell,
	"lua":  checkLua,
	"conf": checkLua,
	"text": checkText,
	"hex":  checkHex,
}

func (b block) check() error {
	check := checks[b.kind]
	if check == nil {
		return fmt.Errorf("unknown kind")
	}
	if strings.TrimSpace(b.text) == "" {
		return fmt.Errorf("is empty")
	}
	return check(b)
}

// TestChecksFail sees to it that each kind of check can fail.
func TestChecksFail(t *testing.T) {
	for _, b := range []block{
		{kind: "", text: "x"},
		{kind: "python", text: "x"},
		{kind: "go", text: ""},
		{kind: "go", text: "func nowhere() {}\n"},
		{kind: "sh", text: "make nosuchtarget\n"},
		{kind: "sh", text: "make run nosuchtarget\n"},
		{kind: "sh", text: "go run ./examples/nosuch\n"},
		{kind: "sh", text: "go run ./examples/hello examples/hello/nosuch\n"},
		{kind: "sh", text: "go test ./nosuch/...\n"},
		{kind: "sh", text: "rm -rf /\n"},
		{kind: "sh", text: "cd nosuch\n"},
		{kind: "sh", text: "go mod init nosuch\n"},
		{kind: "sh", text: "go get example.org/nosuch\n"},
		{kind: "sh", text: "go get github.com/skynetgo/skynet\n"},
		{kind: "sh", arg: "first", text: "go run . nosuch\n"},
		{kind: "lua", text: "nowhere = 1\n"},
		{kind: "lua", arg: "config", text: "harbor = 1\n"},
		{kind: "lua", arg: "config", text: "thread = = 1\n"},
		{kind: "lua", arg: "nodes", text: "a = 1\n"},
		{kind: "lua", arg: "nodes", text: "a = \n"},
		{kind: "lua", arg: "nosuch", text: "a = 1\n"},
		{kind: "conf", text: "nowhere = 1\n"},
		{kind: "text", text: "x\n"},
		{kind: "text", arg: "nosuch", text: "x\n"},
		{kind: "text", arg: "hello", text: "[:00000005] alice 3\n"},
		{kind: "text", arg: "demo", text: "node  connections\n"},
		{kind: "text", arg: "first", text: "[:00000005] carol is in the room, now 3\n"},
		{kind: "text", arg: "asked", text: "1    3\n"},
		{kind: "text", arg: "bench", text: "BenchmarkNoSuch-2   1   1 ns/op\n"},
		{kind: "text", arg: "figures", text: "nosuch_raw 1 1 1 us\n"},
		{kind: "hex", arg: "nosuch", text: "00\n"},
		{kind: "hex", arg: "push by handle", text: "00 00\n"},
		{kind: "hex", arg: "push by handle", text: "0g\n"},
	} {
		if b.check() == nil {
			t.Errorf("passed: %q %q %q", b.kind, b.arg, b.text)
		}
	}
}

// checkGo finds the block in a Go file that the normal build or tests compile.
func checkGo(b block) error {
	files, err := repository()
	if err != nil {
		return err
	}
	want := dedent(strings.Split(strings.TrimRight(b.text, "\n"), "\n"))
	for path, text := range files {
		if filepath.Ext(path) == ".go" && contains(text, want) && compiled(path, text) {
			return nil
		}
	}
	return errors.New("stands in no Go file that is compiled")
}

var buildConstraint = regexp.MustCompile(`(?m)^//go:build `)

// compiled leaves out the module in tools, what a build tag leaves out, and the
// files of this package that hold the checks.
func compiled(path, text string) bool {
	if strings.HasPrefix(path, "tools/") || buildConstraint.MatchString(text) {
		return false
	}
	return filepath.Dir(path) != "docs" || path == "docs/snippets_test.go"
}

// checkLua evaluates a config file or a node table, or finds the block in a file.
func checkLua(b block) error {
	switch b.arg {
	case "config":
		_, err := bootstrap.Parse("block", b.text)
		return err
	case "nodes":
		table, err := luaconf.LoadTable("block", b.text)
		if err != nil {
			return err
		}
		for name, value := range table.All() {
			_, isText := value.(string)
			if !isText && value != false && !strings.HasPrefix(name, "__") {
				return fmt.Errorf("%s is neither false nor a string", name)
			}
		}
		return nil
	case "":
		files, err := repository()
		if err != nil {
			return err
		}
		want := dedent(strings.Split(strings.TrimRight(b.text, "\n"), "\n"))
		for path, text := range files {
			if strings.HasPrefix(path, "examples/") && filepath.Ext(path) != ".go" && contains(text, want) {
				return nil
			}
		}
		return errors.New("stands in no file of the examples")
	}
	return fmt.Errorf("lua %s is not known", b.arg)
}

// checkShell knows make, go run and go test, and how a module is begun. The
// argument is the example in whose folder the commands are typed.
func checkShell(b block) error {
	dir := "."
	if b.arg != "" {
		dir = filepath.Join("examples", b.arg)
	}
	for line := range strings.Lines(b.text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		for len(words) > 0 && assignment.MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		if err := checkCommand(words, dir); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(line), err)
		}
	}
	return nil
}

var assignment = regexp.MustCompile(`^[A-Z_]+=`)

func checkCommand(words []string, dir string) error {
	switch {
	case len(words) == 2 && (words[0] == "mkdir" || words[0] == "cd"):
		return checkPaths("examples", words[1:])
	case len(words) == 4 && slices.Equal(words[:3], []string{"go", "mod", "init"}):
		return checkPaths("examples", words[3:])
	case len(words) == 3 && slices.Equal(words[:2], []string{"go", "get"}):
		// Packages: with the path of the module alone go.sum has nothing of what they import.
		pkg, ours := strings.CutPrefix(strings.TrimSuffix(words[2], "/..."), "github.com/skynetgo/skynet/")
		if src, err := filepath.Glob(filepath.Join(root, pkg, "*.go")); err != nil || !ours || len(src) == 0 {
			return fmt.Errorf("no package %s", words[2])
		}
		return nil
	case words[0] == "make":
		targets, err := makeTargets()
		if err != nil {
			return err
		}
		for _, w := range words[1:] {
			if !assignment.MatchString(w) && !slices.Contains(targets, w) {
				return fmt.Errorf("no target %s", w)
			}
		}
		return nil
	case len(words) > 2 && words[0] == "go" && words[1] == "run":
		if main, err := filepath.Glob(filepath.Join(root, dir, words[2], "*.go")); err != nil || len(main) == 0 {
			return fmt.Errorf("no program %s", words[2])
		}
		return checkPaths(dir, words[3:])
	case len(words) > 1 && words[0] == "go" && words[1] == "test":
		var paths []string
		for _, w := range words[2:] {
			if strings.HasPrefix(w, "./") {
				paths = append(paths, strings.TrimSuffix(w, "/..."))
			}
		}
		return checkPaths(dir, paths)
	}
	return errors.New("unknown command")
}

func checkPaths(dir string, paths []string) error {
	for _, p := range paths {
		if _, err := os.Stat(filepath.Join(root, dir, p)); err != nil {
			return err
		}
	}
	return nil
}

var makeTarget = regexp.MustCompile(`(?m)^([a-z-]+):`)

func makeTargets() ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, m := range makeTarget.FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	return out, nil
}

// repository holds the text of every file that may be quoted, by path below the
// root. It is read once.
var repository = sync.OnceValues(func() (map[string]string, error) {
	files := make(map[string]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "testdata" || name == "bin" || strings.HasPrefix(name, ".") && name != root {
				return filepath.SkipDir
			}
			return nil
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		if filepath.Ext(name) != ".go" && !strings.HasPrefix(below, "examples/") {
			return nil
		}
		text, err := os.ReadFile(path)
		files[below] = string(text)
		return err
	})
	return files, err
})

// contains tells whether the lines stand together in the text, apart from
// indentation that all of them share.
func contains(text string, want []string) bool {
	if !strings.Contains(text, strings.TrimSpace(want[0])) {
		return false // of most files, without splitting them
	}
	lines := strings.Split(text, "\n")
	for i := 0; i+len(want) <= len(lines); i++ {
		if strings.TrimSpace(lines[i]) == strings.TrimSpace(want[0]) && slices.Equal(dedent(lines[i:i+len(want)]), want) {
			return true
		}
	}
	return false
}

// dedent takes away the indentation that all lines share.
func dedent(lines []string) []string {
	common := -1
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			continue
		}
		n := len(l) - len(strings.TrimLeft(l, " \t"))
		if common < 0 || n < common {
			common = n
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if strings.TrimSpace(l) != "" {
			out[i] = strings.TrimRight(l[common:], " \t")
		}
	}
	return out
}
