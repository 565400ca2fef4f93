// Command cluster2 is a port of examples/cluster2.lua of Skynet: the client of
// examples/cluster1, this one or Skynet's.
package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/internal/pingserver"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/snax"
)

func start(c *service.Context, _ ...any) error {
	proxy, err := cluster.Proxy(c, "db@sdb") // the same as cluster.Proxy(c, "db", "@sdb")
	if err != nil {
		return err
	}
	largeKey := strings.Repeat("X", 128*1024)
	largeValue := strings.Repeat("R", 100*1024)
	if _, err := c.Call(proxy, "SET", largeKey, largeValue); err != nil {
		return err
	}
	v, err := service.Call[string](c, proxy, "GET", largeKey)
	if err != nil {
		return err
	}
	if v != largeValue {
		return errors.New("the large value came back changed")
	}
	if err := c.Send(proxy, "PING", "proxy"); err != nil {
		return err
	}
	c.Fork(func(c *service.Context) {
		printAll(cluster.Call(c, "db", "@sdb", "GET", "a"))
		printAll(cluster.Call(c, "db2", "@sdb", "GET", "b"))
		if err := cluster.Send(c, "db2", "@sdb", "PING", "db2:longstring"+largeValue); err != nil {
			c.Error(err)
		}
	})
	c.Timeout(3*time.Second, func(c *service.Context) {
		if err := cluster.Reload(c, cluster.Table{
			"db":  false, // db is down
			"db3": "127.0.0.1:2529",
		}); err != nil {
			c.Error(err)
		}
		_, err := cluster.Call(c, "db", "@sdb", "GET", "a")
		fmt.Println(err == nil, err)
	})
	if err := cluster.Reload(c, cluster.Table{"__nowaiting": false}); err != nil {
		return err
	}
	server, err := cluster.Snax(c, "db3", pingserver.Interface) // waits until the timer names db3
	if err != nil {
		return err
	}
	text, err := snax.Req[string](c, server, "ping", "hello")
	fmt.Println(text)
	return err
}

func printAll(vals []any, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(vals...)
}

func main() { bootstrap.Main(service.Def("cluster2", start)) }
