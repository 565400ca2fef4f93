package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

const (
	chaosServices   = 16
	chaosCoroutines = 10 // in each service
	chaosOutside    = 40 // callers outside of services
	chaosCallers    = chaosServices*chaosCoroutines + chaosOutside
	// chaosGrace is how long after its deadline a call may end on a machine that
	// has much else to do.
	chaosGrace = 10 * time.Second
	// chaosHeap is how much more memory may be in use after it all: buffers of the
	// connection, lists that have grown.
	chaosHeap = 16 << 20
	// chaosBackoff is a Settings.Backoff that lets more happen in the time.
	chaosBackoff = 500 * time.Millisecond
)

// outcome is how a call or a send may end.
type outcome int

const (
	outcomeAnswered outcome = iota
	outcomeTimeout
	outcomeUnsent // the link was down, and the request had not left
	outcomeLost   // it may have
	outcomeCancelled
	outcomePushed
	outcomeRefused // a send
	outcomes
)

func (o outcome) String() string {
	return [...]string{"calls answered", "timed out", "failed, not sent", "failed, sent", "cancelled", "sends", "sends refused"}[o]
}

// chaos is callers on one node that call "peer", an echo service on another,
// through proxies that break their connections.
type chaos struct {
	t       *testing.T
	seed    uint64
	node    *nodetest.Node
	nodes   []*nodetest.Node // and the other one, if it is in Go
	log     *chaosLog
	proxies [2]*chaosProxy
	reload  func(c *service.Context, addr any) error // moves the peer
	targets []any                                    // the ways to address the echo service
	stop    atomic.Bool
	callers atomic.Int64 // that have not ended
	id      atomic.Int64
	counts  [outcomes]atomic.Int64
	late    atomic.Int64 // the longest time that a call took beyond its deadline
	moves   [4]int       // reloads by what they do

	mu     sync.Mutex
	unsent []int64 // the requests that must not have arrived
}

// TestChaos runs for a second; make chaos for as long as it is told. The log has
// the seed; with it the same chances are drawn again, though not in the same order.
func TestChaos(t *testing.T) {
	seed, duration := chaosSettings(t)
	rest := measure()
	t.Run("GoToGo", func(t *testing.T) {
		srv := nodetest.Start(t, new(chaosLog).options(echo(t))...)
		newChaos(t, seed, serveEcho(srv), srv).run(duration)
	})
	rest.again(t, chaosHeap/4, "after the end of the nodes")
}

func chaosSettings(t *testing.T) (seed uint64, duration time.Duration) {
	t.Helper()
	seed, duration = rand.Uint64(), time.Second
	var err error
	if text := os.Getenv("CHAOS_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 0, 64); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("CHAOS_DURATION"); text != "" {
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEED=%d", seed)
	return seed, duration
}

// echo is the service that is called. Every request has a number of its own and
// comes once at most.
func echo(t *testing.T) *service.Definition {
	return service.Def("echo", func(c *service.Context, _ ...any) error {
		var seen []bool
		take := func(id int64, text string) {
			for int64(len(seen)) <= id {
				seen = append(seen, false)
			}
			if seen[id] || text != pattern(id, len(text)) {
				t.Errorf("request %d came wrong, or twice: %.40q", id, text)
			}
			seen[id] = true
		}
		c.Handle("echo", service.F2(func(_ *service.Context, id int64, text string) (string, error) {
			take(id, text)
			return text, nil
		}))
		c.Handle("note", service.P2(func(_ *service.Context, id int64, text string) error {
			take(id, text)
			return nil
		}))
		c.Handle("seen", service.F1(func(_ *service.Context, ids []int64) (n int, err error) {
			for _, id := range ids {
				if id < int64(len(seen)) && seen[id] {
					n++
				}
			}
			return n, nil
		}))
		return nil
	})
}

// serveEcho starts the echo service, as "@echo" and ".echo", and returns where
// the node listens.
func serveEcho(n *nodetest.Node) (addr string) {
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("echo")
		if err == nil {
			err = errors.Join(c.Name(".echo", h), cluster.Register(c, "echo", h))
		}
		if err == nil {
			addr, err = cluster.Open(c, 0)
		}
		return err
	})
	return addr
}

