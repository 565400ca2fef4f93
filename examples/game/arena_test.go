package main

import (
	"math/rand/v2"
	"testing"

	"github.com/skynetgo/skynet/examples/game/message"
)

func newTestArena(names ...string) (*arena, []*hero) {
	a := newArena(rand.New(rand.NewPCG(1, 2)))
	var heroes []*hero
	for i, name := range names {
		h := &hero{name: name, x: float64(100 + 300*i), y: 500}
		a.players[name] = h
		heroes = append(heroes, h)
	}
	for i := range a.gems {
		a.gems[i] = message.Gem{X: 1500, Y: 900, Worth: 1} // far away
	}
	return a, heroes
}

func TestMove(t *testing.T) {
	a, heroes := newTestArena("alice")
	h := heroes[0]
	h.move(message.Move{N: 2, X: 300, Y: -400})
	a.step(1)
	if h.x != 100+speed*0.6 || h.y != 500-speed*0.8 {
		t.Errorf("she is at %v, %v", h.x, h.y)
	}
	h.move(message.Move{N: 1, X: 1}) // late
	h.move(message.Move{N: 2, X: 1}) // twice
	if h.dx != 0.6 || h.n != 2 {
		t.Errorf("an old move counts: %+v", h)
	}
	h.move(message.Move{N: 3})
	x := h.x
	if a.step(1); h.x != x {
		t.Error("she does not stand still")
	}
	h.move(message.Move{N: 4, X: -1 << 62, Y: 1 << 62})
	if a.step(100); h.x != radius || h.y != height-radius {
		t.Errorf("she has left: %v, %v", h.x, h.y)
	}
}

func TestGem(t *testing.T) {
	a, heroes := newTestArena("alice", "bob")
	alice, bob := heroes[0], heroes[1]
	a.gems[3] = message.Gem{X: 100 + reach + 20, Y: 500, Worth: 4}
	if found := a.step(0.1); found != nil || alice.score != 0 {
		t.Errorf("found from afar: %v", found)
	}
	alice.move(message.Move{N: 1, X: 1})
	if found := a.step(0.1); len(found) != 1 || found[0] != alice || alice.score != 4 || bob.score != 0 {
		t.Errorf("found %v: %+v, %+v", found, alice, bob)
	}
	if g := a.gems[3]; g.X < radius || g.X > width-radius || g.Worth < 1 || g.Worth > maxWorth {
		t.Errorf("the next gem is %+v", g)
	}
}

func TestPlace(t *testing.T) {
	a, _ := newTestArena()
	h := &hero{}
	if a.place(h); h.x < radius || h.y < radius {
		t.Errorf("at %v, %v", h.x, h.y)
	}
	was := *h
	if a.place(h); *h != was {
		t.Error("who has a place gets another one")
	}
}
