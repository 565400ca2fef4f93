package main

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/skynetgo/skynet/examples/game/message"
)

// The size of things, in the units that a player sees.
const (
	width, height = 1600, 1000
	radius        = 22  // of a player
	reach         = 36  // of a player, for gems
	speed         = 260 // a second
	gemCount      = 18
	maxWorth      = 5
)

// arena is the game itself. It knows no player's connection, and nobody else.
type arena struct {
	players map[string]*hero
	gems    []message.Gem
	rand    *rand.Rand
}

// hero is a player in the arena.
type hero struct {
	name   string
	x, y   float64
	dx, dy float64 // the direction, of length 1 or 0
	n      int     // the last move
	score  int
}

func newArena(r *rand.Rand) *arena {
	a := &arena{players: make(map[string]*hero), rand: r}
	for range gemCount {
		a.gems = append(a.gems, a.newGem())
	}
	return a
}

// newGem is worth 1 more often than much.
func (a *arena) newGem() message.Gem {
	return message.Gem{
		X:     radius + a.rand.IntN(width-2*radius),
		Y:     radius + a.rand.IntN(height-2*radius),
		Worth: 1 + a.rand.IntN(1+a.rand.IntN(maxWorth)),
	}
}

// place gives a player without a place one.
func (a *arena) place(h *hero) {
	if h.x == 0 && h.y == 0 {
		g := a.newGem()
		h.x, h.y = float64(g.X), float64(g.Y)
	}
}

// move turns a player, and makes nothing of a move that is not newer.
func (h *hero) move(m message.Move) {
	if m.N <= h.n {
		return
	}
	h.n = m.N
	h.turn(float64(m.X), float64(m.Y))
}

func (h *hero) turn(x, y float64) {
	l := max(math.Hypot(x, y), 1)
	h.dx, h.dy = x/l, y/l
}

// step lets the time go on, and returns who has found gems.
func (a *arena) step(seconds float64) []*hero {
	var found []*hero
	for _, name := range slices.Sorted(maps.Keys(a.players)) {
		h := a.players[name]
		h.x = clamp(h.x+h.dx*speed*seconds, width)
		h.y = clamp(h.y+h.dy*speed*seconds, height)
		for i, g := range a.gems {
			if math.Hypot(h.x-float64(g.X), h.y-float64(g.Y)) < reach {
				h.score += g.Worth
				a.gems[i] = a.newGem()
				found = append(found, h)
			}
		}
	}
	return found
}

func clamp(v float64, size float64) float64 { return min(max(v, radius), size-radius) }
