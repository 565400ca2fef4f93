package main

import (
	"fmt"
	"strings"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/gate"
	"github.com/skynetgo/skynet/services/login"
)

// player is the agent of one user: a counter that remembers.
type player struct {
	s     *login.Session
	count int
}

var agent = login.Agent("player", func(c *service.Context, s *login.Session) (login.Events, error) {
	p := &player{s: s} // here a real one loads what it knows of s.User
	return login.Events{Packet: p.packet, Away: p.away, Back: p.back, End: p.end}, nil
})

func (p *player) packet(c *service.Context, packet []byte) {
	p.count++
	_ = p.s.Send(c, fmt.Appendf(nil, "%s %d", packet, p.count))
}

func (p *player) away(c *service.Context) {
	c.Logf("%s is away", p.s.User)
	_ = p.s.Send(c, []byte("while you were away")) // comes when the player is back
}

func (p *player) back(c *service.Context, lost int) { c.Logf("%s is back", p.s.User) }

func (p *player) end(c *service.Context, why login.Reason) { // the place to save
	c.Logf("%s ends at %d: %s", p.s.User, p.count, why)
}

// door authenticates on a node of its own, and sends players on to world.
var door = login.Definition(func(*service.Context) (login.Config, error) {
	return login.Config{
		Gate: gate.OpenConfig{Address: "127.0.0.1:10041"},
		Authenticate: func(c *service.Context, credentials []byte) (string, error) {
			name, password, _ := strings.Cut(string(credentials), " ")
			if password != "secret" {
				return "", service.Errorf("wrong password of %s", name)
			}
			return name, nil
		},
		Place: func(*service.Context, string) ([]string, error) { return []string{worldAddr}, nil },
	}, nil
})

// world is where the players are.
var world = login.Definition(func(*service.Context) (login.Config, error) {
	return login.Config{Gate: gate.OpenConfig{Address: "127.0.0.1:10042"}, Agent: "player", Node: worldAddr}, nil
})
