//go:build !unix

package socket

import "syscall"

// writeSome leaves all of b to the writer goroutine.
func writeSome(syscall.RawConn, []byte) int { return 0 }
