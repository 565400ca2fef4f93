package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/skynetgo/skynet/service"
)

// center keeps the players, and knows who is best.
type center struct {
	store  store
	scores map[string]int
}

// startCenter is the start function of the unique service "center".
func startCenter(c *service.Context, _ ...any) error {
	s, err := openBolt(c.Getenv("data"))
	if err != nil {
		return err
	}
	c.AtServiceEnd(func() { _ = s.close() }) // after the last transaction; all that was answered is on the disk
	ce := &center{s, make(map[string]int)}
	c.Handle("LOAD", service.F1(ce.load))
	c.Handle("SAVE", service.P1(ce.save))
	c.Handle("TOP", service.F1(ce.top))
	return s.all(func(p Player) { ce.scores[p.Name] = p.Score })
}

func (ce *center) load(c *service.Context, name string) (Player, error) {
	return service.Await(c, func(context.Context) (Player, error) { return ce.store.load(name) })
}

func (ce *center) save(c *service.Context, players []Player) error {
	_, err := service.Await(c, func(context.Context) (any, error) { return nil, ce.store.save(players) })
	if err != nil {
		return err
	}
	for _, p := range players {
		ce.scores[p.Name] = max(ce.scores[p.Name], p.Score)
	}
	return nil
}

// top returns the best n.
func (ce *center) top(_ *service.Context, n int) ([]Player, error) {
	list := make([]Player, 0, len(ce.scores))
	for name, score := range ce.scores {
		list = append(list, Player{Name: name, Score: score})
	}
	slices.SortFunc(list, func(a, b Player) int { return cmp.Or(b.Score-a.Score, cmp.Compare(a.Name, b.Name)) })
	return list[:min(n, len(list))], nil
}
