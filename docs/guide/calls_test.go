// Package guide_test compiles and runs what the pages of the guide show.
package guide_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// errNoGold is for callers that want to know this error from others.
var errNoGold = errors.New("not enough gold")

type purse struct{ gold int }

func (p *purse) pay(_ *service.Context, n int) (int, error) {
	if n < 0 {
		return 0, service.Errorf("can't pay %d", n) // this text may go to other nodes
	}
	if n > p.gold {
		return 0, errNoGold // in this node errors.Is knows it; other nodes see "call failed"
	}
	p.gold -= n
	return p.gold, nil
}

// buy tells what a call may end with.
func buy(c *service.Context, purse service.Handle, price int) error {
	left, err := service.Call[int](c.WithTimeout(3*time.Second), purse, "PAY", price)
	switch {
	case err == nil:
		c.Logf("%d gold left", left)
		return nil
	case errors.Is(err, errNoGold):
		return fmt.Errorf("show the shop of better prices: %w", err)
	case errors.Is(err, service.ErrTimeout):
		return fmt.Errorf("nobody knows whether it was paid: %w", err)
	default:
		return err
	}
}

func TestErrors(t *testing.T) {
	def := service.Def("purse", func(c *service.Context, _ ...any) error {
		p := &purse{gold: 10}
		c.Handle("PAY", service.F1(p.pay))
		return nil
	})
	n := nodetest.Start(t, nodetest.Services(def))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("purse")
		if err != nil {
			return err
		}
		if err := buy(c, h, 7); err != nil {
			return err
		}
		if err := buy(c, h, 7); !errors.Is(err, errNoGold) || !errors.Is(err, service.ErrCallFailed) {
			return fmt.Errorf("got %v", err)
		}
		if err := buy(c, h, -1); !errors.Is(err, service.ErrCallFailed) || errors.Is(err, errNoGold) {
			return fmt.Errorf("got %v", err)
		}
		if err := c.Kill(h); err != nil {
			return err
		}
		if err := buy(c, h, 1); !errors.Is(err, service.ErrNoService) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
	n.Log.Wait(t, "3 gold left")
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t)
		slow := n.Probe("purse")
		slow.Answer("PAY", func(c *service.Context, _ lualike.Args) (lualike.Args, error) { return nil, c.Sleep(time.Hour) })
		n.Run(func(c *service.Context) error {
			if err := buy(c, slow.Handle(), 1); !errors.Is(err, service.ErrTimeout) {
				return fmt.Errorf("got %v", err)
			}
			return nil
		})
	})
}

// order tells in which order coroutines of a service run.
func order(c *service.Context, say func(string)) error {
	c.Fork(func(*service.Context) { say("third: the fork") })
	c.Timeout(time.Second, func(c *service.Context) {
		say("fifth: the timer")
		c.Wakeup("done")
	})
	say("first: whoever runs goes on")
	say("second: until it blocks")
	if err := c.Yield(); err != nil {
		return err
	}
	say("fourth: what was ready has run")
	return c.Wait("done")
}

func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t)
		var r nodetest.Recorder
		n.Run(func(c *service.Context) error { return order(c, func(text string) { r.Add(text) }) })
		r.Expect(t, "first: whoever runs goes on", "second: until it blocks", "third: the fork",
			"fourth: what was ready has run", "fifth: the timer")
	})
}

// profile is loaded once, however many want it at the same time.
type profile struct {
	queue service.Queue
	name  string
}

type profiles struct {
	all   map[string]*profile
	fetch func(ctx context.Context, id string) (string, error) // a database, a file, HTTP
}

func (s *profiles) get(c *service.Context, id string) (string, error) {
	p := s.all[id]
	if p == nil {
		p = &profile{}
		s.all[id] = p
	}
	err := p.queue.Do(c, func() error { // one coroutine at a time, in order
		if p.name != "" {
			return nil
		}
		name, err := service.Await(c, func(ctx context.Context) (string, error) {
			return s.fetch(ctx, id) // on another goroutine: must not touch the service's state
		})
		p.name = name
		return err
	})
	return p.name, err
}

func TestProfiles(t *testing.T) {
	fetched := make(chan string, 10)
	s := &profiles{all: map[string]*profile{}, fetch: func(_ context.Context, id string) (string, error) {
		fetched <- id
		return "name of " + id, nil
	}}
	n := nodetest.Start(t)
	n.Run(func(c *service.Context) error {
		var got []string
		for _, id := range []string{"7", "7", "8"} {
			c.Fork(func(c *service.Context) {
				name, err := s.get(c, id)
				if err != nil {
					c.Error(err)
				}
				got = append(got, name)
				c.Wakeup(&got)
			})
		}
		for len(got) < 3 {
			if err := c.Wait(&got); err != nil {
				return err
			}
		}
		if slices.Sort(got); !slices.Equal(got, []string{"name of 7", "name of 7", "name of 8"}) || len(fetched) != 2 {
			return fmt.Errorf("got %v with %d fetches", got, len(fetched))
		}
		return nil
	})
}

