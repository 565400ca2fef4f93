package socket_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// What the system has can not be overtaken, so it does not get much of low output
// that the peer is slow to read.
func TestSystemTakesLittleLowOutput(t *testing.T) {
	n, _ := newNode(t)
	s := newServer(t, n)
	cl, fd := s.started()
	if err := cl.SetReadBuffer(64 << 10); err != nil { // what lies there has been sent
		t.Fatal(err)
	}
	const all = 16 << 20
	s.do(func(c *service.Context) error {
		for range all / (64 << 10) {
			if err := socket.WriteLow(c, fd, make([]byte, 64<<10)); err != nil {
				return err
			}
		}
		return nil
	})
	if _, err := io.CopyN(io.Discard, cl, 1<<20); err != nil {
		t.Fatal(err)
	}
	s.do(func(c *service.Context) error { return socket.Write(c, fd, []byte("high")) })
	rest := make([]byte, all-1<<20+len("high"))
	if _, err := io.ReadFull(cl, rest); err != nil {
		t.Fatal(err)
	}
	if at := bytes.Index(rest, []byte("high")); at < 0 || at > 1<<20 {
		t.Errorf("high output came after %d bytes of low output that had not been read", at)
	}
}