// pattern is a text that only the request with this number has.
func pattern(id int64, size int) string {
	return strings.Repeat(fmt.Sprintf("%016x", id), size/16+1)[:size]
}

// newLinkChaos starts the proxies to the node at addr, and no callers.
func newLinkChaos(t *testing.T, seed uint64, addr string) *chaos {
	t.Helper()
	x := &chaos{t: t, seed: seed, log: new(chaosLog)}
	for i := range x.proxies {
		x.proxies[i] = newChaosProxy(t, addr, seed+uint64(i))
	}
	return x
}

// newChaos starts the calling node, and connects it to the echo service of the
// node at addr, which may be one of others.
func newChaos(t *testing.T, seed uint64, addr string, others ...*nodetest.Node) *chaos {
	t.Helper()
	x := newLinkChaos(t, seed, addr)
	x.reload = func(c *service.Context, addr any) error { return cluster.Reload(c, cluster.Table{"peer": addr}) }
	x.node = client(t, cluster.Table{"direct": addr, "__backoff": chaosBackoff.Seconds()},
		x.log.options(service.Def("caller", x.service))...)
	x.nodes = append(others, x.node)
	x.node.Run(func(c *service.Context) error {
		h, err := cluster.Query(c, "direct", "echo")
		x.targets = []any{h, "@echo", ".echo"}
		return err
	})
	x.move(0)
	x.works("at the start")
	return x
}

