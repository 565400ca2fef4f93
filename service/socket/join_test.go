package socket_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Small frames that have come together are one message, others one each, all in
// order. A panic costs one frame. A bundle counts for the window as one.
func TestJoin(t *testing.T) {
	n, _ := newNode(t, func(cfg *actor.Config) { cfg.Isolate = nil })
	s := newServer(t, n)
	cl, fd := s.client()
	long := strings.Repeat("x", 300)
	out := append(append(letters(6), packet(long)...), letters(2)...)
	cl.send(out)
	eventually(t, func() bool { return stat(n, fd).Read == uint64(len(out)) })
	got := make(chan string, 100)
	s.do(func(c *service.Context) error {
		c.Dispatch(service.PTypeClient, func(c *service.Context, m service.Message) {
			cost := socket.FrameCost
			switch d := m.Data.(type) {
			case []byte:
				got <- string(d)
				cost += len(d)
			case *socket.Bundle:
				got <- "bundle"
				cost = d.Cost()
				d.Each(c, func(_ *service.Context, frame []byte) {
					got <- string(frame)
					if string(frame) == "c" {
						panic("c")
					}
				})
			}
			c.Fork(func(c *service.Context) {
				if err := socket.Handled(c, fd, cost); err != nil {
					t.Error(err)
				}
				got <- fmt.Sprint(cost - socket.FrameCost) // after this the client may close
			})
		})
		if err := socket.Window(c, fd, 1); err != nil {
			return err
		}
		if err := socket.Join(c, fd); err != nil {
			return err
		}
		return socket.Forward(c, fd, c.Self(), service.PTypeClient, 0)
	})
	// The window waits for what the handler of the first bundle did not get to say.
	for _, want := range []string{"bundle", "a", "b", "c", "d", "e", "f"} {
		if text := receive(t, got); text != want {
			t.Fatalf("got %q, want %q", text, want)
		}
	}
	s.do(func(c *service.Context) error {
		if len(got) > 0 {
			t.Errorf("%q came through a full window", <-got)
		}
		return socket.Handled(c, fd, len(letters(6))+socket.FrameCost)
	})
	for _, want := range []string{long, "300", "bundle", "a", "b", "6"} {
		if text := receive(t, got); text != want {
			t.Fatalf("got %q, want %q", text, want)
		}
	}
	cl.close()
	s.want("close", fd, "")
}
