package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// without are the sides of a conversation that have no test of that name, and
// why.
var without = map[string]string{
	"ClientJSnax":               "see B195",
	"ServerJSnax":               "see B195",
	"ServerNRefusedDirect":      "none: nothing reached a server",
	"ClientOMalformedRequests":  "none: no client of Skynet makes them",
	"ServerPMalformedResponses": "none: no server of Skynet makes them",
}

// transcripts returns the names of the recorded conversations.
func transcripts(root fs.FS) ([]string, error) {
	files, err := fs.Glob(root, "cluster/testdata/transcripts/[a-z]*.json")
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("no recorded conversations found")
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".json")
	}
	return files, nil
}

// reportReplays writes the list of conversations and returns the tests that
// are missing.
func reportReplays(w io.Writer, records []string, found map[string][]string) (missing []string) {
	_, _ = fmt.Fprintln(w, "Conversations")
	for _, record := range records {
		for _, side := range []string{"Client", "Server"} {
			name := side + camel(record)
			test := "TestReplay" + name
			tests := strings.Join(found[test], " ")
			switch why := without[name]; {
			case tests != "":
			case why != "":
				tests = why
			default:
				tests = "MISSING"
				missing = append(missing, test)
			}
			_, _ = fmt.Fprintf(w, "  %s, %s: %s\n", record, strings.ToLower(side), tests)
		}
	}
	return missing
}

// camel makes ACallName of a_call_name.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
