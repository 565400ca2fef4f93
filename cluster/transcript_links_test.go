package cluster_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/internal/freeport"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

func TestReplayClientLNowaitingFalse(t *testing.T) {
	r := newClientReplay(t, "l_nowaiting_false")
	r.start()
	waiting := make(chan struct{}, 2)
	wait := func(label string, args ...any) {
		r.run(func(c *service.Context) {
			c.Fork(func(c *service.Context) {
				r.callOn(c, label, "@sdb", args...)
				waiting <- struct{}{}
			})
		})
	}
	wait("waiting call 1", "echo", "w1")
	r.Log.Wait(t, "Waiting for cluster node [srv]")
	r.push("@sdb", "note", "s1")
	wait("waiting call 2", "notes")
	r.push("@sdb", "note", "s2")
	r.run(func(c *service.Context) {
		r.try(c, "reload", func(c *service.Context) (lualike.Args, error) {
			return nil, cluster.Reload(c, cluster.Table{"srv": r.peer.listener.Addr().String()})
		})
	})
	<-waiting
	<-waiting
	r.call("notes", "@sdb", "notes")
	r.finish()
}

func TestReplayClientLNowaitingTrue(t *testing.T) {
	r := newClientReplay(t, "l_nowaiting_true")
	r.logs = map[string]string{
		"call failed":                      "cluster node [srv] is absent.", // Skynet says that in an error of clusterd
		"init service failed: call failed": "",                              // a proxy of ours starts, its calls fail
		"KILL self":                        "",
	}
	r.start()
	r.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"__nowaiting": true}) })
	r.call("absent", "@sdb", "echo", 1)
	r.push("@sdb", "note", "lost")
	r.done("send to absent")
	r.query("query absent", "sdb")
	r.run(func(c *service.Context) {
		r.try(c, "proxy of absent", func(c *service.Context) (lualike.Args, error) {
			p, err := cluster.Proxy(c, "srv", "@sdb")
			if err != nil {
				return nil, err
			}
			return c.Call(p, "echo", 1)
		})
	})
	r.reload(r.peer)
	r.call("after reload", "@sdb", "echo", 2)
	r.call("notes", "@sdb", "notes")
	r.finish()
}

func TestReplayClientMNodeMoves(t *testing.T) {
	r := newClientReplay(t, "m_node_moves")
	r.logs = map[string]string{"[Error: socket]": "Cluster node [srv] moved : "}
	r.start()
	r.reload(r.peer)
	r.call("up", "@sdb", "echo", 1)
	pending := make(chan struct{})
	r.run(func(c *service.Context) {
		c.Fork(func(c *service.Context) {
			r.callOn(c, "pending over the change", "@sdb", "sleep", 100, "slept")
			close(pending)
		})
	})
	r.run(func(c *service.Context) {
		r.try(c, "move", func(c *service.Context) (lualike.Args, error) {
			return nil, cluster.Reload(c, cluster.Table{"srv": r.second.listener.Addr().String()})
		})
	})
	<-pending
	r.opened(r.second, 1)
	r.call("call", "@sdb", "echo", 2)
	r.call("call", "@sdb", "echo", 3)
	r.finish()
}

func TestReplayClientNPendingFin(t *testing.T) {
	replayClient(t, "n_pending_fin", func(r *clientReplay) {
		r.call("before", "@sdb", "echo", 1)
		r.together(
			r.calling("p1", "sleep", 100, "p1"),
			r.calling("p2", "sleep", 150, "p2"),
			r.calling("p3", "hold"),
		)
		r.done("cut")
		r.push("@sdb", "note", "after cut")
		r.done("send right after the cut")
		r.call("first call after", "@sdb", "echo", 2)
		r.call("second call after", "@sdb", "echo", 3)
		r.call("later", "@sdb", "notes")
	})
}

func TestReplayClientNPushDisconnected(t *testing.T) {
	replayClient(t, "n_push_disconnected", func(r *clientReplay) {
		notes := func(from, to int) (sent bool) {
			r.run(func(c *service.Context) {
				for i := from; i <= to; i++ {
					sent = r.pushOn(c, "@sdb", "note", i)
				}
			})
			return sent
		}
		r.call("before", "@sdb", "echo", 1)
		r.lost()
		notes(1, 5)
		r.call("notes", "@sdb", "notes")
		r.lost()
		if notes(6, 8) {
			r.refused(1)
		}
		r.peer.proceed()
		notes(9, 10)
		r.call("notes", "@sdb", "notes")
	})
}

func TestReplayClientNRefusedThenUp(t *testing.T) {
	replayClient(t, "n_refused_then_up", func(r *clientReplay) {
		r.call("call 1", "@sdb", "echo", 1)
		r.push("@sdb", "note", 1)
		r.done("send")
		r.call("call 2", "@sdb", "echo", 2)
		r.peer.proceed()
		r.call("call 3", "@sdb", "echo", 3)
		r.call("call 4", "@sdb", "echo", 4)
		r.call("notes", "@sdb", "notes")
	})
}

