package clusteragent_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// waiter is a service whose command "wait" answers once done is closed.
func waiter(begun chan<- struct{}, done <-chan struct{}) *service.Definition {
	return service.Def("waiter", func(c *service.Context, _ ...any) error {
		c.Handle("wait", service.F1(func(c *service.Context, n int) (int, error) {
			begun <- struct{}{}
			return service.Await(c, func(ctx context.Context) (int, error) {
				select {
				case <-done:
					return n, nil
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			})
		}))
		return nil
	})
}

// stopping is a node that is to stop while calls of another are in progress.
type stopping struct {
	server, client *nodetest.Node
	answers        chan error
}

// startStopping makes calls, some to a service that answers when finish is
// closed, some to one that never does.
func startStopping(t *testing.T, timeout time.Duration, finish <-chan struct{}, finishing, never int) *stopping {
	t.Helper()
	begun := make(chan struct{}, finishing+never)
	s := &stopping{answers: make(chan error, finishing+never)}
	var addr string
	s.server, addr = server(t, nil, nodetest.Services(waiter(begun, finish)),
		nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = timeout }))
	s.server.Run(func(c *service.Context) error {
		h, err := c.NewService("waiter")
		if err != nil {
			return err
		}
		return cluster.Register(c, "waiter", h)
	})
	s.client = nodetest.Start(t)
	s.client.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": addr}) })
	call := func(name string, n int, args ...any) {
		go func() {
			s.answers <- service.Run(context.Background(), s.client.Node, func(c *service.Context) error {
				got, err := cluster.CallAs[int](c.WithTimeout(patience), "srv", name, args...)
				if err == nil && got != n {
					err = fmt.Errorf("got %d, want %d", got, n)
				}
				return err
			})
		}()
	}
	for n := range finishing {
		call("@waiter", n, "wait", n)
	}
	for range finishing {
		<-begun
	}
	for range never {
		call("@sdb", 0, "hold")
	}
	for held := 0; held < never; runtime.Gosched() {
		s.server.Run(func(c *service.Context) (err error) {
			h, err := c.Node().Resolve(".sdb")
			if err == nil {
				held, err = service.Call[int](c, h, "held")
			}
			return err
		})
	}
	return s
}

// begin stops the server and returns once nobody is let in any more.
func (s *stopping) begin(t *testing.T) <-chan error {
	t.Helper()
	stopped := make(chan error, 1)
	go func() { stopped <- s.server.Shutdown(context.Background()) }()
	listens := func(s socket.Stat) bool { return s.Type == socket.TypeListen }
	for end := time.Now().Add(patience); slices.ContainsFunc(socket.Info(s.server.Node), listens); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it listens still")
		}
	}
	return stopped
}

// What is in progress is answered, and so is what comes meanwhile.
func TestStopAnswersWhatIsInProgress(t *testing.T) {
	finish := make(chan struct{})
	s := startStopping(t, patience, finish, 100, 0)
	stopped := s.begin(t)
	s.client.Run(func(c *service.Context) error {
		got, err := cluster.CallAs[int](c, "srv", "@sdb", "echo", 5)
		if err == nil && got != 5 {
			err = fmt.Errorf("got %d", got)
		}
		return err
	})
	close(finish)
	for range 100 {
		if err := <-s.answers; err != nil {
			t.Error(err)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	s.client.Run(func(c *service.Context) error {
		if _, err := cluster.Call(c, "srv", "@sdb", "echo", 5); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("a call to a node that has stopped: %v", err)
		}
		return nil
	})
}

// What does not finish in time fails when the time is over.
func TestStopFailsWhatDoesNotFinish(t *testing.T) {
	finish := make(chan struct{})
	s := startStopping(t, 200*time.Millisecond, finish, 0, 100)
	stopped := s.begin(t)
	for range 100 {
		if err := <-s.answers; !errors.Is(err, cluster.ErrNodeDown) {
			t.Errorf("a call without an answer: %v", err)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A peer that always has requests in progress does not hold a stop up: those
// before it are answered, and those that came meanwhile, and then no more.
func TestStopUnderLoad(t *testing.T) {
	n, addr := server(t, nil, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = 2 * patience }))
	p := connect(t, addr)
	s := stopping{server: n}
	var stopped <-chan error
	p.call(1, "chain", 1)
	for session := uint32(1); ; session++ {
		p.call(session+1, "chain", session+1) // one is in progress whenever another is answered
		r, err := p.frame()
		if err != nil {
			break
		}
		if got, err := service.Unpack[uint32](r.Payload); err != nil || r.Session != session || got != session {
			t.Fatalf("answer %d: %d, %v, want %d", r.Session, got, err, session)
		}
		if session == 100 {
			stopped = s.begin(t)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	p.wantEnd()
}

// A link without requests ends when the stop begins, whatever else the node has
// to finish.
func TestStopEndsAnIdleLink(t *testing.T) {
	begun, finish := make(chan struct{}, 1), make(chan struct{})
	n, addr := server(t, nil, nodetest.Services(waiter(begun, finish)),
		nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = 2 * patience }))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("waiter")
		if err != nil {
			return err
		}
		return c.Send(h, "wait", 0)
	})
	<-begun
	p := connect(t, addr)
	p.call(1, "echo", 1)
	p.want(1, 1)
	s := stopping{server: n}
	stopped := s.begin(t)
	p.wantEnd()
	close(finish)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
