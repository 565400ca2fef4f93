package socket

import (
	"net"
	"syscall"
	"time"
)

// What package syscall does not have.
const (
	tcpUserTimeout  = 18 // TCP_USER_TIMEOUT
	tcpNotSentLowAt = 25 // TCP_NOTSENT_LOWAT
)

// limitUnacknowledged ends the connection when what was sent stays
// unacknowledged for d.
func limitUnacknowledged(t *net.TCPConn, d time.Duration) {
	set(t, tcpUserTimeout, int(d.Milliseconds()))
}

// limitUnsent has the system take only about n bytes that it cannot send yet; 0
// is its own limit.
func limitUnsent(t *net.TCPConn, n int) { set(t, tcpNotSentLowAt, n) }

func set(t *net.TCPConn, option, value int) {
	if raw, err := t.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, option, value)
		})
	}
}
