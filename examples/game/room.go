package main

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/game/message"
	"github.com/skynetgo/skynet/service"
)

const (
	tick       = 100 * time.Millisecond
	checkpoint = 5 * time.Second // how often places are saved, not only scores
	forgotten  = 3 * silence     // an agent that has said nothing for so long has ended with its node
	closeAfter = 30 * time.Second
)

// room is a service: one arena and who is in it.
type room struct {
	name    string
	keeper  service.Handle // the service "rooms"
	arena   *arena
	members map[string]*member
	saving  service.Queue
	showing map[string]bool // nodes that a picture is on its way to
	busy    bool            // a save is on its way
	closing bool
	empty   time.Duration // since when
}

// member is a player in a room.
type member struct {
	Entry
	*hero
	heard time.Duration // when the agent has said something
	saved int           // the score that center has
	dirty bool          // there is more to save
	left  bool
}

// Entry is who comes in: a player, and where his agent is.
type Entry struct {
	User string `lua:"user"`
	Node string `lua:"node"`
	Seat Seat   `lua:"seat"`
}

// Seat is where pictures go to. N is another number each time a player comes into
// a room: those from before may still be under way, and when his node has started
// again the agent may be that of someone else.
type Seat struct {
	Agent service.Handle `lua:"agent"`
	N     int            `lua:"n"`
}

// startRoom is the start function of a room, which gets its name and who keeps
// what it can not save.
func startRoom(c *service.Context, args ...any) error {
	name, _ := args[0].(string)
	keeper, _ := args[1].(service.Handle)
	r := &room{
		name:    name,
		keeper:  keeper,
		arena:   newArena(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))),
		members: make(map[string]*member),
		showing: make(map[string]bool),
		empty:   c.Now(),
	}
	c.Handle("JOIN", service.F1(r.join))
	c.Handle("LEAVE", service.P1(r.leave))
	c.Handle("MOVE", service.P2(r.move))
	c.Handle("HERE", service.P1(r.here))
	c.Handle("SAY", service.P2(r.say))
	c.Handle("HALT", service.P1(r.halt))
	c.OnStop(r.close)
	c.Fork(r.run)
	return nil
}

// join lets a player in, with what center has of him.
func (r *room) join(c *service.Context, e Entry) (message.Room, error) {
	if m := r.members[e.User]; m != nil {
		m.left, m.heard = false, c.Now() // a save under way keeps him: what center answers may be older
	}
	p, err := cluster.CallAs[Player](c, "center", "@center", "LOAD", e.User)
	if err != nil {
		return message.Room{}, err
	}
	if r.closing {
		return message.Room{}, service.Errorf("room %s closes", r.name)
	}
	m := r.members[e.User]
	if m == nil {
		m = &member{hero: &hero{name: e.User, x: p.X, y: p.Y, n: p.N, score: p.Score}, saved: p.Score}
		r.arena.place(m.hero)
		r.members[e.User], r.arena.players[e.User] = m, m.hero
	}
	if p.N > m.n { // he was not saved when he left, and has played elsewhere since
		m.n, m.x, m.y = p.N, p.X, p.Y
	}
	m.score, m.saved = max(m.score, p.Score), max(m.saved, p.Score)
	m.Entry, m.left, m.heard = e, false, c.Now()
	return message.Room{Name: r.name, You: e.User, Width: width, Height: height, N: m.n}, nil
}

// leave returns when the player is saved.
func (r *room) leave(c *service.Context, user string) error {
	m := r.members[user]
	if m == nil {
		return nil
	}
	m.left, m.dirty = true, true
	return r.save(c)
}

func (r *room) move(_ *service.Context, user string, move message.Move) error {
	if m := r.members[user]; m != nil {
		m.move(move)
	}
	return nil
}

func (r *room) here(c *service.Context, user string) error {
	if m := r.members[user]; m != nil {
		m.heard = c.Now()
	}
	return nil
}

// halt has a player stand still who is not there to steer.
func (r *room) halt(_ *service.Context, user string) error {
	if m := r.members[user]; m != nil {
		m.turn(0, 0)
	}
	return nil
}

func (r *room) say(c *service.Context, user, text string) error {
	packet, err := (&message.Update{Chat: &message.Chat{From: user, Text: text}}).MarshalMsg(nil)
	if err == nil {
		r.tell(c, packet)
	}
	return err
}

