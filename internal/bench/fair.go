package main

import (
	"sync/atomic"
	"time"

	"github.com/skynetgo/skynet/service"
)

func fairRows() []row {
	us := timeOf("us", time.Microsecond)
	return []row{
		{name: "fair_call", unit: us, sides: []side{
			{"", besides(spin)}, {"alone", besides(func(*service.Context, *atomic.Bool) {})}, {"skynet", onSkynet("fair_call")},
		}, goals: []goal{atMost("fair_call_p99", 100)}},
		{name: "fair_loop", unit: us, sides: []side{{"", besides(loop)}}},
	}
}

// spin is a handler that sends its own service the next message.
func spin(c *service.Context, end *atomic.Bool) {
	if !end.Load() {
		_ = c.RawSend(c.Self(), service.PTypeText, end) // a service can always send to itself
	}
}

// loop is a handler that does not come back while calls are made.
func loop(_ *service.Context, end *atomic.Bool) {
	for !end.Load() {
	}
}

// besides times calls between two services while a third has busy as its
// handler.
func besides(busy func(c *service.Context, end *atomic.Bool)) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		begun := new(atomic.Bool)
		n, err := startNode(e, "", peerDefinition, service.Def("busy", func(c *service.Context, _ ...any) error {
			c.Dispatch(service.PTypeText, func(c *service.Context, m service.Message) {
				begun.Store(true)
				busy(c, m.Data.(*atomic.Bool))
			})
			return nil
		}))
		if err != nil {
			return work{}, err
		}
		return work{do: func(m *meter, ops int) error {
			return in(n, func(c *service.Context) error {
				peer, err := c.UniqueService("peer")
				if err != nil {
					return err
				}
				other, err := c.UniqueService("busy")
				if err != nil {
					return err
				}
				end := new(atomic.Bool)
				defer end.Store(true)
				begun.Store(false)
				if err := c.RawSend(other, service.PTypeText, end); err != nil {
					return err
				}
				for !begun.Load() { // how many calls fit into the time depends on it
					if err := c.Yield(); err != nil {
						return err
					}
				}
				b := new(ball)
				m.start()
				for range ops {
					begin := time.Now()
					if err := typedCall(c, peer, b); err != nil {
						return err
					}
					m.laps = append(m.laps, time.Since(begin))
				}
				m.stop(ops)
				return nil
			})
		}}, nil
	}
}
