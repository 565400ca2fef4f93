package cluster_test

import (
	"errors"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// stopping starts a node that gives its handlers patience when it stops, and a
// call of it, without a deadline, that is in progress when its stop begins.
func stopping(t *testing.T, patience time.Duration) (srv *nodetest.Node, sdb service.Handle, answer, stopped chan error) {
	t.Helper()
	srv, addr, sdb := server(t, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = patience }))
	n := client(t, nil)
	begun := make(chan struct{})
	answer, stopped = make(chan error, 1), make(chan error, 1)
	n.Run(func(c *service.Context) error {
		c.Fork(func(c *service.Context) {
			_, err := cluster.Call(c.WithTimeout(service.Forever), addr, "@sdb", "hold")
			answer <- err
		})
		return nil
	})
	eventually(t, "the call arrives", func() (held bool) {
		srv.Run(func(c *service.Context) error {
			n, err := service.Call[int](c, sdb, "held")
			held = n == 1
			return err
		})
		return held
	})
	srv.Run(func(c *service.Context) error {
		c.OnStop(func(*service.Context) { close(begun) })
		return nil
	})
	go func() { stopped <- srv.Shutdown(t.Context()) }()
	<-begun
	return srv, sdb, answer, stopped
}

func TestStopAnswersWhatIsInProgress(t *testing.T) {
	srv, sdb, answer, stopped := stopping(t, 20*time.Second)
	select {
	case err := <-stopped:
		t.Fatalf("the node has stopped before its handler: %v", err)
	default:
	}
	if err := srv.Send(sdb, service.Message{Type: service.PTypeLua, Cmd: "release"}); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestStopEndsCallsThatTakeTooLong(t *testing.T) {
	_, _, answer, stopped := stopping(t, 10*time.Millisecond)
	if err := <-answer; !errors.Is(err, cluster.ErrNodeDown) {
		t.Errorf("got %v, want ErrNodeDown", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
