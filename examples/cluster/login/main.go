// Command login is a node that players come in through; login1 and login2 run
// it with a config file each.
package main

import (
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/cluster/internal/console"
	"github.com/skynetgo/skynet/service"
)

// login is the state of the service: who is logged in here.
type login struct {
	node    string
	players map[string]bool
}

// startLogin is the start function of the unique service "login".
func startLogin(c *service.Context, _ ...any) error {
	s := &login{node: c.Getenv("node"), players: make(map[string]bool)}
	c.Handle("LOGIN", service.F1(s.login))
	c.Handle("KICK", service.F1(s.kick))
	return nil
}

// login lets a player in, once center knows that it is here now.
func (s *login) login(c *service.Context, player string) (int, error) {
	online, err := cluster.CallAs[int](c, "center", "@center", "ENTER", player, s.node)
	if err != nil {
		return 0, err
	}
	s.players[player] = true
	c.Logf("call center @center ENTER %s %s -> %d online", player, s.node, online)
	return online, nil
}

// kick sends a player away; center calls it. It says whether the player was here.
func (s *login) kick(_ *service.Context, player string) (bool, error) {
	was := s.players[player]
	delete(s.players, player)
	return was, nil
}

// start is the start service: it opens the node for others.
func start(c *service.Context, _ ...any) error {
	node := c.Getenv("node")
	h, err := c.UniqueService("login")
	if err != nil {
		return err
	}
	if err := cluster.Register(c, "login", h); err != nil {
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
		service.Def("login", startLogin),
		service.Def("main", start),
		console.Definition(),
	)
}
