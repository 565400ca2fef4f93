// Command cluster1 is a port of examples/cluster1.lua of Skynet: a simpledb that
// other nodes reach as "@sdb", behind the node names db and db2, and a snax
// service. Its client is examples/cluster2, this one or Skynet's.
package main

import (
	"fmt"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/examples/internal/pingserver"
	"github.com/skynetgo/skynet/examples/internal/simpledb"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/snax"
)

func start(c *service.Context, _ ...any) error {
	if err := cluster.Reload(c, cluster.Table{
		"db":  "127.0.0.1:2528",
		"db2": "127.0.0.1:2529",
	}); err != nil {
		return err
	}
	sdb, err := c.NewService("simpledb")
	if err != nil {
		return err
	}
	if err := cluster.Register(c, "sdb", sdb); err != nil {
		return err
	}
	if err := cluster.Unregister(c, "sdb"); err != nil {
		return err
	}
	if err := cluster.Register(c, "sdb", sdb); err != nil {
		return err
	}
	for _, args := range [][]any{{"SET", "a", "foobar"}, {"SET", "b", "foobar2"}, {"GET", "a"}, {"GET", "b"}} {
		v, err := c.Call(sdb, args...)
		if err != nil {
			return err
		}
		if v.At(0) == nil {
			fmt.Println("nil")
		} else {
			fmt.Println(v...)
		}
	}
	for _, node := range []string{"db", "db2"} {
		if _, err := cluster.Open(c, node); err != nil {
			return err
		}
	}
	_, err = snax.UniqueService(c, pingserver.Interface)
	return err
}

func main() {
	bootstrap.Main(simpledb.Definition(), pingserver.Definition(), service.Def("cluster1", start))
}
