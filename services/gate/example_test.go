package gate_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// hall is the watchdog of the example in docs/gate.md: everyone who is in it
// hears what one says.
type hall struct {
	gate   service.Handle
	agents map[socket.FD]service.Handle
}

func (h *hall) event(c *service.Context, event string, fd socket.FD) error {
	switch event {
	case gate.EventOpen:
		h.agents[fd] = 0 // until there is one
		agent, err := c.NewService("agent", seat{c.Self(), h.gate, fd})
		if err != nil {
			delete(h.agents, fd)
			return c.Send(h.gate, gate.CmdKick, fd)
		}
		if _, still := h.agents[fd]; !still { // it has left meanwhile
			return c.Send(agent, "LEAVE")
		}
		h.agents[fd] = agent
	case gate.EventClose, gate.EventError:
		agent := h.agents[fd]
		delete(h.agents, fd)
		if agent != 0 {
			return c.Send(agent, "LEAVE")
		}
	}
	return nil
}

func (h *hall) say(c *service.Context, text string) error {
	fds := make([]socket.FD, 0, len(h.agents))
	for fd := range h.agents {
		fds = append(fds, fd)
	}
	_, err := gate.Broadcast(c, fds, []byte(text))
	return err
}

func startHall(c *service.Context, _ ...any) error {
	g, err := c.NewService(gate.Name)
	if err != nil {
		return err
	}
	h := &hall{gate: g, agents: make(map[socket.FD]service.Handle)}
	c.Handle(gate.EventName, service.P2(h.event))
	c.Handle("SAY", service.P1(h.say))
	c.Handle("OPEN", service.F1(func(c *service.Context, conf gate.OpenConfig) (int, error) {
		at, err := c.Call(g, gate.CmdOpen, conf)
		if err != nil {
			return 0, err
		}
		port, _ := at.At(1).(int64)
		return int(port), nil
	}))
	return nil
}

// seat is what an agent is started with.
type seat struct {
	Hall service.Handle `lua:"hall"`
	Gate service.Handle `lua:"gate"`
	FD   socket.FD      `lua:"fd"`
}

func startAgent(c *service.Context, args ...any) error {
	s, err := lualike.As[seat](args[0])
	if err != nil {
		return err
	}
	c.Dispatch(service.PTypeClient, func(c *service.Context, m service.Message) {
		packet := m.Data.([]byte)
		if err := gate.Write(c, s.FD, fmt.Appendf(nil, "you said %d bytes", len(packet))); err != nil {
			return // the client has left; LEAVE is on its way
		}
		_ = c.Send(s.Hall, "SAY", string(packet))
	})
	c.Handle("LEAVE", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
	_, err = c.Call(s.Gate, gate.CmdForward, s.FD)
	return err
}

func TestHall(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("hall", startHall), service.Def("agent", startAgent)))
	conf := gate.OpenConfig{
		Doors: []string{"127.0.0.1:0", "ws://127.0.0.1:0/play"},
		Limits: socket.Limits{
			MaxPacket:   4 << 10,
			FirstPacket: time.Minute,
			Idle:        time.Minute,
			Heartbeat:   20 * time.Second,
			PacketRate:  50,
			MaxPending:  256 << 10, // who reads too slowly is kicked
		},
		MaxClient:     new(5000), // a pointer: 0 lets nobody in
		MaxPerAddress: 20,
	}
	w := &world{t: t}
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("hall")
		if err != nil {
			return err
		}
		port, err := service.Call[int](c, h, "OPEN", conf)
		w.addr = fmt.Sprintf("127.0.0.1:%d", port)
		return err
	})
	before := strings.Count(strings.Join(n.Log.Lines(), "\n"), " KILL self")
	cl := w.connect()
	cl.send("hello")
	for _, want := range []string{"you said 5 bytes", "hello"} {
		if got := cl.receive(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	cl.close()
	for end := time.Now().Add(patience); strings.Count(strings.Join(n.Log.Lines(), "\n"), " KILL self") < before+1; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("the agent does not leave")
		}
	}
}
