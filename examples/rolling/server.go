package main

import (
	"context"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// server is one of the nodes that are equal. Each run of it is a new node at the
// same address.
type server struct {
	addr     string // its name in the cluster, too
	node     *service.Node
	restarts int
	answered atomic.Int64
}

// start returns once the node listens.
func (s *server) start() error {
	cfg, err := bootstrap.Parse(s.addr, `start = "adder"`)
	if err != nil {
		return err
	}
	cfg.LogFile = os.DevNull
	s.node, err = bootstrap.Start(context.Background(), cfg, service.Def("adder", func(c *service.Context, _ ...any) error {
		c.Handle("ADD", service.F2(s.add))
		if err := cluster.Register(c, "adder", 0); err != nil {
			return err
		}
		_, err := cluster.Open(c, s.addr)
		return err
	}))
	return err
}

// stop is what bootstrap.Main does when a signal comes.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.node.Shutdown(ctx); err != nil {
		return err
	}
	return socket.Wait(ctx, s.node)
}

// add takes its time, so that there is always a call in progress.
func (s *server) add(c *service.Context, a, b int) (int, error) {
	if err := c.Sleep(rand.N(10 * time.Millisecond)); err != nil {
		return 0, err
	}
	s.answered.Add(1)
	return a + b, nil
}
