//go:build !linux

package socket_test

import (
	"net"
	"testing"
)

func hanging(t *testing.T) string {
	t.Helper()
	t.Skip("no way known to make a connect hang")
	return ""
}

func fill(t *testing.T, _ net.Conn) {
	t.Helper()
	t.Skip("no way known to fill a buffer of the system")
}

func checkOptions(t *testing.T, _ net.Conn, _, _ int) {
	t.Helper()
	t.Skip("socket options are read on Linux only")
}
