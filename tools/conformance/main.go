// Command conformance checks that every recorded behaviour of Skynet has a test
// whose name carries its number: TestB043 or TestB043ErrorInAHandler.
//
// Its one argument is the root of the module (default "."). It prints a line for
// each item: number, title, tests.
package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	found, err := scan(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	}
	missing := report(os.Stdout, found)
	if len(missing) > 0 {
		fmt.Fprintln(os.Stderr, "conformance: no test for", strings.Join(missing, " "))
		os.Exit(1)
	}
}

var testFunc = regexp.MustCompile(`(?m)^func (TestB(\d{3})\w*)\(\w* ?\*testing\.T\)`)

// scan returns the tests of all test files below a folder, as package.TestName,
// by number. Folders that the go command does not look into are left out.
func scan(root fs.FS) (map[int][]string, error) {
	found := make(map[int][]string)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := d.Name(); d.IsDir() {
			if name != "." && (base == "testdata" || base[0] == '.' || base[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for _, m := range testFunc.FindAllSubmatch(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), -1) {
			n, _ := strconv.Atoi(string(m[2]))
			found[n] = append(found[n], path.Dir(name)+"."+string(m[1]))
		}
		return nil
	})
	for _, tests := range found {
		slices.Sort(tests)
	}
	return found, err
}

// report writes the list and returns the items that have no test.
func report(w io.Writer, found map[int][]string) (missing []string) {
	for _, s := range sections {
		_, _ = fmt.Fprintln(w, s.name)
		for _, i := range s.items {
			number, tests := fmt.Sprintf("B%03d", i.number), strings.Join(found[i.number], " ")
			switch {
			case tests != "":
			case i.pending != "":
				tests = "not yet: " + i.pending
			default:
				tests = "MISSING"
				missing = append(missing, number)
			}
			_, _ = fmt.Fprintf(w, "  %s  %s: %s\n", number, i.title, tests)
		}
	}
	return missing
}
