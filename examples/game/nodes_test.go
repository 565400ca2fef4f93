package main

import (
	"path/filepath"
	"testing"

	"github.com/skynetgo/skynet/examples/game/internal/nodes"
	"github.com/skynetgo/skynet/examples/game/internal/robot"
)

// progress waits until every robot was told of new moves, and together they have
// more points than now.
func progress(t *testing.T, robots []*robot.Robot) {
	t.Helper()
	points := func() (sum int) {
		for _, r := range robots {
			sum += r.Spot().Score
		}
		return sum
	}
	was := points()
	moves := make([]int, len(robots))
	for i, r := range robots {
		moves[i] = r.Spot().N
	}
	for i, r := range robots {
		eventually(t, r.Name+" moves", func() bool { return r.Spot().N > moves[i]+2 })
	}
	eventually(t, "robots score", func() bool { return points() > was })
}

// kept stops what runs and checks that nothing is older than what the robots were told last.
func (g *game) kept(t *testing.T, robots []*robot.Robot) {
	t.Helper()
	if err := g.StopAll(); err != nil {
		t.Fatal(err)
	}
	s, err := openBolt(filepath.Join(g.dir, "bin", "game.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	for _, r := range robots {
		told := r.Spot()
		p, err := s.load(r.Name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Score < told.Score || p.N < told.N || told.N == 0 {
			t.Errorf("%s was told of %d points and move %d, and has %d and %d", r.Name, told.Score, told.N, p.Score, p.N)
		}
	}
}

// A room node dies and comes back, then the other one does: players go on where
// rooms are, with all their points.
func TestRoomDies(t *testing.T) {
	g := startGame(t)
	robots, stats, stop := g.robots(t, 8, "ruby")
	progress(t, robots)
	for _, name := range []string{"room1", "room2"} {
		g.Kill(name)
		progress(t, robots)
		if err := g.Start(name); err != nil {
			t.Fatal(err)
		}
	}
	if sum := stats.Summary(); sum.Lost > 0 || len(sum.Errors) > 0 || sum.Playing != len(robots) {
		t.Errorf("%+v", sum)
	}
	stop()
	g.kept(t, robots)
}

// The center dies while people play: no point is told that it has not, and play
// goes on when it is back.
func TestCenterDies(t *testing.T) {
	g := startGame(t)
	robots, stats, stop := g.robots(t, 4, "amber")
	progress(t, robots)
	g.Kill("center")
	if err := g.Start("center"); err != nil {
		t.Fatal(err)
	}
	progress(t, robots)
	if sum := stats.Summary(); sum.Lost > 0 || len(sum.Errors) > 0 {
		t.Errorf("%+v", sum)
	}
	stop()
	g.kept(t, robots)
}

// A node that ends by SIGTERM while robots play leaves nothing unsaved that they
// were told.
func TestStopUnderLoad(t *testing.T) {
	t.Run("room", func(t *testing.T) {
		g := startGame(t)
		g.Kill("room2") // nobody else shall save them
		robots, _, stop := g.robots(t, 20, "ruby")
		progress(t, robots)
		if err := g.Stop("room1"); err != nil {
			t.Error(err)
		}
		g.Kill("gate")
		stop()
		g.kept(t, robots)
	})
	t.Run("gate", func(t *testing.T) {
		g := startGame(t)
		robots, _, stop := g.robots(t, 20, "ruby")
		progress(t, robots)
		if err := g.Stop("gate"); err != nil {
			t.Error(err)
		}
		g.Kill("room1")
		g.Kill("room2")
		stop()
		g.kept(t, robots)
	})
	t.Run("all", func(t *testing.T) {
		g := startGame(t)
		robots, _, stop := g.robots(t, 20, "ruby")
		progress(t, robots)
		if err := g.StopAll(); err != nil {
			t.Error(err)
		}
		stop()
		g.kept(t, robots)
	})
	t.Run("at once", func(t *testing.T) {
		g := startGame(t)
		robots, _, stop := g.robots(t, 20, "ruby")
		progress(t, robots)
		if err := g.Stop(nodes.Names...); err != nil {
			t.Error(err)
		}
		stop()
		for _, name := range []string{"center", "room1", "room2"} { // which have kept what they could not save
			if err := g.Start(name); err != nil {
				t.Fatal(err)
			}
		}
		g.kept(t, robots)
	})
}

// A connection is lost: the session goes on.
func TestReconnect(t *testing.T) {
	g := startGame(t)
	robots, stats, _ := g.robots(t, 3, "emerald")
	progress(t, robots)
	for _, r := range robots {
		r.Drop()
	}
	progress(t, robots)
	if sum := stats.Summary(); sum.Lost > 0 || sum.Back != len(robots) {
		t.Errorf("%+v", sum)
	}
}
