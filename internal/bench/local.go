package main

import (
	"sync"

	"github.com/skynetgo/skynet/service"
)

// burst is how many messages are sent before the sender waits until they have
// been handled.
const burst = 10_000

// ball is what messages inside a node carry; it goes by reference.
type ball struct{ n int }

// Commands of the services that are sent to and called.
const (
	tick = service.Cmd[*ball, any]("TICK")
	bump = service.Cmd[*ball, *ball]("BUMP")
	// Without types: an integer, and an integer as the answer.
	count = "COUNT"
	add   = "ADD"
)

var (
	peerDefinition = service.Def("peer", startPeer)
	// inlinePeer says that its handlers do not block.
	inlinePeer = service.Def("peer", startPeer, service.Inline)
)

func startPeer(c *service.Context, _ ...any) error {
	handled := 0
	tick.Handle(c, func(*service.Context, *ball) (any, error) { handled++; return nil, nil })
	bump.Handle(c, func(_ *service.Context, b *ball) (*ball, error) { b.n++; return b, nil })
	c.Handle(count, service.P1(func(_ *service.Context, n int) error { handled += n; return nil }))
	c.Handle(add, service.F1(func(_ *service.Context, n int) (int, error) { return n + 1, nil }))
	return nil
}

func localRows() []row {
	messages, calls := perSecond("messages"), perSecond("calls")
	return []row{
		{name: "local_send", unit: messages, sides: []side{
			{"", sends("", typedSend)}, {"raw", rawSends}, {"channel", channelSends}, {"untyped", sends("", untypedSend)},
			{"noprofile", sends("profile = false", typedSend)}, {"skynet", onSkynet("local_send")},
		}, goals: []goal{
			atLeast("local_send", 18e6), atLeast("local_send_vs_raw", 0.75), atLeast("local_send_vs_noprofile", 0.95),
			atLeast("local_send_vs_skynet", 1),
		}},
		{name: "fanin", unit: messages, sides: []side{
			{"", fanin}, {"raw", rawFanin}, {"skynet", onSkynet("fanin")},
		}, goals: []goal{atLeast("fanin", 13e6), atLeast("fanin_vs_skynet", 1)}},
		{name: "local_call", unit: calls, sides: []side{
			{"", localCalls(peerDefinition, 1, 1, 1, typedCall)}, {"raw", rawCalls(1, 1, 1)}, {"pingpong", pingPong},
			{"untyped", localCalls(peerDefinition, 1, 1, 1, untypedCall)}, {"inline", localCalls(inlinePeer, 1, 1, 1, typedCall)},
			{"skynet", onSkynet("local_call")},
		}, goals: []goal{
			atLeast("local_call", 2e6), atLeast("local_call_inline", 2e6), atLeast("local_call_vs_raw", 0.7), atMost("local_call_allocs", 1),
			atLeast("local_call_vs_skynet", 1),
		}},
		{name: "local_call_100", unit: calls, sides: []side{
			{"", localCalls(peerDefinition, 1, 100, 1, typedCall)}, {"raw", rawCalls(1, 100, 1)}, {"skynet", onSkynet("local_call_100")},
		}, goals: []goal{atLeast("local_call_100", 1.9e6), atLeast("local_call_100_vs_skynet", 1)}},
		{name: "local_call_10x10", unit: calls, sides: []side{
			{"", localCalls(peerDefinition, 10, 10, 10, typedCall)}, {"raw", rawCalls(10, 10, 10)}, {"skynet", onSkynet("local_call_10x10")},
		}, goals: []goal{atLeast("local_call_10x10", 1.7e6), atLeast("local_call_10x10_vs_skynet", 1)}},
	}
}

func typedSend(c *service.Context, to service.Handle, b *ball) error { return tick.Send(c, to, b) }
func untypedSend(c *service.Context, to service.Handle, b *ball) error {
	b.n++
	return c.Send(to, count, b.n)
}

func typedCall(c *service.Context, to service.Handle, b *ball) error {
	_, err := bump.Call(c, to, b)
	return err
}

func untypedCall(c *service.Context, to service.Handle, b *ball) error {
	b.n++
	_, err := c.Call(to, add, b.n)
	return err
}

// message is one message to a service, which may be a call.
type message func(c *service.Context, to service.Handle, b *ball) error

// sends is one service that sends to another.
func sends(settings string, send message) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		n, peers, err := peersOn(e, settings, peerDefinition, 1)
		some := e.some(burst)
		return work{do: func(m *meter, ops int) error {
			return in(n, func(c *service.Context) error {
				b := new(ball)
				m.start()
				done := 0
				for ; done < ops; done += some {
					for range some {
						if err := send(c, peers[0], b); err != nil {
							return err
						}
					}
					if err := typedCall(c, peers[0], b); err != nil { // comes after all that was sent
						return err
					}
				}
				m.stop(done)
				return nil
			})
		}}, err
	}
}

