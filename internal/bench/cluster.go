package main

import (
	"encoding/binary"
	"io"
	"strings"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

const (
	// peerNode and remoteName are what callers know the other node and its
	// service by; the scripts for Skynet use them too.
	peerNode   = "peer"
	remoteName = "@remote"
	// cmdEcho gives its argument back, cmdSink nothing.
	cmdEcho = "ECHO"
	cmdSink = "SINK"
)

const (
	small    = 16
	medium   = 32 << 10
	mebibyte = 1 << 20
)

func clusterRows() []row {
	calls := perSecond("calls")
	megabytes := unit{"MB/s", func(ops int, d time.Duration) float64 { return float64(ops) * mebibyte / 1e6 / d.Seconds() }}
	return []row{
		{name: "cluster_call", unit: timeOf("us", time.Microsecond), sides: []side{
			{"", clusterCalls(1, small, cmdEcho)}, {"raw", rawEcho}, {"skynet", onSkynetPair("cluster_call")},
		}, goals: []goal{
			atMost("cluster_call_p50_vs_raw", 1.35), atMost("cluster_call_p99_vs_raw", 1.35), atMost("cluster_call_p50_vs_skynet", 1),
		}},
		{name: "cluster_call_100", unit: calls, sides: []side{
			{"", clusterCalls(100, small, cmdEcho)}, {"raw", rawLinkCalls(100, small)}, {"skynet", onSkynetPair("cluster_call_100")},
		}, goals: []goal{
			atLeast("cluster_call_100", 300e3), atMost("cluster_call_100_cpu", 6), atLeast("cluster_call_100_vs_skynet", 1),
		}},
		{name: "cluster_send", unit: perSecond("messages"), sides: []side{
			{"", clusterSends}, {"raw", rawLinkSends}, {"skynet", onSkynetPair("cluster_send")},
		}, goals: []goal{atLeast("cluster_send", 3e6), atLeast("cluster_send_vs_skynet", 1)}},
		{name: "cluster_32k", unit: calls, sides: []side{
			{"", clusterCalls(100, medium, cmdEcho)}, {"raw", rawLinkCalls(100, medium)}, {"skynet", onSkynetPair("cluster_32k")},
		}, goals: []goal{atLeast("cluster_32k", 25e3), atLeast("cluster_32k_vs_skynet", 1)}},
		{name: "cluster_1m", unit: calls, sides: []side{
			{"", clusterCalls(16, mebibyte, cmdEcho)}, {"raw", rawLinkCalls(16, mebibyte)}, {"skynet", onSkynetPair("cluster_1m")},
		}, goals: []goal{atLeast("cluster_1m_vs_raw", 0.75), atLeast("cluster_1m_vs_skynet", 1)}},
		{name: "cluster_oneway", unit: megabytes, sides: []side{
			{"", clusterCalls(8, mebibyte, cmdSink)}, {"raw", rawOneWay}, {"skynet", onSkynetPair("cluster_oneway")},
		}, goals: []goal{atLeast("cluster_oneway", 2000), atLeast("cluster_oneway_vs_skynet", 1)}},
	}
}

var remoteDefinition = service.Def("remote", func(c *service.Context, _ ...any) error {
	c.Handle(cmdEcho, service.F1(func(_ *service.Context, s string) (string, error) { return s, nil }))
	c.Handle(cmdSink, service.P1(func(*service.Context, string) error { return nil }))
	return nil
})

// serveCluster is a node that others call.
func serveCluster(e *env) (string, error) {
	n, err := startNode(e, "", remoteDefinition)
	if err != nil {
		return "", err
	}
	var addr string
	err = in(n, func(c *service.Context) error {
		h, err := c.NewService("remote")
		if err != nil {
			return err
		}
		if err := cluster.Register(c, strings.TrimPrefix(remoteName, "@"), h); err != nil {
			return err
		}
		addr, err = cluster.Open(c, 0)
		return err
	})
	return addr, err
}

// clusterPair is a node here that knows one in another process.
func clusterPair(e *env) (*service.Node, *child, error) {
	p, addr, err := startRole(e, "cluster")
	if err != nil {
		return nil, nil, err
	}
	n, err := startNode(e, "")
	if err != nil {
		return nil, nil, err
	}
	return n, p, in(n, func(c *service.Context) error { return cluster.Reload(c, cluster.Table{peerNode: addr}) })
}

// clusterCalls is callers coroutines of a service that send size bytes each; of
// a single one each call is timed.
func clusterCalls(callers, size int, cmd string) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		n, p, err := clusterPair(e)
		payload := strings.Repeat("x", size)
		return work{procs: []*child{p}, do: func(m *meter, ops int) error {
			each := ops/callers + 1
			return in(n, func(c *service.Context) error {
				m.start()
				err := together(c, callers, func(c *service.Context, _ int) error {
					for range each {
						begin := time.Now()
						if _, err := cluster.Call(c, peerNode, remoteName, cmd, payload); err != nil {
							return err
						}
						if callers == 1 {
							m.laps = append(m.laps, time.Since(begin))
						}
					}
					return nil
				})
				m.stop(each * callers)
				return err
			})
		}}, err
	}
}

