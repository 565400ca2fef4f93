package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/game/message"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/login"
)

// withRoomProbe starts a gate node whose one room is a probe, and has alice enter
// it. joined gets her each time that she comes in.
func withRoomProbe(t *testing.T) (n *nodetest.Node, addr string, alice *login.Client, room *nodetest.Probe, joined chan Entry) {
	t.Helper()
	n = nodetest.Start(t, nodetest.Services(service.Def("hall", startHall), login.Definition(door), agent),
		nodetest.Env("node", "gate"), nodetest.Env("rooms", "room1"), nodetest.Env("places", "gate"), nodetest.Env("doors", "127.0.0.1:0"))
	room = n.Probe("rooms")
	room.Return("OPEN", room.Handle())
	joined = make(chan Entry, 1)
	room.Answer("JOIN", func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
		e, err := lualike.As[Entry](args.At(0))
		if err == nil {
			joined <- e
		}
		return lualike.Args{message.Room{Name: "ruby 1"}}, err
	})
	n.Run(func(c *service.Context) error {
		addr, err := cluster.Open(c, 0)
		if err != nil {
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
	alice = dial(t, addr)
	enter, err := (&message.Request{Enter: "ruby"}).MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.Send(enter); err != nil {
		t.Fatal(err)
	}
	return n, addr, alice, room, joined
}

// dial logs alice in.
func dial(t *testing.T, addr string) *login.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cl, err := login.Dial(ctx, addr, []byte("alice"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func receive(t *testing.T, cl *login.Client) string {
	t.Helper()
	if err := cl.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	packet, err := cl.Receive()
	if err != nil {
		t.Fatal(err)
	}
	return string(packet)
}

// An agent that ends while it looks for another room has the one that it has fled
// from save the player, since that may be alive.
func TestEndWithoutRoom(t *testing.T) {
	n, addr, alice, room, joined := withRoomProbe(t)
	left := make(chan any, 1)
	room.Answer("LEAVE", func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
		left <- args.At(0)
		return nil, nil
	})
	e := <-joined
	receive(t, alice)                      // that she is in the room
	n.Run(func(c *service.Context) error { // the room closes
		return c.Send(e.Seat.Agent, "SHOW", e.Seat.N, []byte{})
	})
	dial(t, addr) // who logs in again ends the first agent
	select {
	case user := <-left:
		if user != "alice" {
			t.Errorf("%v leaves", user)
		}
	default:
		t.Error("nobody was saved")
	}
}

// A room that does not know yet that a gate node has started again shows nothing
// to the agents there that have the handles of the ones before.
func TestSeatsAfterRestart(t *testing.T) {
	_, _, _, _, before := withRoomProbe(t)
	_, _, _, _, after := withRoomProbe(t)
	if a, b := <-before, <-after; a.Seat.N == b.Seat.N {
		t.Errorf("seats %v and %v", a.Seat, b.Seat)
	}
}

// A player who is back in a room does not see pictures of it from before, with the
// score that he had then.
func TestPictureFromBefore(t *testing.T) {
	n, _, alice, _, joined := withRoomProbe(t)
	before := <-joined
	in := receive(t, alice)
	show := func(e Entry, packet string) {
		t.Helper()
		n.Run(func(c *service.Context) error {
			return cluster.Send(c, "gate", "@hall", "CAST", []Seat{e.Seat}, []byte(packet))
		})
	}
	n.Run(func(c *service.Context) error {
		hall, err := c.UniqueService("hall")
		if err != nil {
			return err
		}
		return cluster.Register(c, "hall", hall)
	})
	show(before, "first")
	if got := receive(t, alice); got != "first" {
		t.Errorf("got %q", got)
	}
	show(before, "") // the room closes, and is back
	now := <-joined
	if got := receive(t, alice); got != in {
		t.Errorf("got %q, not that she is back", got)
	}
	show(before, "late")
	show(now, "second")
	if got := receive(t, alice); got != "second" {
		t.Errorf("got %q", got)
	}
}
