// Command center is the node that knows which player is on which login node.
// The logins call it; it calls them when a player shows up elsewhere.
package main

import (
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/cluster/internal/console"
	"github.com/skynetgo/skynet/service"
)

// center is the state of the service: where each player is.
type center struct{ players map[string]string }

// startCenter is the start function of the unique service "center".
func startCenter(c *service.Context, _ ...any) error {
	s := &center{players: make(map[string]string)}
	c.Handle("ENTER", service.F2(s.enter))
	c.Handle("ONLINE", service.F0(s.online))
	return nil
}

// enter puts player on node and says how many are online. A player that is
// somewhere else already is sent away there first.
func (s *center) enter(c *service.Context, player, node string) (int, error) {
	if old, ok := s.players[player]; ok && old != node {
		left, err := cluster.CallAs[bool](c, old, "@login", "KICK", player)
		if err != nil {
			return 0, err
		}
		c.Logf("call %s @login KICK %s -> %v", old, player, left)
	}
	s.players[player] = node
	return len(s.players), nil
}

func (s *center) online(*service.Context) (int, error) { return len(s.players), nil }

// start is the start service: it opens the node for others.
func start(c *service.Context, _ ...any) error {
	node := c.Getenv("node")
	h, err := c.UniqueService("center")
	if err != nil {
		return err
	}
	if err := cluster.Register(c, "center", h); err != nil {
		return err
	}
	addr, err := cluster.Open(c, node)
	if err != nil {
		return err
	}
	c.Logf("%s listens on %s", node, addr)
	_, err = c.NewService("console", node)
	return err
}

func main() {
	bootstrap.Main(
		service.Def("center", startCenter),
		service.Def("main", start),
		console.Definition(),
	)
}
