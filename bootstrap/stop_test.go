package bootstrap

import (
	"context"
	"net"
	"testing"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// What services have written goes out, or is given up, before Run returns and
// the program ends.
func TestStopWaitsForTheSockets(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var n *service.Node
	speaks := service.Def("speaks", func(c *service.Context, _ ...any) error {
		n = c.Node()
		_, addr, err := socket.Listen(c, "127.0.0.1:0", &socket.Handler{
			Open: func(c *service.Context, fd socket.FD, _ string) {
				for range 64 {
					if err := socket.Write(c, fd, make([]byte, 1<<20)); err != nil {
						t.Error(err)
					}
				}
				cancel()
			},
		})
		if err != nil {
			return err
		}
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			t.Cleanup(func() { nc.Close() }) // it reads nothing
		}
		return err
	})
	cfg := parse(t, `start = "speaks"; logger = "`+t.TempDir()+`/log"`)
	if err := Run(ctx, cfg, speaks); err != nil {
		t.Error(err)
	}
	if left := socket.Info(n); len(left) != 0 {
		t.Errorf("sockets are left: %v", left)
	}
}
