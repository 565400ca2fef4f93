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

// fill writes to nc's kernel buffer, past what the connection knows of, until it
// is full.
func fill(t *testing.T, nc net.Conn) {
	t.Helper()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Write(func(fd uintptr) bool {
		for _, size := range []int{64 << 10, 1} {
			for err == nil {
				_, err = syscall.Write(int(fd), make([]byte, size))
			}
			if err != syscall.EAGAIN {
				t.Error(err)
			}
			err = nil
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func option(t *testing.T, nc net.Conn, level, opt int) int {
	t.Helper()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var v int
	if cerr := raw.Control(func(fd uintptr) { v, err = syscall.GetsockoptInt(int(fd), level, opt) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return v
}

// checkOptions checks the socket options for a host that probes probes, at this
// pause in seconds, do not reach; 0 probes for none.
func checkOptions(t *testing.T, nc net.Conn, pause, probes int) {
	t.Helper()
	if option(t, nc, syscall.IPPROTO_TCP, syscall.TCP_NODELAY) == 0 {
		t.Error("TCP_NODELAY is not set")
	}
	if on := option(t, nc, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE); on != min(probes, 1) {
		t.Errorf("SO_KEEPALIVE is %d", on)
	}
	if got := option(t, nc, syscall.IPPROTO_TCP, 18); got != 1000*pause*(probes+1) { // TCP_USER_TIMEOUT
		t.Errorf("TCP_USER_TIMEOUT is %d", got)
	}
	if probes == 0 {
		return
	}
	for name, opt := range map[string][2]int{
		"TCP_KEEPIDLE": {syscall.TCP_KEEPIDLE, pause}, "TCP_KEEPINTVL": {syscall.TCP_KEEPINTVL, pause}, "TCP_KEEPCNT": {syscall.TCP_KEEPCNT, probes},
	} {
		if got := option(t, nc, syscall.IPPROTO_TCP, opt[0]); got != opt[1] {
			t.Errorf("%s is %d, want %d", name, got, opt[1])
		}
	}
}
