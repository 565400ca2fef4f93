package guide_test

import (
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// chat is the watchdog of a gate: what one client says all get.
type chat struct {
	gate    service.Handle
	clients map[socket.FD]string // and their addresses
}

func startChat(c *service.Context, _ ...any) error {
	h, err := c.NewService(gate.Name)
	if err != nil {
		return err
	}
	s := &chat{gate: h, clients: map[socket.FD]string{}}
	c.Handle(gate.EventName, service.P3(s.event))
	addr, err := c.Call(h, gate.CmdOpen, gate.OpenConfig{
		Doors:  []string{"127.0.0.1:0", "ws://127.0.0.1:0/chat"},
		Limits: socket.Limits{MaxPacket: 1000, Idle: time.Minute},
	})
	if err != nil {
		return err
	}
	c.Logf("chat at %v:%v", addr.At(0), addr.At(1))
	return nil
}

// event gets what the gate tells: of whom, and where he is from or what he says;
// of a warning a number.
func (s *chat) event(c *service.Context, what string, fd socket.FD, value any) error {
	text, _ := value.(string)
	switch what {
	case gate.EventOpen:
		s.clients[fd] = text
		return c.Send(s.gate, gate.CmdAccept, fd) // now he may speak
	case gate.EventData:
		all := slices.Collect(maps.Keys(s.clients))
		_, err := gate.Broadcast(c, all, []byte(s.clients[fd]+": "+text))
		return err
	case gate.EventClose:
		delete(s.clients, fd)
	}
	return nil
}

func TestChat(t *testing.T) {
	n := nodetest.Start(t, nodetest.Services(service.Def("chat", startChat)))
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("chat")
		if err == nil {
			_, err = c.Call(h, gate.EventName, gate.EventWarning, 7, 1024)
		}
		return err
	})
	_, addr, _ := strings.Cut(n.Log.Wait(t, "chat at "), "chat at ")
	conn, err := net.Dial("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write([]byte("\x00\x05hello")); err != nil {
		t.Fatal(err)
	}
	want := conn.LocalAddr().String() + ": hello"
	got := make([]byte, 2+len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got[2:]) != want {
		t.Fatalf("got %q, %v", got, err)
	}
}
