package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func TestScan(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	found, err := scan(fstest.MapFS{
		"a/x_test.go": file("package a\n\nfunc TestB043(t *testing.T) {\n}\nfunc TestB044Name(*testing.T) {}\n" +
			"// func TestB045(t *testing.T) stands in a comment\nfunc TestB46(t *testing.T) {}\nfunc TestBurst(t *testing.T) {}\n"),
		"a/b/y_test.go":          file("package b\r\nfunc TestB043More(t *testing.T) {}\r\nfunc TestReplayServerACall(t *testing.T) {}\r\n"),
		"a/x.go":                 file("package a\nfunc TestB047(t *testing.T) {}\n"),
		"a/testdata/x_test.go":   file("package a\nfunc TestB048(t *testing.T) {}\n"),
		".hidden/a/x_test.go":    file("package a\nfunc TestB049(t *testing.T) {}\n"),
		"a/b/helper_of_test.go":  file("package b\nfunc testB050(t *testing.T) {}\n"),
		"a/b/benchmarks_test.go": file("package b\nfunc TestB051(b *testing.B) {}\n"),
	})
	if got, want := fmt.Sprint(found), "map[B043:[a.TestB043 a/b.TestB043More] B044:[a.TestB044Name] TestReplayServerACall:[a/b.TestReplayServerACall]]"; err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestReport(t *testing.T) {
	found := make(map[string][]string)
	for _, s := range sections {
		for _, i := range s.items {
			if i.pending == "" {
				number := fmt.Sprintf("B%03d", i.number)
				found[number] = []string{"a.Test" + number}
			}
		}
	}
	var b bytes.Buffer
	if missing := report(&b, found); len(missing) != 0 {
		t.Errorf("missing %v", missing)
	}
	if !strings.Contains(b.String(), "\n  B043  error in a handler: the caller and the line: a.TestB043\n") {
		t.Errorf("got\n%s", &b)
	}
	delete(found, "B043")
	delete(found, "B130")
	b.Reset()
	if missing := report(&b, found); fmt.Sprint(missing) != "[B043 B130]" || strings.Count(b.String(), "MISSING") != 2 {
		t.Errorf("missing %v\n%s", missing, &b)
	}
}

func TestItems(t *testing.T) {
	last := 0
	for _, s := range sections {
		for _, i := range s.items {
			if i.number <= last || i.title == "" {
				t.Errorf("%s: %+v after B%03d", s.name, i, last)
			}
			last = i.number
		}
	}
}

func TestReplays(t *testing.T) {
	records, err := transcripts(fstest.MapFS{
		"cluster/testdata/transcripts/a_call_name.json":      {},
		"cluster/testdata/transcripts/n_refused_direct.json": {},
		"cluster/testdata/transcripts/README.json":           {},
	})
	if err != nil || fmt.Sprint(records) != "[a_call_name n_refused_direct]" {
		t.Fatalf("got %v, %v", records, err)
	}
	found := map[string][]string{"TestReplayServerACallName": {"cluster.TestReplayServerACallName"}}
	var b bytes.Buffer
	missing := reportReplays(&b, records, found)
	if got := fmt.Sprint(missing); got != "[TestReplayClientACallName TestReplayClientNRefusedDirect]" {
		t.Errorf("missing %s", got)
	}
	for _, line := range []string{
		"a_call_name, server: cluster.TestReplayServerACallName\n", "a_call_name, client: MISSING\n",
		"n_refused_direct, server: none: nothing reached a server\n",
	} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("no line %q in:\n%s", line, &b)
		}
	}
	if _, err := transcripts(fstest.MapFS{}); err == nil {
		t.Error("an empty folder passed")
	}
}