// run is the room's clock.
func (r *room) run(c *service.Context) {
	next := c.Now() + checkpoint
	for last := c.Now(); !r.closing; {
		if c.Sleep(tick) != nil {
			return
		}
		now := c.Now()
		for _, h := range r.arena.step((now - last).Seconds()) {
			r.members[h.name].dirty = true
			r.saveSoon(c)
		}
		last = now
		if now >= next {
			next = now + checkpoint
			for _, m := range r.members {
				m.dirty = true
				m.left = m.left || now-m.heard > forgotten
			}
			r.saveSoon(c)
		}
		if len(r.members) > 0 {
			r.empty = now
		} else if now-r.empty > closeAfter {
			c.Exit()
		}
		if !r.closing {
			r.show(c)
		}
	}
}

// world is what players see, and hold us to: their scores are saved.
func (r *room) world() *message.World {
	w := &message.World{Gems: r.arena.gems}
	for _, m := range r.members {
		if !m.left {
			w.Players = append(w.Players, message.Spot{Name: m.name, X: int(m.x), Y: int(m.y), Score: m.saved, N: m.n})
		}
	}
	return w
}

// show sends everyone a picture, where the one before has arrived: when a node
// can not keep up, players see fewer of them, not old ones.
func (r *room) show(c *service.Context) {
	packet, err := (&message.Update{World: r.world()}).MarshalMsg(nil)
	if err != nil {
		c.Logf("room %s: %v", r.name, err)
		return
	}
	for node, seats := range r.seats() {
		if !r.showing[node] {
			r.showing[node] = true
			c.Fork(func(c *service.Context) {
				defer delete(r.showing, node)
				_, _ = cluster.Call(c, node, "@hall", "CAST", seats, packet) // who is not there misses it
			})
		}
	}
}

// tell sends an update to all members, nil to say that the room closes.
func (r *room) tell(c *service.Context, packet []byte) {
	for node, seats := range r.seats() {
		_ = cluster.Send(c, node, "@hall", "CAST", seats, packet)
	}
}

// seats returns those of all members by their nodes: one message to each hall is
// enough.
func (r *room) seats() map[string][]Seat {
	seats := make(map[string][]Seat)
	for _, m := range r.members {
		if !m.left {
			seats[m.Node] = append(seats[m.Node], m.Seat)
		}
	}
	return seats
}

// saveSoon saves unless that is being done, or has failed a moment ago: what is
// left then is found by a later tick.
func (r *room) saveSoon(c *service.Context) {
	if r.busy {
		return
	}
	r.busy = true
	c.Fork(func(c *service.Context) {
		defer func() { r.busy = false }()
		if err := r.save(c); err != nil {
			c.Logf("room %s: save: %v", r.name, err)
			_ = c.Sleep(silence)
		}
	})
}

// save has center keep everyone who has changed. What fails is tried again.
func (r *room) save(c *service.Context) error {
	return r.saving.Do(c, func() error {
		players, changed := r.unsaved()
		if len(players) == 0 {
			return nil
		}
		for _, m := range changed {
			m.dirty = false
		}
		if _, err := cluster.Call(c, "center", "@center", "SAVE", players); err != nil {
			for _, m := range changed {
				m.dirty = true
			}
			return err
		}
		for i, m := range changed {
			m.saved = players[i].Score
			if m.left && !m.dirty {
				delete(r.members, m.name)
				delete(r.arena.players, m.name)
			}
		}
		return nil
	})
}

// unsaved returns who has changed.
func (r *room) unsaved() (players []Player, changed []*member) {
	for _, m := range r.members {
		if m.dirty {
			players = append(players, Player{Name: m.name, Score: m.score, N: m.n, X: m.x, Y: m.y})
			changed = append(changed, m)
		}
	}
	return players, changed
}

// close saves everyone when the node stops, and tells the agents to go elsewhere:
// nothing of what a player was told is lost. Without a center this node keeps it.
func (r *room) close(c *service.Context) {
	r.closing = true // nothing is told any more
	for _, m := range r.members {
		m.dirty = true
	}
	safe := false
	defer func() { // when the time for it is over, too
		if !safe {
			c.Logf("room %s ends, nobody has the last moves of %s", r.name, strings.Join(slices.Sorted(maps.Keys(r.members)), ", "))
		}
	}()
	if err := r.save(c); err != nil {
		c.Logf("room %s: save: %v", r.name, err)
		players, _ := r.unsaved()
		if _, err := c.Call(r.keeper, "KEEP", players); err != nil {
			c.Logf("room %s: keep: %v", r.name, err)
			return
		}
		c.Logf("room %s: kept in %s until the node starts again", r.name, c.Getenv("data"))
	}
	safe = true
	r.tell(c, nil)
}
