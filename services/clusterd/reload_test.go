package clusterd_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

func reload(n *nodetest.Node, table cluster.Table) {
	n.Run(func(c *service.Context) error { return cluster.Reload(c, table) })
}

// Whom a reload lets in holds for the listeners that are open.
func TestReloadAllow(t *testing.T) {
	n := nodetest.Start(t)
	var addr string
	n.Run(func(c *service.Context) (err error) { addr, err = cluster.Open(c, 0); return err })
	connect := func() net.Addr {
		t.Helper()
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		return nc.LocalAddr()
	}
	n.Log.Wait(t, fmt.Sprintf("socket accept from %s", connect()))
	reload(n, cluster.Table{"__allow": "10.0.0.0/8"})
	n.Log.Wait(t, fmt.Sprintf("Refused %s, which is not allowed", connect()))
	reload(n, cluster.Table{"__allow": ""})
	n.Log.Wait(t, fmt.Sprintf("socket accept from %s", connect()))
}

// An option that is written wrong has no effect, which the log says.
func TestUnknownOption(t *testing.T) {
	n := nodetest.Start(t)
	reload(n, cluster.Table{"__backof": 1, "__backoff": 1})
	n.Log.Wait(t, "Config backof = 1, which is no option here")
	if l := n.Log.Wait(t, "Config backoff = 1"); !strings.HasSuffix(l, " = 1") {
		t.Errorf("got %q", l)
	}
}

// A node named by an address that nobody can have is not waited for.
func TestAddressWithBadPort(t *testing.T) {
	n := nodetest.Start(t)
	for addr, text := range map[string]string{
		"127.0.0.1:99999":  "invalid port",
		"127.0.0.1:nosuch": "unknown port",
	} {
		n.Run(func(c *service.Context) error {
			_, err := cluster.Call(c.WithTimeout(service.Forever), addr, "@sdb", "echo")
			if !errors.Is(err, cluster.ErrNodeDown) || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v", addr, err)
			}
			return nil
		})
	}
}