func TestReplayClientNRestart(t *testing.T) {
	replayClient(t, "n_restart", func(r *clientReplay) {
		r.call("before", "@sdb", "echo", 1)
		r.lost()
		r.call("first call, server down", "@sdb", "echo", 2)
		r.call("second call, server down", "@sdb", "echo", 3)
		if r.push("@sdb", "note", "lost") {
			r.refused(3)
		}
		r.done("send, server down")
		r.peer.proceed()
		r.call("first call, server up", "@sdb", "echo", 4)
		r.call("second call, server up", "@sdb", "echo", 5)
		r.call("notes", "@sdb", "notes")
	})
}

// Here nothing listens at first, so there are no bytes; the server is ours.
func TestReplayClientNRefusedDirect(t *testing.T) {
	addr, err := freeport.Addr()
	if err != nil {
		t.Fatal(err)
	}
	r := &clientReplay{t: t, tr: readTranscript(t, "n_refused_direct"), Node: nodetest.Start(t)}
	r.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{"srv": addr, "__backoff": 0}) })
	r.call("call 1", "@sdb", "echo", 1)
	r.push("@sdb", "note", 1)
	r.done("send")
	r.call("call 2", "@sdb", "echo", 2)
	r.Log.Wait(t, fmt.Sprintf("Connect failed Connection refused %s nil", addr))
	r.Log.Wait(t, fmt.Sprintf("changenode [srv] (%s) failed", addr))
	recordedServer(t, addr)
	r.call("call 3", "@sdb", "echo", 3)
	r.call("notes", "@sdb", "notes")
	r.compareResults()
}

func TestReplayClientGBackpressure(t *testing.T) {
	r := newClientReplay(t, "g_backpressure")
	r.peer.overtaking, r.anyOrder = true, true
	r.logs = map[string]string{"WARNING: 8N K bytes need to send out (fd = N)": ""} // how much, the network decides
	r.start()
	r.reload(r.peer)
	r.call("warm up", "@sdb", "echo", 0)
	const calls = 5
	done := make(chan struct{}, calls)
	start := func(c *service.Context, label string, args ...any) {
		c.Fork(func(c *service.Context) {
			r.callOn(c, label, "@sdb", args...)
			done <- struct{}{}
		})
	}
	const size = 6 * 1024 * 1024
	r.run(func(c *service.Context) {
		start(c, "large A", "len", payload(size, "A"))
		start(c, "large B", "len", payload(size, "B"))
	})
	r.Log.Wait(t, "WARNING: 4")
	r.run(func(c *service.Context) {
		start(c, "small 1", "echo", "small 1")
		start(c, "small 2", "echo", "small 2")
		r.pushOn(c, "@sdb", "note", "small push")
		start(c, "small 3", "echo", "small 3")
	})
	r.WaitIdle()
	r.peer.proceed()
	for range calls {
		<-done
	}
	r.call("notes", "@sdb", "notes")
	r.finish()
	// The small ones came before anything of B.
	small := 0
	for _, i := range r.peer.order {
		switch w := r.peer.wire[i]; {
		case w.Hex == "000e8104407364620300000009006000":
			if small != 5 { // the warm up, three calls and a push
				t.Errorf("%d small frames came before the second large message, not 5", small)
			}
			return
		case !w.large():
			small++
		}
	}
	t.Error("the second large message did not come")
}

func TestReplayClientRBothWays(t *testing.T) {
	r := newClientReplay(t, "r_both_ways")
	r.second.wire = nil // is played by ourselves
	r.logs = map[string]string{
		"Listen on 127.0.0.1:<client> nil":    "Listen on 127.0.0.1:0 nil",
		"socket accept from 127.0.0.1:<port>": "socket accept from 127.0.0.1:",
	}
	r.start()
	r.reload(r.peer)
	var addr string
	r.Run(func(c *service.Context) error {
		h, err := c.NewService("b_svc")
		if err != nil {
			return err
		}
		if err := cluster.Register(c, "back", h); err != nil {
			return err
		}
		if err := cluster.Reload(c, cluster.Table{"me": "127.0.0.1:0"}); err != nil {
			return err
		}
		addr, err = cluster.Open(c, "me")
		return err
	})
	r.results = append(r.results, result{"open", lualike.Args{"me", nil}, nil}) // Skynet gives the name back
	r.call("call", "@sdb", "echo", "to the server")
	r.tr.WireSecond[len(r.tr.WireSecond)-1].By = "client" // there the recorded server is the client
	back := &serverReplay{t: t, srv: &recordedNode{Node: r.Node, addr: addr}, conns: make(map[int]net.Conn), same: wireEvent.same}
	back.play(transcript{Wire: r.tr.WireSecond})
	r.Log.Wait(t, "b_svc log pushed by the server")
	r.call("call", "@sdb", "echo", "again")
	r.finish()
}
