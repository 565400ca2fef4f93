// Command hello is a service and a caller of it.
package main

import (
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/service"
)

type counter struct{ hits map[string]int } // one coroutine at a time: no lock

func (s *counter) hit(_ *service.Context, name string) (int, error) {
	s.hits[name]++
	return s.hits[name], nil
}

func startCounter(c *service.Context, _ ...any) error {
	s := &counter{hits: map[string]int{}}
	c.Handle("HIT", service.F1(s.hit))
	return nil
}

func start(c *service.Context, _ ...any) error {
	h, err := c.UniqueService("counter") // started by the first who asks
	if err != nil {
		return err
	}
	for _, name := range []string{"alice", "bob", "alice"} {
		n, err := service.Call[int](c, h, "HIT", name) // parks this coroutine, not the service
		if err != nil {
			return err
		}
		c.Logf("%s %d", name, n) // to the log
	}
	c.Abort() // stops the node
	return nil
}

func main() { bootstrap.Main(service.Def("counter", startCounter), service.Def("main", start)) }
