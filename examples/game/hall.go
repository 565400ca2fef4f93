package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/game/message"
	"github.com/skynetgo/skynet/service"
)

const (
	capacity = 20          // players in a room
	avoid    = time.Second // for how long after it has failed a node gets no players
	topEvery = 2 * time.Second
	topCount = 10
)

// hall says who goes to which room, and passes on what the rooms say to the
// agents of this node.
type hall struct {
	nodes  []string
	rooms  map[string]*place
	where  map[service.Handle]*place // nil: an agent without a room
	avoids map[string]time.Duration  // until when
}

// place is a room as the hall knows it.
type place struct {
	node, name string
	players    int
}

// Place is a room for a player.
type Place struct {
	Node string `lua:"node"`
	Room string `lua:"room"`
}

// startHall is the start function of the unique service "hall".
func startHall(c *service.Context, _ ...any) error {
	h := &hall{
		nodes:  strings.Fields(c.Getenv("rooms")),
		rooms:  make(map[string]*place),
		where:  make(map[service.Handle]*place),
		avoids: make(map[string]time.Duration),
	}
	c.Handle("HELLO", service.P0(h.hello))
	c.Handle("ENTER", service.F2(h.enter))
	c.Handle("CAST", service.P2(h.cast))
	c.Fork(h.top)
	return nil
}

// hello is an agent that begins; its end is seen.
func (h *hall) hello(c *service.Context) error {
	agent := c.Message().Source
	h.where[agent] = nil
	_, err := service.Watch(c, agent, func(*service.Context, error) {
		h.leave(agent)
		delete(h.where, agent)
	})
	return err
}

func (h *hall) leave(agent service.Handle) {
	if p := h.where[agent]; p != nil {
		p.players--
		h.where[agent] = nil
	}
}

// enter finds a room of a kind for the agent that asks: none while all nodes have
// failed. Such a node is left alone for a while; its rooms move, each to one place.
func (h *hall) enter(c *service.Context, kind, failed string) (Place, error) {
	agent := c.Message().Source
	was := h.where[agent]
	h.leave(agent)
	if failed != "" && was != nil && h.rooms[was.name] == was { // else others have noticed before
		if !h.avoided(c, failed) {
			c.Logf("%s does not answer or closes: its players go elsewhere", failed)
		}
		h.avoids[failed] = c.Now() + avoid
		delete(h.rooms, was.name)
	}
	for n := 1; n <= len(h.rooms)+1; n++ {
		name := fmt.Sprint(kind, " ", n)
		p := h.rooms[name]
		if p == nil || p.players == 0 || h.avoided(c, p.node) {
			p = &place{node: h.quietest(c), name: name}
		}
		if p.players < capacity && !h.avoided(c, p.node) {
			p.players++
			h.rooms[name], h.where[agent] = p, p
			return Place{p.node, p.name}, nil
		}
	}
	return Place{}, nil
}

func (h *hall) avoided(c *service.Context, node string) bool { return c.Now() < h.avoids[node] }

// quietest returns the node with the fewest players, of those that work.
func (h *hall) quietest(c *service.Context) string {
	players := make(map[string]int)
	for _, p := range h.rooms {
		players[p.node] += p.players
	}
	return slices.MinFunc(h.nodes, func(a, b string) int {
		if badA, badB := h.avoided(c, a), h.avoided(c, b); badA != badB {
			if badA {
				return 1
			}
			return -1
		}
		return players[a] - players[b]
	})
}

// cast gives a packet of a room to its players' agents.
func (h *hall) cast(c *service.Context, seats []Seat, packet []byte) error {
	for _, s := range seats {
		_ = c.Send(s.Agent, "SHOW", s.N, packet) // one that has just ended
	}
	return nil
}

// top tells everyone of the best of all rooms.
func (h *hall) top(c *service.Context) {
	for c.Sleep(topEvery) == nil {
		best, err := cluster.CallAs[[]Player](c, "center", "@center", "TOP", topCount)
		if err != nil {
			continue // the next one comes soon
		}
		u := message.Update{}
		for _, p := range best {
			u.Top = append(u.Top, message.Score{Name: p.Name, Score: p.Score})
		}
		if packet, err := u.MarshalMsg(nil); err == nil {
			for agent := range h.where {
				_ = c.Send(agent, "TELL", packet)
			}
		}
	}
}
