package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

const (
	gatePayload = 64
	gateFrame   = 2 + gatePayload // Skynet's: two bytes length in front
)

func gateRows() []row {
	trips := perSecond("trips")
	return []row{
		{name: "gate_100x16", unit: trips, sides: []side{
			{"", gateTrips(gateHere, 100, 16)}, {"raw", gateTrips(gateRaw, 100, 16)}, {"skynet", gateTrips(gateOfSkynet, 100, 16)},
		}, goals: []goal{
			atLeast("gate_100x16_vs_raw", 0.8), atMost("gate_100x16_p99_vs_raw", 2), atLeast("gate_100x16_vs_skynet", 2),
		}},
		{name: "gate_1000x1", unit: trips, sides: []side{
			{"", gateTrips(gateHere, 1000, 1)}, {"raw", gateTrips(gateRaw, 1000, 1)}, {"skynet", gateTrips(gateOfSkynet, 1000, 1)},
		}, goals: []goal{
			atLeast("gate_1000x1_vs_raw", 0.8), atMost("gate_1000x1_p99_vs_raw", 2), atLeast("gate_1000x1_vs_skynet", 2),
		}},
	}
}

// server starts what clients connect to, in another process.
type server func(e *env) (*child, string, error)

func gateHere(e *env) (*child, string, error)     { return startRole(e, "gate") }
func gateRaw(e *env) (*child, string, error)      { return startRole(e, "raw gate") }
func gateOfSkynet(e *env) (*child, string, error) { return startSkynet(e, "gate") }

// serveGate is a node with a gate, and an agent for each connection that sends
// back what it gets.
func serveGate(e *env) (string, error) {
	var addr string
	n, err := startNode(e, "", watchdogDefinition, agentDefinition)
	if err != nil {
		return "", err
	}
	return addr, in(n, func(c *service.Context) error {
		h, err := c.NewService("watchdog")
		if err == nil {
			addr, err = service.Call[string](c, h, "open")
		}
		return err
	})
}

var watchdogDefinition = service.Def("watchdog", func(c *service.Context, _ ...any) error {
	g, err := c.NewService(gate.Name)
	if err != nil {
		return err
	}
	c.Handle("open", service.F0(func(c *service.Context) (string, error) {
		port, most := 0, 1<<16
		at, err := c.Call(g, gate.CmdOpen, gate.OpenConfig{Port: &port, MaxClient: &most})
		return fmt.Sprintf("%v:%v", at.At(0), at.At(1)), err
	}))
	c.Handle(gate.EventName, service.P2(func(c *service.Context, event string, fd socket.FD) error {
		if event != gate.EventOpen {
			return nil
		}
		_, err := c.NewService("agent", g, fd)
		return err
	}))
	return nil
})

var agentDefinition = service.Def("agent", func(c *service.Context, args ...any) error {
	g, fd := args[0].(service.Handle), args[1].(socket.FD)
	c.Dispatch(service.PTypeClient, func(c *service.Context, m service.Message) {
		_ = gate.WriteNow(c, fd, m.Data.([]byte)) // the client may have gone
	})
	_, err := c.Call(g, gate.CmdForward, fd)
	return err
})

func echoGate(conn net.Conn) error {
	r, w := bufio.NewReaderSize(conn, 4<<10), bufio.NewWriterSize(conn, 4<<10)
	frame := make([]byte, 2+1<<16)
	for {
		if _, err := io.ReadFull(r, frame[:2]); err != nil {
			return err
		}
		all := frame[:2+int(binary.BigEndian.Uint16(frame))]
		if _, err := io.ReadFull(r, all[2:]); err != nil {
			return err
		}
		_, _ = w.Write(all) // an error is the Flush's too
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// gateTrips is conns clients that have window packets on their way each.
func gateTrips(start server, conns, window int) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		p, addr, err := start(e)
		if err != nil {
			return work{}, err
		}
		clients, err := dialGate(e, addr, conns)
		return work{procs: []*child{p}, do: func(m *meter, ops int) error {
			return m.trips(clients, conns, 1, ops/conns+1, window)
		}}, err
	}
}

// trips has lines goroutines share the clients; each goes through its own some
// times, and makes count round trips on one before it takes the next.
func (m *meter) trips(clients []*client, lines, times, count, window int) error {
	var all sync.WaitGroup
	m.start()
	for i := range lines {
		all.Go(func() {
			for range times {
				for k := i; k < len(clients); k += lines {
					clients[k].exchange(count, window)
				}
			}
		})
	}
	all.Wait()
	m.stop(times * count * len(clients))
	for _, cl := range clients {
		if cl.err != nil {
			return cl.err
		}
		m.laps = append(m.laps, cl.laps...)
		cl.laps = cl.laps[:0]
	}
	return nil
}

// client is one connection to a gate.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	out  []byte
	laps []time.Duration
	err  error
}

// dialGate makes connections, and a round trip on each, so that whatever serves
// it is there.
func dialGate(e *env, addr string, conns int) ([]*client, error) {
	clients := make([]*client, conns)
	for i := range clients {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		e.atEnd(conn.Close)
		clients[i] = &client{conn: conn, r: bufio.NewReaderSize(conn, 2<<10)}
		if clients[i].exchange(1, 1); clients[i].err != nil {
			return nil, clients[i].err
		}
		clients[i].laps = nil
	}
	return clients, nil
}

// epoch is what the times in packets count from.
var epoch = time.Now()

// exchange makes count round trips, window at a time, and notes how long each
// takes, or why it does not.
func (cl *client) exchange(count, window int) {
	sent, frame := 0, make([]byte, gateFrame)
	binary.BigEndian.PutUint16(frame, gatePayload)
	add := func() {
		if sent++; sent <= count {
			binary.BigEndian.PutUint64(frame[2:], uint64(time.Since(epoch)))
			cl.out = append(cl.out, frame...)
		}
	}
	for range window {
		add()
	}
	answer := make([]byte, gateFrame)
	for i := 0; i < count && cl.err == nil; i++ {
		if len(cl.out) > 0 && cl.r.Buffered() < gateFrame {
			_, cl.err = cl.conn.Write(cl.out)
			cl.out = cl.out[:0]
		}
		if cl.err == nil {
			_, cl.err = io.ReadFull(cl.r, answer)
		}
		cl.laps = append(cl.laps, time.Since(epoch)-time.Duration(binary.BigEndian.Uint64(answer[2:])))
		add()
	}
}
