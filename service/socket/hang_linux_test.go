package socket_test

import (
	"fmt"
	"net"
	"syscall"
	"testing"
)

// hanging returns an address at which a connect neither fails nor succeeds: a
// listener that accepts nothing and whose queue is full.
func hanging(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	dial(t, addr) // the one that the queue holds
	return addr
}

func option(t *testing.T, nc net.Conn, level, opt int) int {
	t.Helper()
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var v int
	if cerr := raw.Control(func(fd uintptr) { v, err = syscall.GetsockoptInt(int(fd), level, opt) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return v
}

func checkOptions(t *testing.T, nc net.Conn) {
	t.Helper()
	if option(t, nc, syscall.IPPROTO_TCP, syscall.TCP_NODELAY) == 0 {
		t.Error("TCP_NODELAY is not set")
	}
	if option(t, nc, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) == 0 {
		t.Error("SO_KEEPALIVE is not set")
	}
	if got := option(t, nc, syscall.IPPROTO_TCP, 18); got != 150_000 { // TCP_USER_TIMEOUT
		t.Errorf("TCP_USER_TIMEOUT is %d", got)
	}
}
