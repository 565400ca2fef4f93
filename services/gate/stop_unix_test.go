//go:build unix

package gate_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// A node stops, or the gate is told to close, while it waits for one of its doors:
// those that are open are closed, and that one does not open.
func TestCloseWhileOpening(t *testing.T) {
	for _, test := range []string{"stop", "close"} {
		t.Run(test, func(t *testing.T) {
			n := nodetest.Start(t, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = patience }))
			var h service.Handle
			n.Run(func(c *service.Context) (err error) { h, err = c.NewService(gate.Name); return err })

			// The certificate comes through a pipe, which the gate waits for.
			dir := t.TempDir()
			cert, key, _ := nodetest.NewAuthority(t).Write(dir)
			pem, err := os.ReadFile(cert)
			if err != nil {
				t.Fatal(err)
			}
			pipe := filepath.Join(dir, "pipe")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			dog := n.Probe("watchdog")
			opened, finish := make(chan error, 1), make(chan struct{})
			dog.Answer("WORK", func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
				_, err := c.Call(h, gate.CmdOpen, gate.OpenConfig{Doors: []string{"127.0.0.1:0", "tls://127.0.0.1:0"}, Cert: pipe, Key: key})
				opened <- err
				return service.Await(c, func(ctx context.Context) (lualike.Args, error) { // the node still runs
					select {
					case <-finish:
					case <-ctx.Done():
					}
					return nil, ctx.Err()
				})
			})
			n.Run(func(c *service.Context) error { return c.Send(dog.Handle(), "WORK") })
			w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // once the gate reads it
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()

			stopped := make(chan error, 1)
			if test == "stop" {
				go func() { stopped <- n.Shutdown(t.Context()) }()
			} else {
				n.Run(func(c *service.Context) error { _, err := c.Call(h, gate.CmdClose); return err })
			}
			listens := func() bool {
				return slices.ContainsFunc(socket.Info(n.Node), func(s socket.Stat) bool { return s.Type == socket.TypeListen })
			}
			noDoor := func() {
				t.Helper()
				for end := time.Now().Add(patience); listens(); runtime.Gosched() {
					if time.Now().After(end) {
						t.Fatal("a door is open")
					}
				}
			}
			noDoor()
			if _, err := w.Write(pem); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-opened; err == nil || !strings.Contains(err.Error(), "gate: it was closed") {
				t.Errorf("the gate opens: %v", err)
			}
			noDoor()
			if test == "close" {
				close(finish)
				return
			}
			n.Run(func(c *service.Context) error {
				if _, err := c.Call(h, gate.CmdOpen, gate.OpenConfig{}); err == nil {
					t.Error("it opens while the node stops")
				}
				return nil
			})
			close(finish)
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		})
	}
}