// run lets it all happen, and sees that it comes to rest again.
func (x *chaos) run(duration time.Duration) {
	defer x.report()
	services := x.services()
	rest := measure()
	x.callers.Store(chaosCallers)
	x.node.Run(func(c *service.Context) error {
		for i := range chaosServices {
			if _, err := c.NewService("caller", int64(i)); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range chaosOutside {
		go x.outside(x.rand(chaosServices*chaosCoroutines + i + 1))
	}
	x.moveAbout(duration)
	x.stop.Store(true)
	eventually(x.t, "every call has ended", func() bool { return x.callers.Load() == 0 })
	for _, p := range x.proxies {
		p.appease()
	}
	begin := time.Now()
	x.works("after the faults")
	x.t.Logf("the link works again after %v", time.Since(begin))
	x.arrived()
	x.comeBack(services)
	rest.again(x.t, chaosHeap, "when the faults have ended")
}

func (x *chaos) rand(n int) *rand.Rand { return rand.New(rand.NewPCG(x.seed, uint64(n)+1<<16)) }

// moveAbout changes the address of the peer from time to time, to the other proxy
// for the most part; to false, and to a port where nobody listens, for a shorter
// time. It ends with an address that is good.
func (x *chaos) moveAbout(duration time.Duration) {
	r, where := x.rand(0), 0
	tick := time.NewTimer(0)
	defer tick.Stop()
	for end := time.Now().Add(duration); ; {
		pause := time.Duration(50+r.IntN(100)) * time.Millisecond
		if where < len(x.proxies) {
			pause *= 5
		}
		tick.Reset(min(pause, time.Until(end)))
		<-tick.C
		switch {
		case !time.Now().Before(end):
			if where >= len(x.proxies) {
				x.move(0)
			}
			return
		case where < len(x.proxies) && r.IntN(2) == 0:
			where = len(x.proxies) + r.IntN(2)
		default:
			where = r.IntN(len(x.proxies))
		}
		x.move(where)
	}
}

// move has the peer at one of the proxies, down, or where nobody listens. This
// never fails, and never waits for the network.
func (x *chaos) move(where int) {
	var addr any
	switch where {
	case 0, 1:
		addr = x.proxies[where].addr()
	case 2:
		addr = false
	case 3:
		addr = here
	}
	x.moves[where]++
	begin := time.Now()
	if err := service.Run(x.t.Context(), x.node.Node, func(c *service.Context) error { return x.reload(c, addr) }); err != nil {
		x.t.Errorf("reload: %v", err)
	}
	x.took(time.Since(begin))
}

// service is one that holds callers.
func (x *chaos) service(c *service.Context, args ...any) error {
	left := chaosCoroutines
	for i := range chaosCoroutines {
		r := x.rand(int(args[0].(int64))*chaosCoroutines + i + 1)
		c.Fork(func(c *service.Context) {
			defer x.callers.Add(-1)
			for !x.stop.Load() {
				timeout := chaosTimeout(r)
				if r.IntN(4) == 0 {
					timeout = service.Forever
				}
				if r.IntN(8) == 0 {
					x.send(c, r)
				} else if !x.call(c.WithTimeout(timeout), r, timeout) {
					_ = c.Sleep(pauseAfterFailure(r))
				}
			}
			if left--; left == 0 {
				c.Exit()
			}
		})
	}
	return nil
}

// outside is a caller outside of services, whose calls have no deadline but are
// cancelled.
func (x *chaos) outside(r *rand.Rand) {
	defer x.callers.Add(-1)
	for !x.stop.Load() {
		timeout := chaosTimeout(r)
		ctx, cancel := context.WithTimeout(x.t.Context(), timeout)
		ok := false
		_ = service.Run(ctx, x.node.Node, func(c *service.Context) error {
			ok = x.call(c.WithTimeout(service.Forever), r, timeout)
			return nil
		})
		if !ok {
			timer := time.NewTimer(pauseAfterFailure(r))
			<-timer.C
		}
		cancel()
	}
}

// chaosTimeout draws how long an answer is waited for.
func chaosTimeout(r *rand.Rand) time.Duration {
	return time.Duration(20+r.IntN(1500)) * time.Millisecond
}

func pauseAfterFailure(r *rand.Rand) time.Duration {
	return time.Duration(10+r.IntN(40)) * time.Millisecond
}

// chaosSize draws the size of a text: mostly small, some about as large as fits
// into one frame, a few up to 1 MiB.
func chaosSize(r *rand.Rand) int {
	switch dice := r.IntN(100); {
	case dice < 85:
		return r.IntN(200)
	case dice < 99:
		return 0x8000 - 40 + r.IntN(48)
	default:
		return 100<<10 + r.IntN(924<<10)
	}
}

// call makes one call, and sees how it ends: soon after its deadline at the
// latest, if it has one, else when its connection is lost. It reports whether there was an answer.
func (x *chaos) call(c *service.Context, r *rand.Rand, timeout time.Duration) bool {
	id := x.id.Add(1)
	text := pattern(id, chaosSize(r))
	begin := time.Now()
	got, err := cluster.CallAs[string](c, "peer", x.targets[r.IntN(len(x.targets))], "echo", id, text)
	if timeout > 0 {
		x.took(time.Since(begin) - timeout)
	}
	if err == nil && got != text {
		x.t.Errorf("request %d got the answer %.40q", id, got)
	}
	x.ended(id, outcomeAnswered, err)
	return err == nil
}

func (x *chaos) send(c *service.Context, r *rand.Rand) {
	id := x.id.Add(1)
	err := cluster.Send(c, "peer", x.targets[r.IntN(len(x.targets))], "note", id, pattern(id, chaosSize(r)))
	switch {
	case err == nil:
		x.counts[outcomePushed].Add(1)
	case errors.Is(err, cluster.ErrNodeDown):
		x.counts[outcomeRefused].Add(1)
		x.notSent(id)
		_ = c.Sleep(pauseAfterFailure(r))
	default:
		x.t.Errorf("unexpected error of a send: %v", err)
	}
}

func (x *chaos) took(late time.Duration) {
	if late > chaosGrace {
		x.t.Errorf("it ended %v after its time", late)
	}
	for old := x.late.Load(); int64(late) > old && !x.late.CompareAndSwap(old, int64(late)); old = x.late.Load() {
	}
}

// ended counts how a call has ended.
func (x *chaos) ended(id int64, o outcome, err error) {
	var down *cluster.DownError
	switch {
	case err == nil:
	case errors.Is(err, service.ErrTimeout):
		o = outcomeTimeout
	case errors.As(err, &down) && down.Left:
		o = outcomeLost
	case errors.Is(err, cluster.ErrNodeDown):
		o = outcomeUnsent
		x.notSent(id)
	case errors.Is(err, context.DeadlineExceeded):
		o = outcomeCancelled
	default:
		x.t.Errorf("unexpected error of a call: %v", err)
	}
	x.counts[o].Add(1)
}

func (x *chaos) notSent(id int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unsent = append(x.unsent, id)
}

// services lists those of the nodes.
func (x *chaos) services() string {
	var all []string
	for i, node := range x.nodes {
		for _, s := range node.Services() {
			// service.Run keeps its own; bootstrap ends by itself, soon after the start.
			if s.Name() != "run" && s.Name() != "bootstrap" {
				all = append(all, fmt.Sprintf("%d %s", i, s.Name()))
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// comeBack waits until the nodes have the services of the beginning.
func (x *chaos) comeBack(want string) {
	x.t.Helper()
	var got string
	defer func() {
		if got != want {
			x.t.Logf("services: got %s\nwant %s", got, want)
		}
	}()
	eventually(x.t, "the services of the beginning are left", func() bool { got = x.services(); return got == want })
}

// works wants that a call succeeds once the longest pause between attempts to
// connect is over.
func (x *chaos) works(when string) {
	x.t.Helper()
	begin := time.Now()
	for {
		late := time.Since(begin) - chaosBackoff
		err := service.Run(x.t.Context(), x.node.Node, func(c *service.Context) error {
			_, err := cluster.Call(c, "peer", "@echo", "echo", x.id.Add(1), "")
			return err
		})
		switch {
		case err == nil:
			return
		case late > chaosGrace:
			x.t.Fatalf("%s: %v", when, err)
		}
	}
}

// arrived checks that nothing has arrived of what is said not to have left.
func (x *chaos) arrived() {
	x.node.Run(func(c *service.Context) error {
		n, err := cluster.CallAs[int](c, "direct", "@echo", "seen", x.unsent)
		if n > 0 {
			x.t.Errorf("%d of %d requests have arrived that had not left", n, len(x.unsent))
		}
		return err
	})
}

// report prints what has happened.
func (x *chaos) report() {
	var b strings.Builder
	for o := range outcomes {
		if n := x.counts[o].Load(); n > 0 {
			fmt.Fprintf(&b, "%-18s %8d\n", o, n)
		}
	}
	for f := faultDelay; f < faultKinds; f++ {
		fmt.Fprintf(&b, "%-18s %8d\n", f, x.proxies[0].counts[f].Load()+x.proxies[1].counts[f].Load())
	}
	fmt.Fprintf(&b, "%-18s %8d to a proxy, %d to false, %d to nobody\n", "reloads", x.moves[0]+x.moves[1], x.moves[2], x.moves[3])
	fmt.Fprintf(&b, "%-18s %8d\n", "MiB", (x.proxies[0].bytes.Load()+x.proxies[1].bytes.Load())>>20)
	fmt.Fprintf(&b, "%-18s %8v\n", "longest overtime", time.Duration(x.late.Load()))
	x.t.Log("\n" + b.String())
	if x.t.Failed() {
		x.t.Logf("the last lines of the log:\n%s", strings.Join(x.log.last(), "\n"))
	}
}
