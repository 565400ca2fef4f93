package service

import (
	"context"
	"testing"

	"github.com/skynetgo/skynet/actor"
)

// TestQueuePassesOnATurnThatIsNotTaken: a coroutine whose wait was ended after
// its turn had come hands the section to the next in line.
func TestQueuePassesOnATurnThatIsNotTaken(t *testing.T) {
	cfg := actor.DefaultConfig()
	cfg.Logger, cfg.Pool = actor.LoggerFunc(func(Handle, string) {}), actor.GoPool{}
	n, err := actor.NewNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Shutdown(context.Background()) }()
	if err := Run(context.Background(), n, func(c *Context) error {
		q := Queue{holder: "leaves", depth: 1}
		first, second := &queued{token: "first"}, &queued{token: "second"}
		q.waiting = []*queued{first, second}
		q.leave(c)
		if !first.enter || q.holder != "first" {
			t.Errorf("the first in line has no turn: %+v", q)
		}
		q.forget(c, first)
		if !second.enter || q.holder != "second" {
			t.Errorf("the turn was lost: %+v", q)
		}
		q.forget(c, second)
		return q.Do(c, func() error { return nil })
	}); err != nil {
		t.Error(err)
	}
}
