package cluster_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

const (
	here  = "127.0.0.1:1"
	there = "127.0.0.1:2"
)

var errTest = errors.New("the reason")

// toState brings a new link into each state.
var toState = map[cluster.LinkState][]cluster.LinkEventKind{
	cluster.LinkUnknown:    {cluster.LinkMoved},
	cluster.LinkConnecting: {cluster.LinkMoved, cluster.LinkDialing},
	cluster.LinkUp:         {cluster.LinkMoved, cluster.LinkDialing, cluster.LinkOpened},
	cluster.LinkDown:       {cluster.LinkMoved, cluster.LinkDialing, cluster.LinkFailed},
	cluster.LinkClosed:     {cluster.LinkRemoved},
}

func linkIn(n *nodetest.Node, state cluster.LinkState, name string) *cluster.Link {
	l := cluster.LinkTo(n.Node, name)
	for _, kind := range toState[state] {
		l.Happened(kind, here, errTest, time.Second)
	}
	return l
}

func TestLinkTransitions(t *testing.T) {
	const no = cluster.LinkState(99)
	unknown, connecting, up, down, closed := cluster.LinkUnknown, cluster.LinkConnecting, cluster.LinkUp, cluster.LinkDown, cluster.LinkClosed
	n := nodetest.Start(t)
	for from, row := range map[cluster.LinkState][]cluster.LinkState{
		// moved, removed, dialing, opened, failed, lost
		unknown:    {unknown, closed, connecting, no, no, no},
		connecting: {unknown, closed, connecting, up, down, down},
		up:         {unknown, closed, no, no, down, down},
		down:       {unknown, closed, connecting, no, no, no},
		closed:     {unknown, no, no, no, no, no},
	} {
		for kind, to := range row {
			kind := cluster.LinkEventKind(kind)
			l := linkIn(n, from, fmt.Sprint(from, kind))
			change, counts := l.Happened(kind, here, errTest, time.Second)
			if counts != (to != no) || counts && (change.From != from || change.To != to) {
				t.Errorf("%v in state %v: %+v, %v; want %v", kind, from, change, counts, to)
			}
			if to == no {
				to = from
			}
			if got := l.Status().State; got != to {
				t.Errorf("%v in state %v: then %v, want %v", kind, from, got, to)
			}
		}
	}
}

// What the connection to an address that was left has to say does not count.
func TestLinkOfTheAddressBefore(t *testing.T) {
	n := nodetest.Start(t)
	l := linkIn(n, cluster.LinkUp, "srv")
	l.Happened(cluster.LinkMoved, there, nil, 0)
	for _, kind := range []cluster.LinkEventKind{cluster.LinkDialing, cluster.LinkOpened, cluster.LinkFailed, cluster.LinkLost} {
		if _, counts := l.Happened(kind, here, errTest, time.Second); counts {
			t.Errorf("%v counts", kind)
		}
	}
	if s := l.Status(); s.State != cluster.LinkUnknown || s.Addr != there {
		t.Errorf("%+v", s)
	}
}

func TestLinkBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t)
		l := linkIn(n, cluster.LinkUnknown, "srv")
		const backoff = time.Second
		fail := func() {
			l.Happened(cluster.LinkDialing, here, nil, backoff)
			l.Happened(cluster.LinkFailed, here, errTest, backoff)
		}
		for attempt, longest := range []time.Duration{0, 0, 50, 100, 200, 400, 800, 1000, 1000} {
			longest *= time.Millisecond
			fail()
			if longest == 0 {
				if err := l.Refused(); err != nil {
					t.Errorf("attempt %d: %v", attempt, err)
				}
				continue
			}
			time.Sleep(longest/2 - time.Millisecond) //nolint:forbidigo // in a bubble
			var down *cluster.DownError
			if err := l.Refused(); !errors.As(err, &down) || down.Left || !errors.Is(err, errTest) || !errors.Is(err, cluster.ErrNodeDown) {
				t.Errorf("attempt %d, after half the pause: %v", attempt, err)
			}
			time.Sleep(longest/2 + time.Millisecond) //nolint:forbidigo // in a bubble
			if err := l.Refused(); err != nil {
				t.Errorf("attempt %d, after the pause: %v", attempt, err)
			}
		}
		l.Happened(cluster.LinkDialing, here, nil, backoff)
		l.Happened(cluster.LinkOpened, here, nil, backoff)
		l.Happened(cluster.LinkLost, here, errTest, backoff)
		if err := l.Refused(); err != nil {
			t.Errorf("a connection that was good for something is made again at once: %v", err)
		}
		for range 3 {
			l.Happened(cluster.LinkDialing, here, nil, backoff)
			l.Happened(cluster.LinkOpened, here, nil, backoff)
			l.Happened(cluster.LinkFailed, here, errTest, backoff)
		}
		if err := l.Refused(); err == nil {
			t.Error("connections that end at once are made without a pause")
		}
	})
}

