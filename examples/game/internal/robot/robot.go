// Package robot plays the game.
package robot

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/skynetgo/skynet/examples/game/message"
	"github.com/skynetgo/skynet/services/login"
)

// again is how long a robot waits before it tries once more to get in.
const again = 200 * time.Millisecond

// Robot is a player that runs after gems.
type Robot struct {
	Name  string
	Kind  string        // of room
	Pace  time.Duration // between moves
	Stats *Stats

	mu     sync.Mutex
	cl     *login.Client
	room   message.Room
	spot   message.Spot // as it was told last
	aim    message.Move
	target message.Gem
	sent   map[int]time.Time // moves that nobody has confirmed
	seen   time.Time         // when the world was
}

// Play plays until ctx ends. addrs are those of the login nodes.
func (r *Robot) Play(ctx context.Context, addrs ...string) {
	r.sent = make(map[int]time.Time)
	playing, stop := context.WithCancel(ctx)
	var mover sync.WaitGroup
	mover.Go(func() { r.steer(playing) })
	defer mover.Wait()
	defer stop()
	for n := rand.N(len(addrs)); ctx.Err() == nil; n++ {
		if err := r.connect(ctx, addrs[n%len(addrs)]); err != nil {
			r.Stats.failed(ctx, err)
			pause(ctx, again)
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = r.cl.Close() })
		r.Stats.playing(1)
		r.Stats.failed(ctx, r.listen())
		r.Stats.playing(-1)
		stop()
		_ = r.cl.Close()
	}
}

// connect goes on with the session, or begins one.
func (r *Robot) connect(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cl != nil {
		if _, err := r.cl.Resume(ctx); err == nil {
			r.Stats.back()
			return nil
		}
		r.cl = nil
	}
	cl, err := login.Dial(ctx, addr, []byte(r.Name))
	if err != nil {
		return err
	}
	r.cl = cl
	return r.sendLocked(&message.Request{Enter: r.Kind})
}

// Drop loses the connection.
func (r *Robot) Drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.cl.Close()
}

// Say says something to the room.
func (r *Robot) Say(text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sendLocked(&message.Request{Say: text})
}

// Spot is what the robot was told of itself last.
func (r *Robot) Spot() message.Spot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spot
}

func (r *Robot) sendLocked(m *message.Request) error {
	packet, err := m.MarshalMsg(nil)
	if err != nil {
		return err
	}
	return r.cl.Send(packet)
}

// listen reads until the connection ends.
func (r *Robot) listen() error {
	for {
		packet, err := r.cl.Receive()
		if err != nil {
			return err
		}
		u := message.Update{}
		if _, err := u.UnmarshalMsg(packet); err != nil {
			return err
		}
		if u.Error != "" {
			return fmt.Errorf("robot: the game says %s", u.Error)
		}
		if u.Chat != nil {
			r.Stats.chat(*u.Chat)
		}
		r.see(&u)
	}
}

func (r *Robot) see(u *message.Update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if u.Room != nil {
		r.room = *u.Room
		r.aim.N = max(r.aim.N, u.Room.N)
	}
	if u.World == nil {
		return
	}
	for _, spot := range u.World.Players {
		if spot.Name == r.Name {
			r.told(spot, now)
			r.chase(u.World.Gems) // of which there are some always
		}
	}
}

// told takes what the world says of the robot.
func (r *Robot) told(spot message.Spot, now time.Time) {
	if spot.Score < r.spot.Score {
		r.Stats.lost(r.spot.Score - spot.Score)
	}
	for n, at := range r.sent {
		if n <= spot.N {
			r.Stats.moved(now.Sub(at))
			delete(r.sent, n)
		}
	}
	if !r.seen.IsZero() {
		r.Stats.pause(now.Sub(r.seen))
	}
	r.spot, r.seen = spot, now
}

// chase aims at one of the nearest gems until that is gone: not all robots shall
// run after the same.
func (r *Robot) chase(gems []message.Gem) {
	if !slices.Contains(gems, r.target) {
		slices.SortFunc(gems, func(a, b message.Gem) int { return r.distance(a) - r.distance(b) })
		r.target = gems[rand.N(min(4, len(gems)))]
	}
	r.aim.X, r.aim.Y = r.target.X-r.spot.X, r.target.Y-r.spot.Y
}

func (r *Robot) distance(g message.Gem) int {
	x, y := g.X-r.spot.X, g.Y-r.spot.Y
	return x*x + y*y
}

// steer moves, at the robot's pace.
func (r *Robot) steer(ctx context.Context) {
	for pause(ctx, r.Pace/2+rand.N(r.Pace)) {
		r.mu.Lock()
		if r.cl != nil && r.room.Name != "" {
			r.aim.N++
			m := r.aim
			r.sent[m.N] = time.Now()
			_ = r.sendLocked(&message.Request{Move: &m}) // the reader hears of it
		}
		r.mu.Unlock()
	}
}

// pause waits for d; false when ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Deaf logs in, enters a room and does not read what comes, until ctx ends; it
// says whether it was kicked before.
func Deaf(ctx context.Context, addr, name, kind string) (kicked bool, err error) {
	cl, err := login.Dial(ctx, addr, []byte(name))
	if err != nil {
		return false, err
	}
	defer func() { _ = cl.Close() }()
	packet, err := (&message.Request{Enter: kind}).MarshalMsg(nil)
	if err == nil {
		err = cl.Send(packet)
	}
	if err != nil {
		return false, err
	}
	<-ctx.Done()
	if err := cl.SetDeadline(time.Now().Add(again)); err != nil {
		return false, err
	}
	for err == nil { // what it has missed
		_, err = cl.Receive()
	}
	return !errors.Is(err, os.ErrDeadlineExceeded), nil
}
