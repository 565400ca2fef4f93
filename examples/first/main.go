// Command first is the first node of the guide: a room that players join.
package main

import (
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// room is the state of one service. One coroutine at a time uses it: no lock.
type room struct {
	players map[string]bool
	size    int
}

// startRoom runs once for each room that is started.
func startRoom(c *service.Context, args ...any) error {
	size, err := lualike.As[int](args[0]) // what NewService was given
	if err != nil {
		return err
	}
	r := &room{players: map[string]bool{}, size: size}
	c.Handle("JOIN", service.F1(r.join))
	c.Handle("LEAVE", service.P1(r.leave))
	return nil
}

// join returns how many players are in.
func (r *room) join(_ *service.Context, name string) (int, error) {
	if len(r.players) == r.size {
		return 0, service.Errorf("the room is full")
	}
	r.players[name] = true
	return len(r.players), nil
}

func (r *room) leave(_ *service.Context, name string) error {
	delete(r.players, name)
	return nil
}

// start is the start function of the first service of the node.
func start(c *service.Context, _ ...any) error {
	h, err := c.NewService("room", 2)
	if err != nil {
		return err
	}
	for _, name := range []string{"alice", "bob", "carol"} {
		n, err := service.Call[int](c, h, "JOIN", name)
		if err != nil {
			c.Error(name, err)
			continue
		}
		c.Logf("%s is in the room, now %d", name, n)
	}
	_, err = c.NewService("debug_console", c.Getenv("console"))
	return err
}

func main() { bootstrap.Main(service.Def("room", startRoom), service.Def("main", start)) }
