//go:build unix

package main

import (
	"testing"

	"github.com/skynetgo/skynet/examples/internal/program"
)

// This test uses the ports in main.go and server.go, so no other package may.
func TestLogin(t *testing.T) {
	p := program.Start(t, ".", "../..", nil)
	if stderr := p.Exits(0); stderr != "" {
		t.Errorf("standard error: %s", stderr)
	}
	const want = `login: denied: wrong password of alice
one 1
two 2
while you were away
three 3
login: replaced
one 1
`
	if got := p.Printed(); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}
