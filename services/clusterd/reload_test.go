package clusterd_test

import (
	"fmt"
	"net"
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
