package main

import (
	"github.com/skynetgo/skynet/service"
)

func launchRows() []row {
	return []row{
		{name: "newservice", unit: timeOf("us", 1000), sides: []side{
			{"", newServices}, {"raw", rawServices}, {"skynet", onSkynet("newservice")},
		}, goals: []goal{
			atMost("newservice", 4), atMost("newservice_memory", 700), atMost("newservice_vs_skynet", 1),
		}},
		{name: "uniqueservice", unit: perSecond("lookups"), sides: []side{
			{"", lookups(func(c *service.Context) (service.Handle, error) { return c.UniqueService("peer") })},
			{"skynet", onSkynet("uniqueservice")},
		}, goals: []goal{atLeast("uniqueservice", 1.5e6), atLeast("uniqueservice_vs_skynet", 1)}},
		{name: "localname", unit: perSecond("lookups"), sides: []side{
			{"", lookups(func(c *service.Context) (service.Handle, error) { return c.LocalName(".peer"), nil })},
			{"skynet", onSkynet("localname")},
		}, goals: []goal{atLeast("localname", 20e6), atLeast("localname_vs_skynet", 1)}},
	}
}

// newServices starts services and counts what each takes when it has nothing to
// do; then they end.
func newServices(e *env) (work, error) {
	n, err := startNode(e, "", service.Def("idle", func(*service.Context, ...any) error { return nil },
		service.Commands{"GET": service.F0(func(*service.Context) (int, error) { return 1, nil })}))
	return work{do: func(m *meter, ops int) error {
		return in(n, func(c *service.Context) error {
			handles := make([]service.Handle, ops)
			before := inUse()
			m.start()
			for i := range handles {
				var err error
				if handles[i], err = c.NewService("idle"); err != nil {
					return err
				}
			}
			m.stop(ops)
			m.note("memory", "bytes", (inUse()-before)/float64(ops))
			for _, h := range handles {
				if err := c.Kill(h); err != nil {
					return err
				}
			}
			return nil
		})
	}}, err
}

// rawServices starts goroutines that say they are there and wait on a channel.
func rawServices(*env) (work, error) {
	return work{do: func(m *meter, ops int) error {
		mailboxes := make([]chan *ball, ops)
		before := inUse()
		m.start()
		for i := range mailboxes {
			mailbox, ready := make(chan *ball, 1), make(chan struct{})
			go func() {
				close(ready)
				for b := range mailbox {
					b.n++
				}
			}()
			<-ready
			mailboxes[i] = mailbox
		}
		m.stop(ops)
		m.note("memory", "bytes", (inUse()-before)/float64(ops))
		for _, mailbox := range mailboxes {
			close(mailbox)
		}
		return nil
	}}, nil
}

func lookups(look func(c *service.Context) (service.Handle, error)) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		n, err := startNode(e, "", peerDefinition)
		if err != nil {
			return work{}, err
		}
		err = in(n, func(c *service.Context) error {
			h, err := c.UniqueService("peer")
			if err != nil {
				return err
			}
			return c.Name(".peer", h)
		})
		return work{do: func(m *meter, ops int) error {
			return in(n, func(c *service.Context) error {
				m.start()
				for range ops {
					if h, err := look(c); err != nil || h == 0 {
						return err
					}
				}
				m.stop(ops)
				return nil
			})
		}}, err
	}
}
