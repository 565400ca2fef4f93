package main

import (
	"context"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/game/message"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/login"
)

// An agent that ends while it looks for another room has the one that it has fled
// from save the player, since that may be alive.
func TestEndWithoutRoom(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("hall", startHall), login.Definition(door), agent),
		nodetest.Env("node", "gate"), nodetest.Env("rooms", "room1"), nodetest.Env("places", "gate"), nodetest.Env("doors", "127.0.0.1:0"))
	room := n.Probe("rooms")
	room.Return("OPEN", room.Handle())
	joined := make(chan Entry, 1)
	room.Answer("JOIN", func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
		e, err := lualike.As[Entry](args.At(0))
		if err == nil {
			joined <- e
		}
		return lualike.Args{message.Room{Name: "ruby 1"}}, err
	})
	left := make(chan any, 1)
	room.Answer("LEAVE", func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
		left <- args.At(0)
		return nil, nil
	})
	var addr string
	n.Run(func(c *service.Context) (err error) {
		if addr, err = cluster.Open(c, 0); err != nil {
			return err
		}
		if err := cluster.Reload(c, cluster.Table{"gate": addr, "room1": addr}); err != nil {
			return err
		}
		if err := cluster.Register(c, "rooms", room.Handle()); err != nil {
			return err
		}
		_, err = c.NewService(login.Name)
		return err
	})
	_, addr, _ = strings.Cut(n.Log.Wait(t, "login: clients connect to"), "connect to ")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cl, err := login.Dial(ctx, addr, []byte("alice"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cl.Close() }()
	enter, err := (&message.Request{Enter: "ruby"}).MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := cl.Send(enter); err != nil {
		t.Fatal(err)
	}
	e := <-joined
	if _, err := cl.Receive(); err != nil { // that she is in the room
		t.Fatal(err)
	}
	n.Run(func(c *service.Context) error { // the room closes
		return c.Send(e.Agent, "SHOW", "room1", room.Handle(), []byte{})
	})
	other, err := login.Dial(ctx, addr, []byte("alice")) // who logs in again ends the first agent
	if err != nil {
		t.Fatal(err)
	}
	_ = other.Close()
	select {
	case user := <-left:
		if user != "alice" {
			t.Errorf("%v leaves", user)
		}
	default:
		t.Error("nobody was saved")
	}
}
