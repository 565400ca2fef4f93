package gate_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// BenchmarkEcho is packets from a client to an agent and back, some at a time.
func BenchmarkEcho(b *testing.B) {
	for _, window := range []int{1, 16} {
		b.Run(fmt.Sprint(window), func(b *testing.B) { benchmarkEcho(b, window) })
	}
}

func benchmarkEcho(b *testing.B, window int) {
	w := newWorld(b, func(cfg *actor.Config) { cfg.Isolate, cfg.Pool = nil, nil })
	service.Install(w.node, service.Def("agent", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeClient, func(c *service.Context, m service.Message) {
			if err := gate.WriteNow(c, socket.FD(m.Session), m.Data.([]byte)); err != nil {
				b.Error(err)
			}
		})
		return nil
	}))
	agent, err := service.Launch(w.node, "agent")
	if err != nil {
		b.Fatal(err)
	}
	w.open(gate.OpenConfig{})
	cl := w.client(2)
	w.command(gate.CmdForward, 2, nil, agent)
	var out []byte
	for range window {
		out = append(out, "\x00\x40"+string(make([]byte, 64))...)
	}
	back := make([]byte, len(out))
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += window {
		if _, err := cl.Write(out); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(cl, back); err != nil {
			b.Fatal(err)
		}
	}
}
