package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// An operator can see into a node.
func TestConsole(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("main", open)), nodetest.Env("node", "alone"), nodetest.Env("console", "127.0.0.1:0"))
	n.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"alone": "127.0.0.1:0"}); err != nil {
			return err
		}
		_, err := c.NewService("main")
		return err
	})
	_, addr, _ := strings.Cut(n.Log.Wait(t, "Start debug console at "), "console at ")
	resp, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
}
