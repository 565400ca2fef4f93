package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/game/message"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// withCenter runs f on a node with rooms, whose center is a probe.
func withCenter(t *testing.T, f func(c *service.Context, center *nodetest.Probe) error, options ...nodetest.Option) *nodetest.Node {
	t.Helper()
	options = append([]nodetest.Option{
		nodetest.Services(service.Def("room", startRoom), service.Def("rooms", startRooms)),
		nodetest.Env("data", filepath.Join(t.TempDir(), "kept.db")),
	}, options...)
	n := nodetest.Start(t, options...)
	center := n.Probe("center")
	n.Run(func(c *service.Context) error {
		addr, err := cluster.Open(c, 0)
		if err != nil {
			return err
		}
		if err := cluster.Reload(c, cluster.Table{"center": addr, "gate": addr}); err != nil {
			return err
		}
		if err := cluster.Register(c, "center", center.Handle()); err != nil {
			return err
		}
		return f(c, center)
	})
	return n
}

// withRoom is withCenter with a room.
func withRoom(t *testing.T, f func(c *service.Context, room service.Handle, center *nodetest.Probe) error, options ...nodetest.Option) *nodetest.Node {
	t.Helper()
	return withCenter(t, func(c *service.Context, center *nodetest.Probe) error {
		rooms, err := c.NewService("rooms")
		if err != nil {
			return err
		}
		room, err := service.Call[service.Handle](c, rooms, "OPEN", "ruby 1")
		if err != nil {
			return err
		}
		return f(c, room, center)
	}, options...)
}

// stopTimeout lets rooms save when the node stops.
func stopTimeout(d time.Duration) nodetest.Option {
	return nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = d })
}

func join(c *service.Context, room service.Handle) (message.Room, error) {
	return service.Call[message.Room](c, room, "JOIN", Entry{User: "alice", Node: "gate"})
}

// A room that can not save does not try again at once, with each point: that would
// fill the logs.
func TestSaveFails(t *testing.T) {
	withCenter(t, func(c *service.Context, center *nodetest.Probe) error {
		tries := make(chan time.Duration, 10)
		center.Answer("SAVE", func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
			tries <- c.Now()
			return nil, errors.New("the disk is full")
		})
		r := &room{members: map[string]*member{"alice": {hero: &hero{name: "alice"}, dirty: true}}}
		for len(tries) < 2 {
			r.saveSoon(c)
			if err := c.Sleep(tick); err != nil {
				return err
			}
		}
		if first, second := <-tries, <-tries; second-first < silence {
			return fmt.Errorf("again after %v", second-first)
		}
		return nil
	})
}

// A player is back while the room could not save him yet, and has played
// elsewhere meanwhile: he loses nothing of that.
func TestBackBeforeSaved(t *testing.T) {
	withRoom(t, func(c *service.Context, room service.Handle, center *nodetest.Probe) error {
		leave := func(answer error) (p Player, err error) {
			center.Answer("SAVE", func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				list, err := lualike.As[[]Player](args.At(0))
				if err == nil {
					p = list[0]
				}
				return nil, errors.Join(err, answer)
			})
			_, err = c.Call(room, "LEAVE", "alice")
			return p, err
		}
		center.Return("LOAD", Player{Name: "alice", Score: 10, N: 5})
		if _, err := join(c, room); err != nil {
			return err
		}
		if _, err := leave(errors.New("the disk is full")); err == nil {
			return errors.New("she has left unsaved")
		}
		center.Return("LOAD", Player{Name: "alice", Score: 60, N: 9})
		info, err := join(c, room)
		if err != nil || info.N != 9 {
			return fmt.Errorf("back she goes on from move %d, %v", info.N, err)
		}
		if p, err := leave(nil); err != nil || p.Score != 60 || p.N != 9 {
			return fmt.Errorf("saved is %+v, %v", p, err)
		}
		return nil
	})
}

