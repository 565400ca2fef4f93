package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/game/message"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/login"
)

const (
	silence  = 2 * time.Second        // of a room, then it counts as lost
	retry    = 300 * time.Millisecond // between attempts to find a room
	maxWords = 200
)

// kinds are the rooms to choose from.
var kinds = []string{"ruby", "emerald", "sapphire", "amber"}

// player is the agent of a user: it has him in a room all the time, and passes on
// what goes between the two.
type player struct {
	s     *login.Session
	self  Entry
	hall  service.Handle
	kind  string // of room that he wants
	in    string // the kind that he is in
	node  string // where room is; "": nowhere
	fled  string // then where it was, until room has saved him
	room  service.Handle
	info  message.Room
	heard time.Duration // when the room has said something
	going service.Queue
	ended bool
}

var agent = login.Agent("player", func(c *service.Context, s *login.Session) (login.Events, error) {
	hall, err := c.UniqueService("hall")
	if err != nil {
		return login.Events{}, err
	}
	p := &player{s: s, hall: hall, self: Entry{s.User, c.Getenv("node"), Seat{Agent: c.Self()}}}
	c.Handle("SHOW", service.P2(p.show))
	c.Handle("TELL", service.P1(func(c *service.Context, packet []byte) error { return s.Send(c, packet) }))
	c.Timeout(silence, p.check)
	return login.Events{Packet: p.packet, Away: p.away, Back: p.back, End: p.end}, c.Send(hall, "HELLO")
})

// packet is what the player says.
func (p *player) packet(c *service.Context, packet []byte) {
	r := message.Request{}
	if _, err := r.UnmarshalMsg(packet); err != nil {
		p.update(c, &message.Update{Error: "what is that?"})
		return
	}
	switch {
	case r.Move != nil:
		p.toRoom(c, "MOVE", p.s.User, *r.Move)
	case r.Say != "":
		text := []rune(strings.ToValidUTF8(r.Say, ""))
		p.toRoom(c, "SAY", p.s.User, string(text[:min(len(text), maxWords)]))
	case slices.Contains(kinds, r.Enter):
		p.kind = r.Enter
		p.find(c, "")
	}
}

// toRoom sends a message to the room. When its node is known to be down the
// player need not wait until the silence is noticed.
func (p *player) toRoom(c *service.Context, cmd string, args ...any) {
	if p.node != "" && cluster.Send(c, p.node, p.room, append([]any{cmd}, args...)...) != nil {
		p.find(c, p.node)
	}
}

func (p *player) update(c *service.Context, u *message.Update) { _ = p.s.SendMsg(c, u) }

// show passes on what a room has for the player; nothing is that it closes. It
// may be for a seat that he has fled from.
func (p *player) show(c *service.Context, seat int, packet []byte) error {
	if p.node == "" || seat != p.self.Seat.N {
		return nil
	}
	p.heard = c.Now()
	if len(packet) == 0 {
		p.find(c, p.node)
		return nil
	}
	return p.s.Send(c, packet)
}

// check looks whether the room is still there, and tells it the same.
func (p *player) check(c *service.Context) {
	c.Timeout(silence, p.check)
	if p.node != "" && c.Now()-p.heard > silence {
		p.find(c, p.node)
	}
	p.toRoom(c, "HERE", p.s.User)
}

// find gets the player into a room of the kind that he wants, for as long as it
// takes. failed is the node that he flees from, if it was no choice of his.
func (p *player) find(c *service.Context, failed string) {
	_ = p.going.Do(c, func() error {
		if failed == "" && p.in == p.kind || failed != "" && failed != p.node {
			return nil // has happened meanwhile
		}
		if failed == "" {
			p.leave(c)
		}
		p.flee()
		for told := false; !p.ended; {
			kind := p.kind
			at, err := service.Call[Place](c, p.hall, "ENTER", kind, failed)
			if err == nil && at.Node != "" {
				failed = at.Node
				if err = p.join(c, kind, at); err == nil {
					return nil
				}
			}
			if err != nil && !told {
				told = true
				c.Logf("%s finds no room: %v", p.s.User, err)
			}
			if err := c.Sleep(retry); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *player) join(c *service.Context, kind string, at Place) error {
	room, err := cluster.CallAs[service.Handle](c, at.Node, "@rooms", "OPEN", at.Room)
	if err != nil {
		return err
	}
	p.self.Seat.N = rand.Int()
	info, err := cluster.CallAs[message.Room](c, at.Node, room, "JOIN", p.self)
	if err != nil {
		return err
	}
	p.in, p.node, p.fled, p.room, p.info, p.heard = kind, at.Node, "", room, info, c.Now()
	p.back(c, 0)
	return nil
}

// flee makes him hear and say nothing more in the room.
func (p *player) flee() {
	if p.node != "" {
		p.node, p.fled = "", p.node
	}
}

// leave returns when the player is saved, by a room that he has fled from too: it
// may only be slow.
func (p *player) leave(c *service.Context) {
	p.flee()
	if p.fled == "" {
		return
	}
	if _, err := cluster.Call(c, p.fled, p.room, "LEAVE", p.s.User); err != nil {
		c.Logf("%s leaves %s: %v", p.s.User, p.fled, err)
		return
	}
	p.fled = ""
}

// away has the player stand still until he is back.
func (p *player) away(c *service.Context) { p.toRoom(c, "HALT", p.s.User) }

// back tells the player where he is.
func (p *player) back(c *service.Context, _ int) { p.update(c, &message.Update{Room: &p.info}) }

func (p *player) end(c *service.Context, _ login.Reason) {
	p.ended = true
	p.leave(c)
}
