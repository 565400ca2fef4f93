package service_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/launcher"
	"github.com/skynetgo/skynet/services/servicemgr"
)

// patience is how long a test waits for what must happen at last.
const patience = 60 * time.Second

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// node is a node with a launcher and a service manager, and what it has logged.
type node struct {
	*service.Node
	mu    sync.Mutex
	lines []string
}

func (n *node) Log(source service.Handle, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf("[%s] %s", source, text))
}

// logged reports whether text stands in the log.
func (n *node) logged(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Contains(strings.Join(n.lines, "\n")+"\n", text)
}

// expectLog waits for text, since some lines come after what they tell of.
func (n *node) expectLog(t testing.TB, text string) {
	t.Helper()
	if n.logged(text) {
		return
	}
	eventually(t, func() bool { return n.logged(text) }, fmt.Sprintf("a log line with %q", text))
}

// newNode makes a node that ends with the test.
func newNode(t testing.TB, isolate bool, defs ...*service.Definition) *node {
	t.Helper()
	n := &node{}
	cfg := actor.DefaultConfig()
	cfg.Logger, cfg.Pool, cfg.StopTimeout = n, actor.GoPool{}, 0
	if isolate {
		cfg.Isolate = service.Isolate
	}
	var err error
	if n.Node, err = actor.NewNode(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	service.Install(n.Node, launcher.Definition(), servicemgr.Definition())
	service.Install(n.Node, defs...)
	h := start(t, n, "launcher")
	if err := n.SetName(launcher.Name, h); err != nil {
		t.Fatal(err)
	}
	start(t, n, "service_mgr")
	return n
}

// both runs f with services that share memory and with such as do not.
func both(t *testing.T, f func(t *testing.T, isolate bool)) {
	for _, isolate := range []bool{false, true} {
		t.Run(fmt.Sprintf("isolate=%v", isolate), func(t *testing.T) { f(t, isolate) })
	}
}

// start starts a service that was installed.
func start(t testing.TB, n *node, name string, args ...any) service.Handle {
	t.Helper()
	h, err := service.Start(context.Background(), n.Node, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// serve installs and starts a service that setUp sets up.
func serve(t testing.TB, n *node, name string, setUp func(c *service.Context)) service.Handle {
	t.Helper()
	service.Install(n.Node, service.Def(name, func(c *service.Context, _ ...any) error {
		setUp(c)
		return nil
	}))
	return start(t, n, name)
}

// do runs f on a coroutine; f must not call t.Fatal.
func do(t testing.TB, n *node, f func(c *service.Context)) {
	t.Helper()
	if err := service.Run(context.Background(), n.Node, func(c *service.Context) error {
		f(c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	alarm := time.NewTimer(patience)
	defer alarm.Stop()
	select {
	case v := <-c:
		return v
	case <-alarm.C:
		buf := make([]byte, 1<<20)
		t.Fatalf("nothing came\n%s", buf[:runtime.Stack(buf, true)])
		panic("unreachable")
	}
}

// eventually waits until ok is true.
func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// until has the coroutine look away until ok; the others run meanwhile.
func until(c *service.Context, ok func() bool) {
	for !ok() && c.Yield() == nil {
		continue
	}
}
