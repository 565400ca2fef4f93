package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/game/message"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// A player is back while the room could not save him yet, and has played
// elsewhere meanwhile: he loses nothing of that.
func TestBackBeforeSaved(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("room", startRoom)))
	center := n.Probe("center")
	n.Run(func(c *service.Context) error {
		addr, err := cluster.Open(c, 0)
		if err != nil {
			return err
		}
		if err := cluster.Reload(c, cluster.Table{"center": addr}); err != nil {
			return err
		}
		if err := cluster.Register(c, "center", center.Handle()); err != nil {
			return err
		}
		room, err := c.NewService("room", "ruby 1")
		if err != nil {
			return err
		}
		join := func(saved Player) (message.Room, error) {
			center.Return("LOAD", saved)
			return service.Call[message.Room](c, room, "JOIN", Entry{User: "alice", Node: "gate"})
		}
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
		if _, err := join(Player{Name: "alice", Score: 10, N: 5}); err != nil {
			return err
		}
		if _, err := leave(errors.New("the disk is full")); err == nil {
			return errors.New("she has left unsaved")
		}
		info, err := join(Player{Name: "alice", Score: 60, N: 9})
		if err != nil || info.N != 9 {
			return fmt.Errorf("back she goes on from move %d, %v", info.N, err)
		}
		if p, err := leave(nil); err != nil || p.Score != 60 || p.N != 9 {
			return fmt.Errorf("saved is %+v, %v", p, err)
		}
		return nil
	})
}
