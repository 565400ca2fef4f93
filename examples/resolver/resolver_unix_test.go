//go:build unix

package main

import (
	"regexp"
	"slices"
	"testing"

	"github.com/skynetgo/skynet/examples/internal/program"
)

func TestResolver(t *testing.T) {
	p := program.Start(t, ".", "../..", nil)
	if stderr := p.Exits(0); stderr != "" {
		t.Errorf("standard error: %s", stderr)
	}
	says := regexp.MustCompile(`(?m)^the endpoint says: .*$`).FindAllString(p.Printed(), -1)
	if want := []string{
		"the endpoint says: db is node one       a call of db: one",
		"the endpoint says: db is node two       a call of db: two",
		"the endpoint says: nothing, it fails    a call of db: two",
		"the endpoint says: there is no db       a call of db: node is down",
		"the endpoint says: db is node one       a call of db: one",
	}; !slices.Equal(says, want) {
		t.Errorf("printed %q", says)
	}
	p.Lines(
		`\[:[0-9a-f]{8}\] cluster\.Resolve: the endpoint says 503 Service Unavailable`,
		`\[:[0-9a-f]{8}\] cluster\.Resolve: all is well again`,
	)
}
