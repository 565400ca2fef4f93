package main

import (
	"strconv"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// growthRows show what one operation costs as there is more of something. Their
// sides are named by how much there is.
func growthRows(o options) []row {
	us, ns := timeOf("us", time.Microsecond), timeOf("ns", time.Nanosecond)
	return []row{
		growth(o, "grow_services", us, besideServices, 10, 1000, 100_000),
		growth(o, "grow_targets", us, amongServices, 10, 1000, 100_000),
		growth(o, "grow_mailbox", ns, intoMailbox, 10, 10_000, 1_000_000),
		growth(o, "grow_inflight", us, func(k int) func(e *env) (work, error) { return clusterCalls(k, small, cmdEcho) }, 1, 100, 10_000),
		growth(o, "grow_links", us, acrossLinks, 1, 64, 512),
		growth(o, "grow_connections", us, amongConnections, 100, 1000, 10_000),
	}
}

func growth(o options, name string, u unit, at func(k int) func(e *env) (work, error), sizes ...int) row {
	r := row{name: name, unit: u, apart: true}
	for _, k := range sizes {
		k = o.some(k)
		r.sides = append(r.sides, side{strconv.Itoa(k), at(k)})
	}
	return r
}

// besideServices is calls between two services while k are alive.
func besideServices(k int) func(e *env) (work, error) {
	return func(e *env) (work, error) { return callsAmong(e, k, 1) }
}

// amongServices is calls to each of k services in turn.
func amongServices(k int) func(e *env) (work, error) {
	return func(e *env) (work, error) { return callsAmong(e, k, k) }
}

func callsAmong(e *env, alive, called int) (work, error) {
	n, peers, err := peersOn(e, "", peerDefinition, alive)
	return work{do: func(m *meter, ops int) error {
		return in(n, func(c *service.Context) error {
			b := new(ball)
			m.start()
			for i := range ops {
				if err := typedCall(c, peers[i%called], b); err != nil {
					return err
				}
			}
			m.stop(ops)
			return nil
		})
	}}, err
}

// intoMailbox is sends to a service that is busy and has k messages waiting.
func intoMailbox(k int) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		n, err := startNode(e, "")
		if err != nil {
			return work{}, err
		}
		workers, err := launch(n, "worker", 1)
		some := max(k/10, 10) // so that there are about k all the time
		return work{do: func(m *meter, ops int) error {
			return in(n, func(c *service.Context) error {
				for done := 0; done < ops; done += some {
					if err := fill(c, m, workers[0], k, some); err != nil {
						return err
					}
				}
				return nil
			})
		}}, err
	}
}

// fill has the worker keep its baton until k messages to it wait and some more
// have been sent, which are counted.
func fill(c *service.Context, m *meter, worker service.Handle, k, some int) error {
	full := make(chan struct{})
	busy := task(func(*service.Context) error { <-full; return nil })
	next := task(func(*service.Context) error { return nil })
	if err := c.RawSend(worker, service.PTypeText, busy); err != nil {
		return err
	}
	send := func(count int) error {
		for range count {
			if err := c.RawSend(worker, service.PTypeText, next); err != nil {
				return err
			}
		}
		return nil
	}
	err := send(k)
	if err == nil {
		m.start()
		err = send(some)
		m.stop(some)
	}
	close(full)
	if err != nil {
		return err
	}
	_, err = c.RawCall(worker, service.PTypeText, next)
	return err
}

// acrossLinks is calls, one after the other, to each of k nodes of this process.
func acrossLinks(k int) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		table, names := make(cluster.Table), make([]string, k)
		for i := range names {
			addr, err := serveCluster(e)
			if err != nil {
				return work{}, err
			}
			names[i] = "n" + strconv.Itoa(i)
			table[names[i]] = addr
		}
		n, err := startNode(e, "")
		if err != nil {
			return work{}, err
		}
		call := func(c *service.Context, i int) error {
			_, err := cluster.Call(c, names[i%k], remoteName, cmdEcho, "0123456789abcdef")
			return err
		}
		err = in(n, func(c *service.Context) error {
			if err := cluster.Reload(c, table); err != nil {
				return err
			}
			return together(c, k, call) // so that all links are up
		})
		return work{do: func(m *meter, ops int) error {
			return in(n, func(c *service.Context) error {
				m.start()
				for i := range ops {
					if err := call(c, i); err != nil {
						return err
					}
				}
				m.stop(ops)
				return nil
			})
		}}, err
	}
}

// spareFiles is how many open files are left for other uses than connections.
const spareFiles = 100

// busyConnections is how many connections have a packet on its way at any time.
const busyConnections = 100

// amongConnections is round trips on k connections in turn, or as many as the
// system allows, and what each of these takes on the gate's node.
func amongConnections(k int) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		k := min(k, mostFiles()-spareFiles)
		p, addr, err := gateHere(e)
		if err != nil {
			return work{}, err
		}
		before, err := p.memory()
		if err != nil {
			return work{}, err
		}
		clients, err := dialGate(e, addr, k)
		if err != nil {
			return work{}, err
		}
		after, err := p.memory()
		lines := min(k, busyConnections)
		return work{procs: []*child{p}, do: func(m *meter, ops int) error {
			m.note("memory", "bytes", (after-before)/float64(k))
			m.note("open", "connections", float64(k))
			return m.trips(clients, lines, ops/k+1, 1, 1)
		}}, err
	}
}
