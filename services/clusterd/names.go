package clusterd

import (
	"fmt"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// names are the services that other nodes may call by "@name".
type names struct {
	byName   map[string]service.Handle
	byHandle map[service.Handle]string
	askers   map[service.Handle]struct{} // agents that have asked since names changed, and keep the answers
}

func (d *clusterd) register(c *service.Context, r cluster.Registration) (any, error) {
	n := &d.names
	if h, used := n.byName[r.Name]; used {
		return nil, fmt.Errorf("%w: %s is registered for %s", service.ErrNameTaken, r.Name, h)
	}
	if old, ok := n.byHandle[r.Handle]; ok {
		delete(n.byName, old)
		d.forgetNames(c)
	}
	n.byHandle[r.Handle] = r.Name
	n.byName[r.Name] = r.Handle
	c.Logf("Register [%s] %s", r.Name, r.Handle)
	return nil, nil
}

func (d *clusterd) unregister(c *service.Context, name string) (any, error) {
	n := &d.names
	h, ok := n.byName[name]
	if !ok {
		return nil, nil
	}
	delete(n.byHandle, h)
	delete(n.byName, name)
	d.forgetNames(c)
	c.Logf("Unregister [%s] %s", name, h)
	return nil, nil
}

func (d *clusterd) queryName(c *service.Context, name string) (service.Handle, error) {
	d.names.askers[c.Message().Source] = struct{}{}
	return d.names.byName[name], nil
}

// forgetNames tells the agents that have asked for names, also one that is
// still starting, before whoever changed the names goes on.
func (d *clusterd) forgetNames(c *service.Context) {
	for agent := range d.names.askers {
		_ = c.Send(agent, "namechange")
	}
	clear(d.names.askers)
}
