package clusteragent

import (
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// names are the registered names that this agent has asked clusterd for, until
// a change of names makes it forget them.
type names struct {
	known   map[string]service.Handle
	asking  map[string][]*int // who waits for the same question
	version int
}

func (n *names) reset() {
	n.known = make(map[string]service.Handle)
	n.asking = make(map[string][]*int)
	n.version++
}

// get returns the handle registered under name, 0 for none. It blocks while
// clusterd is asked; several callers share one question.
func (n *names) get(c *service.Context, clusterd service.Handle, name string) (service.Handle, error) {
	for {
		if h, ok := n.known[name]; ok {
			return h, nil
		}
		waiting, asked := n.asking[name]
		if !asked {
			return n.ask(c, clusterd, name)
		}
		token := new(int)
		n.asking[name] = append(waiting, token)
		if err := c.Wait(token); err != nil {
			return 0, err
		}
	}
}

func (n *names) ask(c *service.Context, clusterd service.Handle, name string) (service.Handle, error) {
	asking := n.asking
	asking[name] = nil
	version := n.version
	h, err := cluster.QueryNameCmd.Call(c, clusterd, name)
	for _, token := range asking[name] {
		c.Wakeup(token)
	}
	delete(asking, name)
	if err == nil && h != 0 && n.version == version {
		n.known[name] = h
	}
	return h, err
}
