package docs_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skynetgo/skynet/internal/freeport"
)

// checkText compares a block with what a program prints. Its lines must stand
// together in the output, apart from what is another thing each time.
func checkText(b block) error {
	switch b.arg {
	case "hello":
		return sameOutput(b.text, helloOutput)
	case "demo":
		return sameOutput(b.text, demoOutput)
	case "first", "asked":
		return checkFirst(b.text, b.arg == "asked")
	case "console":
		return checkConsole(b.text)
	case "bench":
		return checkBenchmarks(b.text)
	case "figures":
		return checkFigures(b.text)
	}
	return fmt.Errorf("nothing prints %q", b.arg)
}

var nodeID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func sameOutput(block string, run func() (string, error)) error {
	out, err := run()
	if err != nil {
		return err
	}
	mask := func(s string) string {
		s = consolePort.ReplaceAllString(nodeID.ReplaceAllString(s, "ID"), "${1}PORT")
		return cpuSeconds.ReplaceAllString(s, "cpu:SECONDS")
	}
	if !contains(mask(out), dedent(strings.Split(strings.TrimRight(mask(block), "\n"), "\n"))) {
		return fmt.Errorf("the program prints something else:\n%s", out)
	}
	return nil
}

var helloOutput = sync.OnceValues(func() (string, error) {
	return goCommand(root, nil, "run", "./examples/hello", "examples/hello/config")
})

// demoOutput is what make run prints, on ports that are free: the program is
// started in a folder that has its config files and another node table.
var demoOutput = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "docs-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	files, err := repository()
	if err != nil {
		return "", err
	}
	const folder = "examples/cluster"
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
		return "", err
	}
	for name, text := range files {
		if path.Dir(name) != folder {
			continue
		}
		if name == folder+"/nodes.lua" {
			if text, err = freeport.Replace(text, make(map[string]string)); err != nil {
				return "", err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	env, err := workspace(dir)
	if err != nil {
		return "", err
	}
	return goCommand(dir, env, "run", "github.com/skynetgo/skynet/"+folder+"/demo")
})

// workspace makes dir a place from which the go command finds this repository's
// packages. It returns the environment that says so.
func workspace(dir string, modules ...string) (env []string, err error) {
	here, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	text := "go 1.26.0\n"
	for _, m := range append(modules, here) {
		text += fmt.Sprintf("use %q\n", m)
	}
	file := filepath.Join(dir, "go.work")
	return append(os.Environ(), "GOWORK="+file, "GOFLAGS="), os.WriteFile(file, []byte(text), 0o600)
}

// goCommand returns what the go command prints, in an environment like this one
// where env is nil.
func goCommand(dir string, env []string, args ...string) (string, error) {
	var errs bytes.Buffer
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return string(out), nil
}

var (
	benchmarkLine = regexp.MustCompile(`(?m)^(Benchmark[A-Za-z0-9_]+)\S*\s+[0-9]+\s+[0-9.]+ ns/op`)
	benchmarkFunc = regexp.MustCompile(`(?m)^func (Benchmark[A-Za-z0-9_]+)\(`)
)

// checkBenchmarks compares names only: numbers belong to a machine and a day,
// but a benchmark that is gone must leave the page too.
func checkBenchmarks(text string) error {
	files, err := repository()
	if err != nil {
		return err
	}
	known := make(map[string]bool)
	for path, source := range files {
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range benchmarkFunc.FindAllStringSubmatch(source, -1) {
				known[m[1]] = true
			}
		}
	}
	lines := benchmarkLine.FindAllStringSubmatch(text, -1)
	if len(lines) == 0 {
		return errors.New("holds no benchmark")
	}
	for _, m := range lines {
		if !known[m[1]] {
			return fmt.Errorf("there is no %s", m[1])
		}
	}
	return nil
}

// benchRows are the names of the rows of make bench.
var benchRows = sync.OnceValues(func() ([]string, error) {
	out, err := goCommand(root, nil, "run", "./internal/bench", "-list")
	return strings.Fields(out), err
})

var figureName = regexp.MustCompile(`(?m)^([a-z]\w+) `)

// checkFigures is checkBenchmarks for what make bench prints: the name of a
// figure begins with that of its row.
func checkFigures(text string) error {
	rows, err := benchRows()
	if err != nil {
		return err
	}
	names := figureName.FindAllStringSubmatch(text, -1)
	if len(names) == 0 {
		return errors.New("holds no figure")
	}
	for _, m := range names {
		if !slices.ContainsFunc(rows, func(row string) bool { return m[1] == row || strings.HasPrefix(m[1], row+"_") }) {
			return fmt.Errorf("no row begins %s", m[1])
		}
	}
	return nil
}

// TestBenchRows wants each row of make bench in benchmarks.md, and no other.
func TestBenchRows(t *testing.T) {
	rows, err := benchRows()
	if err != nil {
		t.Fatal(err)
	}
	prose := pageAt(t, "docs/benchmarks.md").prose
	table, _, _ := strings.Cut(prose, "## What it came to")
	listed := slices.Sorted(maps.Keys(firstColumns(table)))
	if slices.Sort(rows); !slices.Equal(rows, listed) {
		t.Errorf("the program has %v,\nthe page lists %v", rows, listed)
	}
	if err := checkFigures("local_call_raw 1 1 1 calls/s\n"); err != nil {
		t.Error(err)
	}
}
