package cluster

import (
	"sync"

	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
)

const (
	// gatherSize is the largest payload of a push that travels with others.
	gatherSize = 1 << 10
	// gatherMost is how much is put together.
	gatherMost = 32 << 10
)

// Pushes are small messages without an answer that a service has sent one after
// the other, as frames. More are added until the clustersender takes them. Its
// methods may be called from any goroutine.
type Pushes struct {
	mu     sync.Mutex
	frames []byte
	count  int
	size   int // of the payloads
	taken  bool
}

// Take returns the frames, how many they are and the size of their payloads.
func (p *Pushes) Take() (frames []byte, count, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = true
	return p.frames, p.count, p.size
}

// add copies a message; false when it can not go with the others.
func (p *Pushes) add(to wire.Addr, payload []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken || len(p.frames) > gatherMost {
		return false
	}
	frames, _, err := wire.AppendPush(p.frames, to, 1, payload)
	if err != nil {
		return false
	}
	p.frames = frames
	p.count++
	p.size += len(payload)
	return true
}

// gather sends a small message with those that this service has sent just
// before. Whatever the service has learned in between, from whoever, may have
// come from a service that has sent something to the same node: then it goes
// after that. False when the message has to go by itself.
func (p *peer) gather(c *service.Context, req Request) (done bool, err error) {
	if len(req.More) > 0 || len(req.Payload) > int(p.link.board.gather.Load()) || c.Node().Config().Isolate != nil {
		return false, nil
	}
	progress := c.Progress()
	if p.pushes != nil && p.progress == progress && p.pushes.add(req.WireAddr(), req.Payload) {
		return true, nil
	}
	pushes := new(Pushes)
	if !pushes.add(req.WireAddr(), req.Payload) {
		return false, nil
	}
	if err = PushesCmd.Send(c, p.sender, pushes); err == nil {
		p.pushes, p.progress = pushes, progress
	}
	return true, err
}
