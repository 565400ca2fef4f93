package cluster_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// The tests of docs/ordering.md.

// notes returns what "note" was called with, as the server's service saw it.
func notes(c *service.Context, addr any) ([]int, error) {
	list, err := cluster.Call(c, "srv", addr, "notes")
	got := make([]int, len(list))
	for i := range list {
		if got[i], err = lualike.As[int](list[i]); err != nil {
			break
		}
	}
	return got, err
}

func increasing(list []int) error {
	for i := 1; i < len(list); i++ {
		if list[i] <= list[i-1] {
			return fmt.Errorf("%d comes after %d: %v", list[i], list[i-1], list)
		}
	}
	return nil
}

// sendNotes sends the numbers from lo on below hi.
func sendNotes(c *service.Context, addr any, lo, hi int) error {
	for i := lo; i < hi; i++ {
		if err := cluster.Send(c, "srv", addr, "note", i); err != nil {
			return err
		}
	}
	return nil
}

func TestOrderWhileTheNodeIsUnknown(t *testing.T) {
	_, addr, _ := server(t)
	n := client(t, nil)
	n.Run(func(c *service.Context) error {
		if err := sendNotes(c, ".sdb", 0, 50); err != nil {
			return err
		}
		c.Fork(func(c *service.Context) { _ = cluster.Reload(c, cluster.Table{"srv": addr}) })
		if _, err := cluster.Call(c, "srv", ".sdb", "note", 50); err != nil {
			return err
		}
		if err := sendNotes(c, ".sdb", 51, 100); err != nil {
			return err
		}
		got, err := notes(c, ".sdb")
		if err == nil && len(got) != 100 {
			err = fmt.Errorf("%d of 100 came", len(got))
		}
		if err != nil {
			return err
		}
		return increasing(got)
	})
}

func TestOrderWhileTheNameIsLookedUp(t *testing.T) {
	_, addr, _ := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		if err := sendNotes(c, "@sdb", 0, 100); err != nil {
			return err
		}
		got, err := notes(c, "@sdb")
		if err == nil && len(got) != 100 {
			err = fmt.Errorf("%d of 100 came", len(got))
		}
		if err != nil {
			return err
		}
		return increasing(got)
	})
}

// Large messages keep their order, small ones theirs.
func TestOrderOfSmallAndLarge(t *testing.T) {
	const first = 1000 // the number of the first large one
	_, addr, _ := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		for i := range 30 {
			for _, args := range [][]any{{"note", first + i, strings.Repeat("x", 100_000)}, {"note", i}} {
				if err := cluster.Send(c, "srv", ".sdb", args...); err != nil {
					return err
				}
			}
		}
		var small, large []int
		for len(small)+len(large) < 60 {
			list, err := cluster.Call(c, "srv", ".sdb", "takenotes")
			if err != nil {
				return err
			}
			for _, v := range list {
				i, err := lualike.As[int](v)
				switch {
				case err != nil: // the text of a large one
				case i >= first:
					large = append(large, i)
				default:
					small = append(small, i)
				}
			}
		}
		if err := increasing(small); err != nil {
			return err
		}
		return increasing(large)
	})
}

func TestOrderOfAnswers(t *testing.T) {
	_, addr, _ := server(t)
	n := client(t, cluster.Table{"srv": addr})
	r := new(nodetest.Recorder)
	done := make(chan error, 1)
	n.Run(func(c *service.Context) error {
		c.Fork(func(c *service.Context) {
			_, err := cluster.Call(c, "srv", ".sdb", "hold")
			r.Add("the first")
			done <- err
		})
		if err := c.Yield(); err != nil {
			return err
		}
		if _, err := cluster.Call(c, "srv", ".sdb", "echo"); err != nil {
			return err
		}
		r.Add("the second")
		return cluster.Send(c, "srv", ".sdb", "release")
	})
	if err := <-done; err != nil {
		t.Error(err)
	}
	r.Expect(t, "the second", "the first")
}

// When the connection is lost nothing is sent again, so nothing arrives twice;
// what each connection has carried is in order.
func TestOrderAfterAReconnect(t *testing.T) {
	srv, addr, _ := server(t)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error { return sendNotes(c, ".sdb", 0, 100) })
	srv.Run(func(c *service.Context) error {
		for _, s := range socket.Info(srv.Node) {
			if s.Type == socket.TypeTCP {
				_ = socket.Shutdown(c, s.FD)
			}
		}
		return nil
	})
	eventually(t, "connected again", func() (ok bool) {
		n.Run(func(c *service.Context) error {
			_, err := cluster.Call(c, "srv", ".sdb", "echo")
			ok = err == nil && cluster.LinkTo(n.Node, "srv").Status().State == cluster.LinkUp
			return nil
		})
		return ok
	})
	n.Run(func(c *service.Context) error {
		if err := sendNotes(c, ".sdb", 100, 200); err != nil {
			return err
		}
		got, err := notes(c, ".sdb")
		if err != nil {
			return err
		}
		seen := make(map[int]bool)
		var before, after []int
		for _, i := range got {
			if seen[i] {
				return fmt.Errorf("%d came twice", i)
			}
			seen[i] = true
			if i < 100 {
				before = append(before, i)
			} else {
				after = append(after, i)
			}
		}
		if len(after) != 100 {
			return fmt.Errorf("%d of the 100 sent on the new connection came", len(after))
		}
		if err := increasing(before); err != nil {
			return err
		}
		return increasing(after)
	})
}

// Large answers keep their order, however long it takes to join the first.
func TestOrderOfLargeAnswers(t *testing.T) {
	large := []int{8 << 20, 40_000}
	peer := fakePeer(t, func(conn net.Conn) {
		var sessions []uint32
		for range large {
			frame, err := readFrame(conn)
			if err != nil {
				return
			}
			r, err := wire.ParseRequest(frame[2:])
			if err != nil {
				t.Error(err)
				return
			}
			sessions = append(sessions, r.Session)
		}
		for i, session := range sessions {
			packed, err := lualike.Pack(strings.Repeat("x", large[i]))
			if err != nil {
				t.Error(err)
				return
			}
			frame, parts := wire.AppendResponse(nil, session, true, packed)
			for i := range parts {
				frame = wire.AppendResponsePart(frame, session, packed, i)
			}
			if _, err := conn.Write(frame); err != nil {
				return
			}
		}
		_, _ = readFrame(conn)
	})
	n := client(t, cluster.Table{"srv": peer})
	r := new(nodetest.Recorder)
	done := make(chan error, len(large))
	n.Run(func(c *service.Context) error {
		for range large {
			c.Fork(func(c *service.Context) {
				got, err := cluster.CallAs[string](c, "srv", "@sdb", "get")
				r.Addf("%d", len(got))
				done <- err
			})
		}
		return nil
	})
	for range large {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	r.Expect(t, fmt.Sprint(large[0]), fmt.Sprint(large[1]))
}