// A player is back while the room saves him, and center tells it of before that.
func TestBackWhileSaved(t *testing.T) {
	withRoom(t, func(c *service.Context, room service.Handle, center *nodetest.Probe) error {
		center.Return("LOAD", Player{Name: "alice", N: 5})
		if _, err := join(c, room); err != nil {
			return err
		}
		if err := c.Send(room, "MOVE", "alice", message.Move{N: 9}); err != nil {
			return err
		}
		saving, loading, saved := make(chan any), make(chan any), make(chan any)
		wait := func(c *service.Context, ch chan any) error {
			_, err := service.Await(c, func(ctx context.Context) (any, error) {
				select {
				case <-ch:
				case <-ctx.Done():
				}
				return nil, ctx.Err()
			})
			return err
		}
		begun := sync.OnceFunc(func() { close(saving) }) // who finds a gem is saved before
		center.Answer("SAVE", func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
			begun()
			return nil, wait(c, loading)
		})
		center.Answer("LOAD", func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
			close(loading)
			return lualike.Args{Player{Name: "alice", N: 5}}, wait(c, saved)
		})
		left := make(chan error, 1)
		c.Fork(func(c *service.Context) {
			_, err := c.Call(room, "LEAVE", "alice")
			close(saved)
			left <- err
		})
		if err := wait(c, saving); err != nil {
			return err
		}
		info, err := join(c, room)
		if err != nil || info.N != 9 {
			return fmt.Errorf("back she goes on from move %d, %v", info.N, err)
		}
		return <-left
	})
}

// What a room could not save when its node stopped is on the disk, and goes to
// center when the rooms are there again, until center has it.
func TestStopWithoutCenter(t *testing.T) {
	data := nodetest.Env("data", filepath.Join(t.TempDir(), "bin", "kept.db"))
	alice := Player{Name: "alice", Score: 7, N: 5, X: 100, Y: 100}
	n := withRoom(t, func(c *service.Context, room service.Handle, center *nodetest.Probe) error {
		center.Answer("SAVE", func(*service.Context, lualike.Args) (lualike.Args, error) { return nil, errors.New("no") })
		center.Return("LOAD", alice)
		if _, err := join(c, room); err != nil {
			return err
		}
		return c.Send(room, "MOVE", "alice", message.Move{N: 9})
	}, data, stopTimeout(time.Minute))
	n.Stop()
	if l := n.Log.Wait(t, "room ruby 1: kept in "); !strings.HasSuffix(l, "kept.db until the node starts again") {
		t.Errorf("got %q", l)
	}

	// deliver returns what center gets when the rooms are there again: answers at
	// least, before the node stops.
	deliver := func(answers ...error) (got []Player) {
		t.Helper()
		saved, wait := make(chan Player, 10), len(answers)
		withCenter(t, func(c *service.Context, center *nodetest.Probe) error {
			center.Answer("SAVE", func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				list, err := lualike.As[[]Player](args.At(0))
				for _, p := range list {
					saved <- p
				}
				if len(answers) > 0 {
					err, answers = errors.Join(err, answers[0]), answers[1:]
				}
				return nil, err
			})
			_, err := c.NewService("rooms")
			for i := 0; i < wait && err == nil; i++ {
				var p Player
				p, err = service.Await(c, func(context.Context) (p Player, err error) {
					select {
					case p = <-saved:
					case <-time.After(30 * time.Second):
						err = errors.New("center gets nothing")
					}
					return p, err
				})
				got = append(got, p)
			}
			return err
		}, data).Stop()
		for len(saved) > 0 {
			got = append(got, <-saved)
		}
		return got
	}
	got := deliver(errors.New("the disk is full"), nil)
	if len(got) != 2 {
		t.Errorf("center got %+v", got)
	}
	for _, p := range got {
		if p.Name != "alice" || p.N != 9 || p.Score < 7 {
			t.Errorf("center got %+v", p)
		}
	}
	deliver() // the node may have stopped before it had noted that center has it
	if got = deliver(); len(got) > 0 {
		t.Errorf("center got %+v again", got)
	}
}

// A room that can do nothing for its players says who they are.
func TestStopInVain(t *testing.T) {
	n := withCenter(t, func(c *service.Context, center *nodetest.Probe) error {
		center.Answer("SAVE", func(*service.Context, lualike.Args) (lualike.Args, error) { return nil, errors.New("no") })
		center.Return("LOAD", Player{Name: "alice"})
		room, err := c.NewService("room", "ruby 1", center.Handle()+1000) // nobody to keep it
		if err == nil {
			_, err = join(c, room)
		}
		return err
	}, stopTimeout(time.Minute))
	n.Stop()
	n.Log.Wait(t, "room ruby 1 ends, nobody has the last moves of alice")
}