// mailer writes letters in the background.
type mailer struct {
	letters []string
	write   func(c *service.Context, letter string) error
}

func startMailer(c *service.Context, m *mailer) {
	c.Handle("POST", service.P1(func(c *service.Context, letter string) error {
		m.letters = append(m.letters, letter)
		c.Wakeup(m) // does not matter when nobody waits
		return nil
	}))
	c.Fork(m.run)
}

func (m *mailer) run(c *service.Context) {
	for {
		for len(m.letters) > 0 {
			letter := m.letters[0]
			m.letters = m.letters[1:]
			if err := m.write(c, letter); err != nil {
				c.Error(err)
			}
		}
		if err := c.Wait(m); err != nil {
			return
		}
	}
}

func TestMailer(t *testing.T) {
	var r nodetest.Recorder
	m := &mailer{write: func(c *service.Context, letter string) error {
		r.Add(letter)
		return c.Yield()
	}}
	n := nodetest.Start(t, nodetest.Services(service.Def("mailer", func(c *service.Context, _ ...any) error {
		startMailer(c, m)
		return nil
	})))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("mailer")
		if err != nil {
			return err
		}
		for _, letter := range []string{"a", "b"} {
			if _, err := c.Call(h, "POST", letter); err != nil {
				return err
			}
		}
		return nil
	})
	n.WaitIdle()
	r.Expect(t, "a", "b")
}

// match collects players until there are enough; only then they get an answer.
type match struct {
	size    int
	waiting []*service.Response
}

func (m *match) find(c *service.Context) error {
	m.waiting = append(m.waiting, c.Response()) // what the function returns is no answer then
	if len(m.waiting) < m.size {
		return nil
	}
	for i, player := range m.waiting {
		if _, err := player.Ret("red room", i+1); err != nil {
			c.Error(err)
		}
	}
	m.waiting = nil
	return nil
}

// scores asks all rooms at once; a room that does not answer is left out.
func scores(c *service.Context, rooms []service.Handle) int64 {
	var requests []service.Request
	for _, room := range rooms {
		requests = append(requests, service.Req(room, "SCORE"))
	}
	var sum int64
	for reply := range c.Select(requests...) {
		if reply.Err != nil {
			c.Error(rooms[reply.Index], reply.Err)
			continue
		}
		score, _ := reply.Values.At(0).(int64)
		sum += score
	}
	return sum
}

func TestMatchAndScores(t *testing.T) {
	def := service.Def("match", func(c *service.Context, _ ...any) error {
		m := &match{size: 2}
		c.Handle("FIND", service.P0(m.find))
		return nil
	})
	n := nodetest.Start(t, nodetest.Services(def))
	red, blue := n.Probe("red"), n.Probe("blue")
	red.Return("SCORE", 4)
	blue.Return("SCORE", 5)
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("match")
		if err != nil {
			return err
		}
		var got []any
		for r := range c.Select(service.Req(h, "FIND"), service.Req(h, "FIND")) {
			got = append(got, r.Values.At(0), r.Values.At(1), r.Err)
		}
		if want := []any{"red room", int64(1), nil, "red room", int64(2), nil}; !slices.Equal(got, want) {
			return fmt.Errorf("got %v", got)
		}
		gone := service.Handle(0xffff)
		if sum := scores(c, []service.Handle{red.Handle(), gone, blue.Handle()}); sum != 9 {
			return fmt.Errorf("sum %d", sum)
		}
		return nil
	})
}

// ledger begins with a request when it has ended the one before, whatever its
// handlers wait for; and a thousand may wait.
var ledger = service.Def("ledger", startLedger, service.Serial, service.Mailbox(1000))

func startLedger(c *service.Context, _ ...any) error {
	sum := 0
	c.Handle("ADD", service.F1(func(c *service.Context, n int) (int, error) {
		was := sum
		if err := c.Sleep(time.Millisecond); err != nil {
			return 0, err
		}
		sum = was + n // nobody else has added meanwhile
		return sum, nil
	}))
	return nil
}

func TestLedger(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(ledger))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("ledger")
		if err != nil {
			return err
		}
		var got []any
		for r := range c.Select(service.Req(h, "ADD", 1), service.Req(h, "ADD", 2)) {
			got = append(got, r.Values.At(0))
		}
		if !slices.Equal(got, []any{int64(1), int64(3)}) {
			return fmt.Errorf("got %v", got)
		}
		return nil
	})
}
