package gate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Write sends packet, of socket.MaxFrame bytes at most, to a client of a gate of
// this node, whichever door that came through. The packet must not be changed
// after.
func Write(c *service.Context, fd socket.FD, packet []byte) error {
	return socket.WritePacket(c, fd, packet)
}

// WriteNow is Write by a handler that is not about to write more: it saves the
// way over another goroutine, and answers to packets that came together go out
// together, see socket.WritePacketNow.
func WriteNow(c *service.Context, fd socket.FD, packet []byte) error {
	return socket.WritePacketNow(c, fd, packet)
}

// Broadcast sends packet to many clients; it is made a frame once, and what is
// long is not copied. It returns those that are there no more.
func Broadcast(c *service.Context, fds []socket.FD, packet []byte) (gone []socket.FD, err error) {
	if len(packet) > socket.MaxFrame {
		return nil, fmt.Errorf("gate: broadcast: %w", socket.ErrPacketSize)
	}
	frame := append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	for _, fd := range fds {
		if err := socket.Write(c, fd, frame); errors.Is(err, socket.ErrClosed) {
			gone = append(gone, fd)
		}
	}
	return gone, nil
}

// Client is what CmdStat returns of a client.
type Client struct {
	FD      socket.FD     `lua:"fd"`
	Address string        `lua:"address"`
	Scheme  string        `lua:"scheme"` // of its door: "", "tls://", "ws://", "wss://"
	Age     time.Duration `lua:"age"`
	Read    uint64        `lua:"read"`    // bytes
	Packets uint64        `lua:"packets"` // that it sent
	Written uint64        `lua:"written"` // bytes
	Writes  uint64        `lua:"writes"`  // system calls
	Pending int           `lua:"pending"` // bytes that wait to be sent
	Dropped uint64        `lua:"dropped"` // bytes, by socket.OverflowDrop
}

func (g *gate) stat(c *service.Context) ([]Client, error) {
	clients := make([]Client, 0, len(g.clients))
	for _, s := range socket.Info(c.Node()) {
		if _, ok := g.clients[s.FD]; ok {
			clients = append(clients, Client{
				FD: s.FD, Address: s.Peer, Scheme: s.Scheme, Age: time.Since(s.Since), Read: s.Read, Packets: s.Packets,
				Written: s.Written, Writes: s.Writes, Pending: s.Pending, Dropped: s.Dropped,
			})
		}
	}
	return clients, nil
}
