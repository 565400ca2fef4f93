//go:build unix

package socket

import "syscall"

// writeSome writes what the system takes of b without waiting. An error shows at
// the next write.
func writeSome(raw syscall.RawConn, b []byte) (n int) {
	_ = raw.Write(func(fd uintptr) bool {
		n, _ = syscall.Write(int(fd), b)
		return true
	})
	return max(n, 0)
}
