//go:build interop

package main

import (
	"os"
	"testing"
)

// TestInteropQuick runs everything beside a real Skynet.
func TestInteropQuick(t *testing.T) {
	home := os.Getenv("SKYNET_HOME")
	if home == "" {
		t.Fatal("SKYNET_HOME is not set: it is the path of a built Skynet")
	}
	printed, _ := runQuickly(t, home)
	checkLines(t, printed, func(side) bool { return true })
}
