package docs_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
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
	return output(root, "go", "run", "./examples/hello", "examples/hello/config")
})

// demoOutput is what make run prints, on ports that are free: the program is
// started in a folder that looks like the repository but has another node table.
var demoOutput = sync.OnceValues(func() (string, error) {
	if runtime.GOOS == "windows" {
		return "", errors.New("needs symbolic links")
	}
	dir, err := os.MkdirTemp("", "docs-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, folder := range []struct{ path, but string }{
		{".", "examples"}, {"examples", "cluster"}, {"examples/cluster", "nodes.lua"},
	} {
		if err := mirror(dir, folder.path, folder.but); err != nil {
			return "", err
		}
	}
	const table = "examples/cluster/nodes.lua"
	text, err := os.ReadFile(filepath.Join(root, table))
	if err != nil {
		return "", err
	}
	moved, err := freeport.Replace(string(text), make(map[string]string))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, table), []byte(moved), 0o600); err != nil {
		return "", err
	}
	return output(dir, "go", "run", "./examples/cluster/demo")
})

// mirror links what a folder of the repository holds into the same folder below
// dir, but for one entry.
func mirror(dir, folder, but string) error {
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
		return err
	}
	from, err := filepath.Abs(filepath.Join(root, folder))
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == but || e.Name() == ".git" {
			continue
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, folder, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func output(dir, name string, args ...string) (string, error) {
	var errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, errs.String())
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
	out, err := output(root, "go", "run", "./internal/bench", "-list")
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
