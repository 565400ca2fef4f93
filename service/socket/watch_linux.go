package socket

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// tcpEstablished is the state of a connection that neither side has closed.
const tcpEstablished = 1

// awaitLeave blocks until the peer has closed its side, reading nothing, or the
// reader is interrupted; true when the peer has left. wake is for connections
// whose state can not be seen.
func awaitLeave(nc net.Conn, wake <-chan struct{}) bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		<-wake
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	left := false
	err = raw.Read(func(fd uintptr) bool {
		// The first byte of struct tcp_info is the state.
		v, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
		var info [4]byte
		binary.NativeEndian.PutUint32(info[:], uint32(v))
		left = err != nil || info[0] != tcpEstablished
		return left
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = nc.SetReadDeadline(time.Time{})
	}
	return left
}