// 1,000 sends to a node that is down: an error for each once that is known, all
// are counted, and the log has few lines.
func TestSendsToADeadNode(t *testing.T) {
	addr := unused(t)
	n := client(t, cluster.Table{"srv": addr, "__backoff": 3600})
	l := cluster.LinkTo(n.Node, "srv")
	send := func(known bool) {
		n.Run(func(c *service.Context) error {
			for range 1000 {
				err := cluster.Send(c, "srv", "@sdb", "note")
				if err != nil && !errors.Is(err, cluster.ErrNodeDown) || known && err == nil {
					return fmt.Errorf("a send gave %v", err)
				}
			}
			return nil
		})
	}
	send(false)
	eventually(t, "those that waited are counted", func() bool { return l.Status().Dropped[cluster.DropDown] == 1000 })
	for range 12 { // then the pause is long
		l.Happened(cluster.LinkDialing, addr, nil, time.Hour)
		l.Happened(cluster.LinkFailed, addr, errTest, time.Hour)
	}
	send(true)
	if got := l.Status().Dropped[cluster.DropDown]; got != 2000 {
		t.Errorf("%d are counted", got)
	}
	n.WaitIdle()
	if lines := n.Log.Count(addr); lines >= 10 {
		t.Errorf("%d lines in the log", lines)
	}
}

func TestWatchLinks(t *testing.T) {
	srv, addr, _ := server(t)
	events := make(chan cluster.LinkEvent, 16)
	n := client(t, nil)
	n.Run(func(c *service.Context) error {
		cluster.WatchLinks(c, func(_ *service.Context, e cluster.LinkEvent) { events <- e })
		if err := cluster.Reload(c, cluster.Table{"srv": addr}); err != nil {
			return err
		}
		_, err := cluster.Call(c, "srv", "@sdb", "echo")
		return err
	})
	srv.Stop()
	expect := func(kinds ...cluster.LinkEventKind) (e cluster.LinkEvent) {
		t.Helper()
		for _, kind := range kinds {
			if e = <-events; e.Kind != kind || e.Node != "srv" {
				t.Fatalf("got %v of %s, want %v", e.Kind, e.Node, kind)
			}
		}
		return e
	}
	expect(cluster.LinkMoved, cluster.LinkDialing, cluster.LinkOpened)
	if e := expect(cluster.LinkLost); e.Err == nil || e.State != cluster.LinkDown || e.Addr != addr {
		t.Errorf("%+v", e)
	}
	n.Run(func(c *service.Context) error {
		if _, err := cluster.Call(c, "srv", "@sdb", "echo"); !errors.Is(err, cluster.ErrNodeDown) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
	if e := expect(cluster.LinkDialing); e.Err != nil {
		t.Errorf("an attempt begins with the reason of the last failure: %+v", e)
	}
	expect(cluster.LinkFailed)
	n.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": false}) })
	if e := expect(cluster.LinkRemoved); e.State != cluster.LinkClosed {
		t.Errorf("%+v", e)
	}
	if err := cluster.LinkTo(n.Node, "srv").Refused(); !errors.Is(err, cluster.ErrNodeDown) || !strings.Contains(err.Error(), "the node table says false") {
		t.Errorf("a node that is false: %v", err)
	}
}

func TestWatchLinksEnds(t *testing.T) {
	n := client(t, cluster.Table{"a": here})
	var told []string
	n.Run(func(c *service.Context) error {
		for _, name := range []string{"cancelled", "kept"} {
			stop := cluster.WatchLinks(c, func(*service.Context, cluster.LinkEvent) { told = append(told, name) })
			if name == "cancelled" {
				stop()
			}
		}
		return cluster.Reload(c, cluster.Table{"a": there})
	})
	n.WaitIdle()
	n.Run(func(*service.Context) error {
		if !slices.Equal(told, []string{"kept"}) {
			return fmt.Errorf("told %q", told)
		}
		return nil
	})
}
