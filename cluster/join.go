package cluster

import (
	"context"

	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
)

// joinAside is from how many bytes on parts are joined off the baton.
const joinAside = 256 << 10

// Join returns the message that complete parts make. For a large one it blocks,
// so that the service can go on with small ones meanwhile; the error is that of
// a service that ends.
func Join(c *service.Context, parts *wire.Assembly) ([]byte, error) {
	if parts.Held() < joinAside {
		whole, _ := parts.Bytes()
		return whole, nil
	}
	return service.Await(c, func(context.Context) ([]byte, error) {
		whole, _ := parts.Bytes()
		return whole, nil
	})
}
