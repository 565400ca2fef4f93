// Command conformance checks that every recorded behaviour of Skynet has a test
// whose name carries its number, TestB043 or TestB043ErrorInAHandler, and every
// recorded conversation one for each of its sides: a_call_name has
// TestReplayServerACallName and TestReplayClientACallName.
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
	"strings"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	files := os.DirFS(root)
	found, err := scan(files)
	var records []string
	if err == nil {
		records, err = transcripts(files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	}
	missing := append(report(os.Stdout, found), reportReplays(os.Stdout, records, found)...)
	if len(missing) > 0 {
		fmt.Fprintln(os.Stderr, "conformance: no test for", strings.Join(missing, " "))
		os.Exit(1)
	}
}

var testFunc = regexp.MustCompile(`(?m)^func (Test(B\d{3}|Replay)\w*)\(\w* ?\*testing\.T\)`)

// scan returns the tests of all test files below a folder, as package.TestName,
// by number or, for a replay, by its whole name. Folders that the go command does not look into are left out.
func scan(root fs.FS) (map[string][]string, error) {
	found := make(map[string][]string)
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
			key := string(m[2])
			if key == "Replay" {
				key = string(m[1])
			}
			found[key] = append(found[key], path.Dir(name)+"."+string(m[1]))
		}
		return nil
	})
	for _, tests := range found {
		slices.Sort(tests)
	}
	return found, err
}

// report writes the list and returns the items that have no test.
func report(w io.Writer, found map[string][]string) (missing []string) {
	for _, s := range sections {
		_, _ = fmt.Fprintln(w, s.name)
		for _, i := range s.items {
			number := fmt.Sprintf("B%03d", i.number)
			tests := strings.Join(found[number], " ")
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
