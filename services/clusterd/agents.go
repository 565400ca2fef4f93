package clusterd

import (
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/gate"
)

// agents are the services behind accepted connections, by socket.
type agents struct{ byFD map[int64]*agent }

// agent of one connection; handle is 0 while it is being started.
type agent struct {
	handle service.Handle
	closed bool // the connection ended during that start
}

// socket takes the events of the gates. A connection may close while its agent
// is still starting: then the agent goes as soon as it is there.
func (d *clusterd) socket(c *service.Context, event string, fd int64, text any) error {
	switch event {
	case "open":
		c.Logf("socket accept from %v", text)
		return d.accept(c, c.Message().Source, fd)
	case "close", "error":
		a := d.agents.byFD[fd]
		if a == nil {
			return nil
		}
		a.closed = true
		if a.handle != 0 {
			delete(d.agents.byFD, fd)
			d.leave(c, a.handle)
		}
		return nil
	}
	if text == nil {
		text = ""
	}
	c.Logf("socket %s %d %v", event, fd, text)
	return nil
}

// leave tells an agent to go.
func (d *clusterd) leave(c *service.Context, agent service.Handle) {
	delete(d.names.askers, agent)
	_ = c.Send(agent, "exit")
}

func (d *clusterd) accept(c *service.Context, g service.Handle, fd int64) error {
	a := &agent{}
	d.agents.byFD[fd] = a
	h, err := c.NewService("clusteragent", c.Self(), g, fd)
	switch {
	case err != nil:
		delete(d.agents.byFD, fd)
		_ = c.Send(g, gate.CmdKick, fd)
		return err
	case a.closed:
		delete(d.agents.byFD, fd)
		d.leave(c, h)
	default:
		a.handle = h
	}
	return nil
}
