//go:build unix

package main

import (
	"testing"

	"github.com/skynetgo/skynet/examples/internal/program"
)

func TestHello(t *testing.T) {
	p := program.Start(t, ".", "../..", nil, "examples/hello/config")
	if stderr := p.Exits(0); stderr != "" {
		t.Errorf("standard error: %s", stderr)
	}
	p.Lines(`\[:[0-9a-f]{8}\] alice 1`, `\[:[0-9a-f]{8}\] bob 1`, `\[:[0-9a-f]{8}\] alice 2`)
}
