package main

import (
	"context"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// rooms has the rooms of a node, and what they could not save when the node
// stopped, because center was gone.
type rooms struct {
	byName  map[string]service.Handle
	opening service.Queue
	kept    store
}

// startRooms is the start function of the unique service "rooms". What was kept
// is in center before the first room opens, if center is there.
func startRooms(c *service.Context, _ ...any) error {
	kept, err := openBolt(c.Getenv("data"))
	if err != nil {
		return err
	}
	c.AtServiceEnd(func() { _ = kept.close() })
	rs := &rooms{byName: make(map[string]service.Handle), kept: kept}
	c.Handle("OPEN", service.F1(rs.open))
	c.Handle("KEEP", service.P1(rs.keep))
	rs.deliver(c)
	return nil
}

// open returns the room with that name, a new one if need be.
func (rs *rooms) open(c *service.Context, name string) (h service.Handle, err error) {
	err = rs.opening.Do(c, func() error {
		if h = rs.byName[name]; h != 0 {
			return nil
		}
		if h, err = c.NewService("room", name, c.Self()); err != nil {
			return err
		}
		rs.byName[name] = h
		_, err = service.Watch(c, h, func(*service.Context, error) { delete(rs.byName, name) })
		return err
	})
	return h, err
}

func (rs *rooms) keep(c *service.Context, players []Player) error {
	_, err := service.Await(c, func(context.Context) (any, error) { return nil, rs.kept.save(players) })
	return err
}

// deliver gives center what was kept. What fails is tried again.
func (rs *rooms) deliver(c *service.Context) {
	var players []Player
	err := rs.kept.all(func(p Player) { players = append(players, p) })
	if err == nil && len(players) == 0 {
		return
	}
	if err == nil {
		_, err = cluster.Call(c, "center", "@center", "SAVE", players)
	}
	if err == nil {
		_, err = service.Await(c, func(context.Context) (any, error) { return nil, rs.kept.remove(players) })
	}
	if err != nil {
		c.Logf("rooms: what center did not have of %d players is still kept here: %v", len(players), err)
		c.Timeout(silence, rs.deliver)
	}
}
