package guide_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// world saves its players when the node stops.
type world struct {
	players map[string]int // and their scores
	closed  bool
	save    func(ctx context.Context, name string, score int) error
}

func startWorld(c *service.Context, w *world) {
	c.Handle("ENTER", service.P1(func(_ *service.Context, name string) error {
		if w.closed {
			return service.Errorf("the server stops, try another one")
		}
		w.players[name] = 0
		return nil
	}))
	c.OnStop(func(c *service.Context) {
		w.closed = true // from here on nobody comes in
		for name, score := range w.players {
			if _, err := service.Await(c, func(ctx context.Context) (bool, error) {
				return true, w.save(ctx, name, score)
			}); err != nil {
				c.Error("save", name, err)
			}
		}
	})
}

func TestWorldIsSaved(t *testing.T) {
	saved := make(chan string, 2)
	w := &world{players: map[string]int{}, save: func(_ context.Context, name string, score int) error {
		if name == "bob" {
			return errors.New("no space")
		}
		saved <- fmt.Sprint(name, score)
		return nil
	}}
	patient := nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = time.Minute })
	n := nodetest.Start(t, patient, nodetest.Services(service.Def("world", func(c *service.Context, _ ...any) error {
		startWorld(c, w)
		return nil
	})))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("world")
		if err != nil {
			return err
		}
		for _, name := range []string{"alice", "bob"} {
			if _, err := c.Call(h, "ENTER", name); err != nil {
				return err
			}
		}
		return nil
	})
	n.Stop()
	if len(saved) != 1 || <-saved != "alice0" {
		t.Error("alice was not saved")
	}
	n.Log.Wait(t, "save bob no space")
}
