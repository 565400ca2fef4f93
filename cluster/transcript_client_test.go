package cluster_test

import (
	"errors"
	"testing"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

func TestReplayClientACallName(t *testing.T) {
	replayClient(t, "a_call_name", func(r *clientReplay) {
		r.call("set", "@sdb", "set", "a", 1)
		r.call("get", "@sdb", "get", "a")
		r.call("get missing", "@sdb", "get", "zzz")
		r.call("echo", "@sdb", "echo", "hello", 42, true)
		r.call("none", "@sdb", "none")
		r.call("raw_empty", "@sdb", "raw_empty")
		r.call("add", "@sdb", "add", 2, 3)
	})
}

func TestReplayClientBCallNumber(t *testing.T) {
	replayClient(t, "b_call_number", func(r *clientReplay) {
		r.call("echo", recordedSdb, "echo", "by number", 7)
		r.call("set", service.Handle(recordedSdb), "set", "n", 1)
		r.call("get through the name", "@sdb", "get", "n")
		r.call("a ':%08x' string is also an address for the far side", service.Handle(recordedSdb).String(), "get", "n")
	})
}

func TestReplayClientCCallDotname(t *testing.T) {
	replayClient(t, "c_call_dotname", func(r *clientReplay) {
		r.call("known .sdb", ".sdb", "echo", "via local name")
		r.call(".service QUERY", ".service", "QUERY", "snaxd", "t_snax")
		r.call("unknown .nosuch", ".nosuch", "echo", 1)
		r.call("still fine", ".sdb", "echo", 2)
	})
}

func TestReplayClientDSend(t *testing.T) {
	replayClient(t, "d_send", func(r *clientReplay) {
		push := func(label string, addr any, args ...any) {
			r.push(addr, args...)
			r.done(label)
		}
		push("send @name", "@sdb", "note", "p1", 1)
		push("send number", recordedSdb, "note", "p2")
		push("send .name", ".sdb", "note", "p3", nil)
		r.call("notes", "@sdb", "notes")
		push("send again with the connection up", "@sdb", "note", "p4")
		push("send unknown @name", "@nosuch", "note", "lost")
		push("send unknown .name", ".nosuch", "note", "lost")
		push("send to dead service", recordedDead, "note", "lost")
		push("handler error on push", "@sdb", "fail", "push boom")
		r.call("notes", "@sdb", "notes")
	})
}

func TestReplayClientEQuery(t *testing.T) {
	replayClient(t, "e_query", func(r *clientReplay) {
		r.query("query sdb", "sdb")
		r.query("query missing", "missing")
		r.query("query with @ is another name", "@sdb")
		r.call("call", "@sdb", "echo", 1)
		r.query("query after unregister", "sdb")
		r.call("call after unregister", "@sdb", "echo", 1)
		r.query("query after register to another service", "sdb")
		r.call("call after register", "@sdb", "echo", 2)
	})
}

func TestReplayClientFErrors(t *testing.T) {
	replayClient(t, "f_errors", func(r *clientReplay) {
		r.call("unknown name", "@nosuch", "echo", 1)
		r.call("dead service by name", "@dead", "echo", 1)
		r.call("dead service by number", recordedDead, "echo", 1)
		r.call("number never used", 0x00ffffff, "echo", 1)
		r.call("handler error", "@sdb", "fail", "boom message")
		r.call("handler error with a table", "@sdb", "failtable")
		r.call("unknown command", "@sdb", "no_such_command")
		r.call("service exits in the call", "@victim", "quit")
		r.call("service is gone now", "@victim", "echo", 1)
		r.call("still fine", "@sdb", "echo", "alive")
	})
}

func TestReplayClientFRetTwice(t *testing.T) {
	replayClient(t, "f_ret_twice", func(r *clientReplay) {
		r.call("ret twice", "@sdb", "ret_twice")
		r.together(r.calling("hold", "hold"), r.calling("release", "release"))
		r.together(r.calling("hold 2", "hold"), r.calling("unresponse", "unresponse"))
		r.run(func(c *service.Context) { // the record waits for a second; ours for its deadline
			if _, err := cluster.Call(c.WithTimeout(50*time.Millisecond), "srv", "@sdb", "noreply"); !errors.Is(err, service.ErrTimeout) {
				r.t.Errorf("the call that gets no answer ended with %v", err)
			}
		})
		r.results = append(r.results, result{"noreply: wait 1 s, no answer comes", lualike.Args{true}, nil})
	})
}

func TestReplayClientGInterleaved(t *testing.T) {
	r := newClientReplay(t, "g_interleaved")
	r.peer.overtaking, r.anyOrder = true, true
	r.start()
	r.reload(r.peer)
	r.call("warm up", "@sdb", "echo", 0)
	r.together(
		r.calling("large A", "len", payload(200000, "A")),
		r.calling("large B", "len", payload(150000, "B")),
		r.calling("small", "echo", "small"),
		r.calling("large reply", "big", 100000, "D"),
		r.calling("small 2", "echo", "small 2"),
	)
	r.finish()
}

func TestReplayClientGLargeRequest(t *testing.T) {
	r := newClientReplay(t, "g_large_request")
	// Whether a megabyte piles up, the network decides (B192).
	r.logs = map[string]string{"WARNING: 1N K bytes need to send out (fd = N)": "", "WARNING: 0 K bytes need to send out (fd = N)": ""}
	r.start()
	r.reload(r.peer)
	r.call("100 KiB", "@sdb", "len", payload(100*1024, "A"))
	r.call("1 MiB", "@sdb", "len", payload(1024*1024, "B"))
	r.call("after", "@sdb", "echo", "after")
	r.finish()
}

func TestReplayClientGLargeRequestLimits(t *testing.T) {
	replayClient(t, "g_large_request_limits", func(r *clientReplay) {
		for label, total := range byLabel("packed message of %d bytes", 0x7ffe, 0x7fff, 0x8000, 0x8001) {
			r.call(label, "@sdb", "len", payload(total-7, "A")) // 4 for "len", 3 in front of a string up to 65535
		}
		for label, total := range byLabel("to a number, packed message of %d bytes", 0xffff, 0x10000, 0x10001) {
			r.call(label, recordedSdb, "len", payload(total-7, "A"))
		}
	})
}

func TestReplayClientGLargeResponseLimits(t *testing.T) {
	replayClient(t, "g_large_response_limits", func(r *clientReplay) {
		for label, total := range byLabel("packed answer of %d bytes", 0x7fff, 0x8000, 0x8001, 0x10000, 0x10001, 0x10002) {
			r.call(label, "@sdb", "big", total-3)
		}
	})
}

func TestReplayClientHLargePush(t *testing.T) {
	r := newClientReplay(t, "h_large_push")
	r.peer.overtaking = true
	r.start()
	r.reload(r.peer)
	r.call("warm up", "@sdb", "echo", 0)
	r.run(func(c *service.Context) {
		r.pushOn(c, "@sdb", "note", "before")
		r.pushOn(c, "@sdb", "notebig", payload(100000, "A"))
		r.pushOn(c, "@sdb", "note", "between")
		r.pushOn(c, recordedSdb, "notebig", payload(0x8000, "N"))
		r.pushOn(c, "@sdb", "note", "after")
	})
	r.call("notes", "@sdb", "notes")
	r.finish()
}

func TestReplayClientKProxy(t *testing.T) {
	replayClient(t, "k_proxy", func(r *clientReplay) {
		var p service.Handle
		proxy := func(label string, node string, addr ...any) (h service.Handle) {
			r.run(func(c *service.Context) {
				var err error
				h, err = cluster.Proxy(c, node, addr...)
				switch {
				case p == 0 && err == nil: // the record says: an integer
					r.results = append(r.results, result{label, lualike.Args{"integer"}, nil})
				case label != "":
					r.results = append(r.results, result{label, lualike.Args{true}, err})
				case err != nil:
					r.t.Error(err)
				}
			})
			return h
		}
		call := func(label string, p service.Handle, args ...any) {
			r.run(func(c *service.Context) {
				r.try(c, label, func(c *service.Context) (lualike.Args, error) { return c.Call(p, args...) })
			})
		}
		p = proxy("proxy by name", "srv", "@sdb")
		if again, short := proxy("same proxy again", "srv", "@sdb"), proxy("short form gives the same", "srv@sdb"); again != p || short != p {
			r.t.Errorf("three proxies for one service: %v, %v, %v", p, again, short)
		}
		call("call", p, "echo", "through", 1)
		r.run(func(c *service.Context) {
			if err := c.Send(p, "note", "sent through"); err != nil {
				r.t.Error(err)
			}
		})
		call("notes", p, "notes")
		call("error", p, "fail", "proxied boom")
		call("large", p, "len", payload(50000, "A"))
		call("large reply", p, "big", 50000)
		call("by number", proxy("", "srv", recordedSdb), "echo", "number")
		dot := proxy("", "srv", ".sdb")
		call("by .name", dot, "echo", "dot")
		if short := proxy("short form with dot", "srv.sdb"); short != dot {
			r.t.Errorf("two proxies for one service: %v, %v", dot, short)
		}
		proxy("bad short form", "srvsdb")
		call("proxy of an unknown name", proxy("", "srv", "@nosuch"), "echo", 1)
	})
}

func TestReplayClientQOutOfOrder(t *testing.T) {
	replayClient(t, "q_out_of_order", func(r *clientReplay) {
		r.call("warm up", "@sdb", "echo", 0)
		r.together(
			r.calling("slow", "sleep", 60, "slow"),
			r.calling("middle", "sleep", 30, "middle"),
			r.calling("fast", "sleep", 5, "fast"),
		)
	})
}
