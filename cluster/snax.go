package cluster

import (
	"fmt"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/snax"
)

// Snax returns the snax service of another node that i describes, which must
// have called enablecluster (cluster.snax). addr is a Handle or a name as for
// Call; without it the service is the unique one of its name, and Snax blocks
// until that node has started it.
func Snax(c *service.Context, node string, i *snax.Interface, addr ...any) (snax.Object, error) {
	if len(addr) == 0 {
		h, err := querySnax(c, node, i.Name())
		if err != nil {
			return snax.Object{}, fmt.Errorf("cluster.Snax: %w", err)
		}
		addr = []any{h}
	}
	h, err := Proxy(c, node, addr[0])
	if err != nil {
		return snax.Object{}, fmt.Errorf("cluster.Snax %s: %w", i.Name(), err)
	}
	return snax.Bind(h, i), nil
}

// querySnax asks the service manager of another node, which answers nil and a
// text when the service has failed to start.
func querySnax(c *service.Context, node, name string) (service.Handle, error) {
	const manager = ".service"
	vals, err := Call(c, node, manager, "QUERY", "snaxd", name)
	if err == nil && vals.At(0) == nil {
		err = &RemoteError{Node: node, Addr: manager, Text: fmt.Sprint(vals.At(1))}
	}
	if err != nil {
		return 0, err
	}
	return lualike.As[service.Handle](vals.At(0))
}