func peersOn(e *env, settings string, def *service.Definition, k int) (*service.Node, []service.Handle, error) {
	n, err := startNode(e, settings, def)
	if err != nil {
		return nil, nil, err
	}
	peers, err := launch(n, "peer", k)
	return n, peers, err
}

func rawSends(e *env) (work, error) {
	q := newQueue()
	go q.read()
	e.atEnd(func() error { q.push(letter{}); return nil })
	return work{do: letters(e.some(burst), q.push)}, nil
}

func channelSends(e *env) (work, error) {
	ch := make(chan letter, 1024)
	go readChannel(ch)
	e.atEnd(func() error { close(ch); return nil })
	return work{do: letters(e.some(burst), func(l letter) { ch <- l })}, nil
}

// letters is sends without a framework.
func letters(some int, push func(letter)) func(m *meter, ops int) error {
	return func(m *meter, ops int) error {
		b := new(ball)
		m.start()
		done := 0
		for ; done < ops; done += some {
			for range some {
				push(letter{cmd: string(tick), arg: b})
			}
			all := make(chan struct{})
			push(letter{cmd: "all", all: all})
			<-all
		}
		m.stop(done)
		return nil
	}
}

// faninSenders is how many send to one, a burst each, before they wait.
const faninSenders = 100

func fanin(e *env) (work, error) {
	n, peers, err := peersOn(e, "", peerDefinition, 1)
	if err != nil {
		return work{}, err
	}
	workers, err := launch(n, "worker", faninSenders)
	some := e.some(burst)
	return work{do: func(m *meter, ops int) error {
		return in(n, func(c *service.Context) error {
			m.start()
			done := 0
			for ; done < ops; done += faninSenders * some {
				if err := have(c, workers, func(c *service.Context, _ int) error {
					b := new(ball)
					for range some {
						if err := typedSend(c, peers[0], b); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					return err
				}
				if err := typedCall(c, peers[0], new(ball)); err != nil {
					return err
				}
			}
			m.stop(done)
			return nil
		})
	}}, err
}

func rawFanin(e *env) (work, error) {
	q := newQueue()
	go q.read()
	e.atEnd(func() error { q.push(letter{}); return nil })
	some := e.some(burst)
	return work{do: func(m *meter, ops int) error {
		m.start()
		done := 0
		for ; done < ops; done += faninSenders * some {
			var senders sync.WaitGroup
			for range faninSenders {
				senders.Go(func() {
					b := new(ball)
					for range some {
						q.push(letter{cmd: string(tick), arg: b})
					}
				})
			}
			senders.Wait()
			all := make(chan struct{})
			q.push(letter{cmd: "all", all: all})
			<-all
		}
		m.stop(done)
		return nil
	}}, nil
}

// localCalls is callers services with coroutines each; coroutine i of each calls
// peer i, modulo their number, again and again.
func localCalls(def *service.Definition, callers, coroutines, peers int, call message) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		n, to, err := peersOn(e, "", def, peers)
		if err != nil {
			return work{}, err
		}
		workers, err := launch(n, "worker", callers)
		return work{do: func(m *meter, ops int) error {
			each := ops/(callers*coroutines) + 1
			return in(n, func(c *service.Context) error {
				m.start()
				err := have(c, workers, func(c *service.Context, _ int) error {
					return together(c, coroutines, func(c *service.Context, i int) error {
						b := new(ball)
						for range each {
							if err := call(c, to[i%peers], b); err != nil {
								return err
							}
						}
						return nil
					})
				})
				m.stop(each * callers * coroutines)
				return err
			})
		}}, err
	}
}

// rawCalls is localCalls between bare mailboxes.
func rawCalls(callers, coroutines, peers int) func(e *env) (work, error) {
	return func(*env) (work, error) {
		to := make([]*mailbox, peers)
		for i := range to {
			to[i] = &mailbox{handle: func(b *ball) *ball { b.n++; return b }}
		}
		return work{do: func(m *meter, ops int) error {
			each := ops/(callers*coroutines) + 1
			var all sync.WaitGroup
			all.Add(callers * coroutines)
			m.start()
			for range callers {
				from := new(mailbox)
				for i := range coroutines {
					from.post(mail{code: func() {
						b := new(ball)
						for range each {
							b = from.call(to[i%peers], b)
						}
						all.Done()
					}})
				}
			}
			all.Wait()
			m.stop(each * callers * coroutines)
			return nil
		}}, nil
	}
}

// pingPong is two goroutines and two channels.
func pingPong(e *env) (work, error) {
	there, back := make(chan *ball), make(chan *ball)
	go func() {
		for b := range there {
			b.n++
			back <- b
		}
	}()
	e.atEnd(func() error { close(there); return nil })
	return work{do: func(m *meter, ops int) error {
		b := new(ball)
		m.start()
		for range ops {
			there <- b
			b = <-back
		}
		m.stop(ops)
		return nil
	}}, nil
}
