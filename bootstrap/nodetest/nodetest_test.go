package nodetest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

func Example() {
	echo := service.Def("echo", func(c *service.Context, _ ...any) error {
		c.Handle("ECHO", service.F1(func(_ *service.Context, s string) (string, error) { return s, nil }))
		return nil
	})
	test := func(t *testing.T) {
		n := nodetest.Start(t, nodetest.Services(echo), nodetest.Env("key", "value"))
		n.Run(func(c *service.Context) error {
			h, err := c.NewService("echo")
			if err != nil {
				return err
			}
			_, err = service.Call[string](c, h, "ECHO", c.Getenv("key"))
			return err
		})
		n.Log.Wait(t, "LAUNCH snlua echo")
	}
	_ = test
}

func TestNodeEndsWithItsTest(t *testing.T) {
	var node *actor.Node
	t.Run("test", func(t *testing.T) { node = nodetest.Start(t).Node })
	if left := node.Services(); len(left) != 0 {
		t.Errorf("%d services are left", len(left))
	}
}

func TestTryStart(t *testing.T) {
	errStart := errors.New("no luck")
	bad := service.Def("bad", func(*service.Context, ...any) error { return errStart })
	if _, err := nodetest.TryStart(t, nodetest.Services(bad), nodetest.Env("start", "bad")); !errors.Is(err, errStart) {
		t.Errorf("a start that fails: %v", err)
	}
	if _, err := nodetest.TryStart(t, nodetest.Env("thread", "0")); err == nil || !strings.Contains(err.Error(), "thread") {
		t.Errorf("a config that is refused: %v", err)
	}
}

func TestLog(t *testing.T) {
	var cfg *bootstrap.Config
	n := nodetest.Start(t, nodetest.Config(func(c *bootstrap.Config) { cfg = c }))
	if cfg == nil || cfg.Node.Logger != actor.Logger(n.Log) {
		t.Error("the node's own logger is another one")
	}
	n.Run(func(c *service.Context) error {
		c.Fork(func(c *service.Context) { c.Error("first"); c.Error("second") })
		return nil
	})
	if got := n.Log.Wait(t, "econd"); !strings.HasSuffix(got, "] second") {
		t.Errorf("Wait gave %q", got)
	}
	if got := n.Log.Count("] first"); got != 1 {
		t.Errorf("Count gave %d", got)
	}
	n.Log.Lines()[0] = "changed"
	if got := n.Log.Count("changed"); got != 0 {
		t.Error("Lines gave no copy")
	}
	n.Stop()
	n.Stop() // does no harm
}