// rawEcho is a connection and no more: written and read by one goroutine.
func rawEcho(e *env) (work, error) {
	p, conn, err := dialRole(e, "link")
	frame := make([]byte, linkHead+small)
	binary.BigEndian.PutUint32(frame, small)
	return work{procs: []*child{p}, do: func(m *meter, ops int) error {
		m.start()
		for range ops {
			begin := time.Now()
			if _, err := conn.Write(frame); err != nil {
				return err
			}
			if _, err := io.ReadFull(conn, frame); err != nil {
				return err
			}
			m.laps = append(m.laps, time.Since(begin))
		}
		m.stop(ops)
		return nil
	}}, err
}

func rawLinkCalls(callers, size int) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		l, p, err := dialLink(e, callers, size)
		payload := make([]byte, size)
		return work{procs: []*child{p}, do: func(m *meter, ops int) error {
			each := ops/callers + 1
			ended := make(chan error, callers)
			m.start()
			for i := range callers {
				go func() {
					var err error
					for k := 0; k < each && err == nil; k++ {
						err = l.call(i, payload)
					}
					ended <- err
				}()
			}
			var err error
			for range callers {
				if e := <-ended; e != nil {
					err = e
				}
			}
			m.stop(each * callers)
			return err
		}}, err
	}
}

// clusterBurst is how many messages go to another node before the sender waits
// until they have been handled.
const clusterBurst = 50_000

func clusterSends(e *env) (work, error) {
	n, p, err := clusterPair(e)
	payload, some := strings.Repeat("x", small), e.some(clusterBurst)
	return work{procs: []*child{p}, do: func(m *meter, ops int) error {
		return in(n, func(c *service.Context) error {
			m.start()
			done := 0
			for ; done < ops; done += some {
				for range some {
					if err := cluster.Send(c, peerNode, remoteName, cmdSink, payload); err != nil {
						return err
					}
				}
				if _, err := cluster.Call(c, peerNode, remoteName, cmdEcho, payload); err != nil {
					return err
				}
			}
			m.stop(done)
			return nil
		})
	}}, err
}

func rawLinkSends(e *env) (work, error) {
	l, p, err := dialLink(e, 1, small)
	some := e.some(clusterBurst)
	return work{procs: []*child{p}, do: func(m *meter, ops int) error {
		head := make([]byte, linkHead+small)
		binary.BigEndian.PutUint32(head, small|mute)
		m.start()
		done := 0
		for ; done < ops; done += some {
			var out []byte
			for range some {
				if out = append(out, head...); len(out) >= linkBuffer {
					if _, err := l.conn.Write(out); err != nil {
						return err
					}
					out = out[:0]
				}
			}
			if _, err := l.conn.Write(out); err != nil {
				return err
			}
			if err := l.call(0, head[:small]); err != nil {
				return err
			}
		}
		m.stop(done)
		return nil
	}}, err
}

// rawOneWay writes, and waits at the end until all has been read.
func rawOneWay(e *env) (work, error) {
	l, p, err := dialLink(e, 1, small)
	payload := make([]byte, mebibyte)
	return work{procs: []*child{p}, do: func(m *meter, ops int) error {
		m.start()
		for range ops {
			if err := l.send(0, mebibyte|mute, payload); err != nil {
				return err
			}
		}
		err := l.call(0, payload[:small])
		m.stop(ops)
		return err
	}}, err
}
