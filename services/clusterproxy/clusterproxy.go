// Package clusterproxy is the service that stands for a service of another
// node (service/clusterproxy.lua): what it gets, it passes on unread.
package clusterproxy

import (
	"errors"
	"fmt"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// Definition returns the definition of the service. Its arguments are the node,
// and the name or the handle of the service there.
func Definition() *service.Definition { return service.Def("clusterproxy", start) }

func start(c *service.Context, args ...any) error {
	if len(args) != 2 {
		return fmt.Errorf("clusterproxy wants a node and an address, not %d arguments", len(args))
	}
	node := fmt.Sprint(args[0])
	var target cluster.Request
	var byName bool
	if target.Name, byName = args[1].(string); !byName {
		var err error
		if target.Handle, err = lualike.As[service.Handle](args[1]); err != nil {
			return err
		}
	}
	forward := func(c *service.Context, m service.Message) {
		if err := pass(c, node, target, m); err != nil {
			if m.Session == 0 && worthALine(c, node, err) {
				c.Error(err)
			}
			c.Fail(err)
		}
	}
	c.Dispatch(service.PTypeLua, forward)
	c.Dispatch(service.PTypeSnax, forward)
	return nil
}

// worthALine is false for all but the first send that is lost since the node was
// up; the link counts them.
func worthALine(c *service.Context, node string, err error) bool {
	away := errors.Is(err, cluster.ErrNodeDown) || errors.Is(err, cluster.ErrNodeUnknown)
	return !away || cluster.LinkTo(c.Node(), node).FirstLoss()
}

// pass sends m on and gives the answer back. The caller has a deadline of its
// own.
func pass(c *service.Context, node string, target cluster.Request, m service.Message) error {
	payload, err := service.PackMessage(m)
	if err != nil {
		return err
	}
	target.Payload = payload
	if m.Session == 0 {
		return cluster.Push(c, node, target)
	}
	answer, err := cluster.Req(c.WithTimeout(service.Forever), node, target)
	if err == nil {
		_, err = c.RetRaw([]byte(answer))
	}
	return err
}
