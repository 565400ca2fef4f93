// Command game is a node of a small game for the browser: players steer through
// an arena and collect gems. README.md has the picture; make game starts all of
// it, one process for each config file.
package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/debugconsole"
	"github.com/skynetgo/skynet/services/gate"
	"github.com/skynetgo/skynet/services/login"
)

const (
	maxClients = 12000
	maxPending = 64 << 10         // bytes that a client may leave unread
	maxIdle    = 20 * time.Second // a page says something each 5 seconds
)

// open is the start service of every node. Its arguments are the unique services
// of the node, which others then find by their names.
func open(c *service.Context, args ...any) error {
	node := c.Getenv("node")
	if node == "" {
		return errors.New("the config file does not say which node this is")
	}
	if console := c.Getenv("console"); console != "" {
		host, port, err := net.SplitHostPort(console)
		if err != nil {
			return fmt.Errorf("console: %w", err)
		}
		if _, err := c.NewService(debugconsole.Name, host, port); err != nil {
			return err
		}
	}
	// Services end in the reverse order of their start, those that carry the links
	// to other nodes too. So these must come before all that saves at its end.
	for _, peer := range strings.Fields(c.Getenv("peers")) {
		_, _ = cluster.Query(c, peer, "main") // whether it is up yet or not
	}
	for _, a := range args {
		name, _ := a.(string)
		if name == login.Name {
			if _, err := c.NewService(name); err != nil {
				return err
			}
			continue
		}
		h, err := c.UniqueService(name)
		if err != nil {
			return err
		}
		if err := cluster.Register(c, name, h); err != nil {
			return err
		}
	}
	addr, err := cluster.Open(c, node)
	if err != nil {
		return err
	}
	c.Logf("%s is open at %s", node, addr)
	return nil
}

// door is the login service of the nodes login1, login2 and gate. The first two
// let players in by name and send them to the third.
func door(c *service.Context) (login.Config, error) {
	max := maxClients
	cfg := login.Config{
		Gate: gate.OpenConfig{
			Doors:     strings.Fields(c.Getenv("doors")),
			MaxClient: &max,
			Origins:   strings.Fields(c.Getenv("pages")),
			Limits:    socket.Limits{MaxPacket: 4 << 10, PacketRate: 50, MaxPending: maxPending, Idle: maxIdle},
		},
		Agent: "player",
		Node:  c.Getenv("node"),
	}
	if c.Getenv("places") != "" {
		cfg.Authenticate = authenticate
		cfg.Place = func(c *service.Context, _ string) ([]string, error) { return []string{c.Getenv("places")}, nil }
	}
	return cfg, nil
}

// authenticate takes everyone at his word. A real game would ask for more.
func authenticate(_ *service.Context, credentials []byte) (string, error) {
	if n := utf8.RuneCount(credentials); n < 2 || n > 16 {
		return "", service.Errorf("a name has 2 to 16 letters")
	}
	for _, b := range string(credentials) {
		if b < '0' || b == 0xfffd {
			return "", service.Errorf("a name has letters only")
		}
	}
	return string(credentials), nil
}

func main() {
	bootstrap.Main(
		service.Def("main", open),
		service.Def("center", startCenter),
		service.Def("rooms", startRooms),
		service.Def("room", startRoom),
		service.Def("hall", startHall),
		service.Def("web", startWeb),
		login.Definition(door),
		agent,
	)
}
