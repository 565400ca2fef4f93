package guide_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// arena lets strong players in, for a minute.
type arena struct {
	db      service.Handle
	closed  bool
	players []string
}

func startArena(c *service.Context, args ...any) error {
	db, err := lualike.As[service.Handle](args[0])
	if err != nil {
		return err
	}
	a := &arena{db: db}
	c.Handle("ENTER", service.F1(a.enter))
	c.Timeout(time.Minute, func(*service.Context) { a.closed = true })
	return nil
}

func (a *arena) enter(c *service.Context, name string) ([]string, error) {
	level, err := service.Call[int](c, a.db, "LEVEL", name)
	switch {
	case err != nil:
		return nil, err
	case level < 3:
		return nil, service.Errorf("%s is too weak", name)
	case a.closed: // perhaps while the database was asked
		return nil, service.Errorf("too late")
	}
	a.players = append(a.players, name)
	return a.players, nil
}

func TestArena(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("arena", startArena)))
	db := n.Probe("db") // a service that the test plays
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("arena", db.Handle())
		if err != nil {
			return err
		}
		db.Return("LEVEL", 5)
		players, err := service.Call[[]string](c, h, "ENTER", "alice")
		if err != nil || len(players) != 1 {
			return fmt.Errorf("alice: %v, %w", players, err)
		}
		db.Return("LEVEL", 2)
		if _, err := c.Call(h, "ENTER", "bob"); err == nil || !strings.Contains(err.Error(), "too weak") {
			return fmt.Errorf("bob: %v", err)
		}
		return nil
	})
	db.Expect(t, "LEVEL", "alice") // what the service asked it
	db.Expect(t, "LEVEL", "bob")
}

func TestArenaCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a minute takes no time in here
		n := nodetest.Start(t, nodetest.Services(service.Def("arena", startArena)))
		db := n.Probe("db")
		db.Answer("LEVEL", func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
			return lualike.Args{5}, c.Sleep(2 * time.Second)
		})
		n.Run(func(c *service.Context) error {
			h, err := c.NewService("arena", db.Handle())
			if err != nil {
				return err
			}
			if err := c.Sleep(59 * time.Second); err != nil {
				return err
			}
			if _, err := c.Call(h, "ENTER", "alice"); err == nil || !strings.Contains(err.Error(), "too late") {
				return fmt.Errorf("alice: %v", err)
			}
			return nil
		})
	})
}

func TestArenaSharesNothing(t *testing.T) {
	n := nodetest.Start(t, nodetest.Isolate(true), nodetest.Services(service.Def("arena", startArena)))
	db := n.Probe("db")
	db.Return("LEVEL", 5)
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("arena", db.Handle())
		if err != nil {
			return err
		}
		players, err := service.Call[[]string](c, h, "ENTER", "alice")
		if err != nil {
			return err
		}
		players[0] = "mallory"
		players, err = service.Call[[]string](c, h, "ENTER", "bob")
		if err != nil || players[0] != "alice" {
			return fmt.Errorf("now in: %v, %w", players, err)
		}
		return nil
	})
}
