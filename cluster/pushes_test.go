package cluster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// What a service sends one after the other goes to the sender together, while
// that has something else to do. What may depend on a message of somebody else
// comes after that.
func TestPushesAreGathered(t *testing.T) {
	var got []string
	holding, proceed, taken := make(chan struct{}), make(chan struct{}), make(chan struct{}, 100)
	recorder := service.Def("clustersender", func(c *service.Context, _ ...any) error {
		cluster.ChangeNodeCmd.Handle(c, func(*service.Context, cluster.NodeChange) (any, error) { return nil, nil })
		cluster.PushCmd.Handle(c, func(_ *service.Context, r cluster.Request) (any, error) {
			got = append(got, fmt.Sprintf("one of %d", r.Size()))
			return nil, nil
		})
		cluster.PushesCmd.Handle(c, func(_ *service.Context, p *cluster.Pushes) (any, error) {
			frames, count, size := p.Take()
			got = append(got, fmt.Sprint(count))
			taken <- struct{}{}
			if payload := 2; size != count*payload || len(frames) <= size {
				t.Errorf("%d messages: %d bytes, %d in frames", count, size, len(frames))
			}
			return nil, nil
		})
		cluster.ReqCmd.Handle(c, func(*service.Context, *cluster.Request) (service.Packed, error) {
			got = append(got, "call")
			return nil, nil
		})
		c.Handle("hold", service.P0(func(*service.Context) error { close(holding); <-proceed; return nil }))
		return c.Register(".recorder")
	})
	n := client(t, cluster.Table{"srv": "127.0.0.1:1", "__maxmessage": 1000}, nodetest.Isolate(false), nodetest.Services(recorder))
	n.Run(func(c *service.Context) error {
		send := func(n int, text string) (err error) {
			for range n {
				err = errors.Join(err, cluster.Send(c, "srv", "@sdb", text))
			}
			return err
		}
		call := func() error { _, err := cluster.Call(c, "srv", "@sdb"); return err }
		err := errors.Join(call(), send(1, "a"))
		<-taken
		err = errors.Join(err, send(1, "a"), c.Send(".recorder", "hold"))
		<-holding
		err = errors.Join(err, send(30, "a"), send(1, strings.Repeat("b", 1000)), send(20, "a"), c.Yield(), send(3, "a"))
		if _, late := cluster.Call(c.WithTimeout(time.Millisecond), "srv", "@sdb"); !errors.Is(late, service.ErrTimeout) {
			t.Error(late)
		}
		err = errors.Join(err, send(40_000, "a"))
		close(proceed)
		return errors.Join(err, call())
	})
	if text := fmt.Sprint(got); !strings.HasPrefix(text, "[call 1 1 30 one of 1003 20 3 call ") || len(got) > 9+40 {
		t.Errorf("%d messages came: %v", len(got), text)
	}
}

// Each push that is not sent counts, and each that is.
func TestPushesAreCounted(t *testing.T) {
	const sends, few = 1000, 50
	_, addr, _ := server(t)
	leaving, down, _ := server(t)
	n := client(t, cluster.Table{"srv": addr, "down": down, "__maxoutput": 1000, "__backoff": 0})
	n.Run(func(c *service.Context) error {
		if _, err := cluster.Call(c, "srv", "@sdb", "note", 0); err != nil {
			return err
		}
		if _, err := cluster.Call(c, "down", "@sdb", "note", 0); err != nil {
			return err
		}
		leaving.Stop()
		for cluster.Links(c.Node())[0].State != cluster.LinkDown {
			_ = c.Sleep(20 * time.Millisecond)
		}
		for i := range few {
			_ = cluster.Send(c, "down", "@sdb", "note", i)
		}
		for i := range sends {
			_ = cluster.Send(c, "srv", "@sdb", "note", i)
		}
		// What was refused may be tried again soon, and an attempt to connect takes its time.
		for down := uint64(0); down < few; {
			_ = c.Sleep(20 * time.Millisecond)
			dropped := cluster.Links(c.Node())[0].Dropped
			down = dropped[cluster.DropDown]
		}
		got, err := notes(c, "@sdb")
		links := cluster.Links(c.Node())
		if came := uint64(len(got) - 1); came+links[1].Dropped[cluster.DropOverload] != sends || links[1].Pushes != came {
			t.Errorf("%d of %d sends came: %+v", came, sends, links[1])
		}
		return err
	})
}
