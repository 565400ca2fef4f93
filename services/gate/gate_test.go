package gate_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

func TestB100Open(t *testing.T) {
	w := newWorld(t)
	out := w.command(gate.CmdOpen, lualike.Map(map[string]any{"address": "127.0.0.1", "port": 0, "nodelay": true}))
	port, _ := out.At(1).(int64)
	if len(out) != 2 || out.At(0) != "127.0.0.1" || port <= 0 {
		t.Fatalf("open returns %v", out)
	}
	if !w.log.has("Listen on 127.0.0.1 0") {
		t.Errorf("log:\n%s", w.log)
	}
	if _, err := w.call(gate.CmdOpen, gate.OpenConfig{Port: new(int)}); !errors.Is(err, service.ErrCallFailed) {
		t.Errorf("second open: %v", err)
	}

	other := newWorld(t)
	taken := int(port)
	_, err := other.call(gate.CmdOpen, gate.OpenConfig{Address: "127.0.0.1", Port: &taken})
	if !errors.Is(err, service.ErrCallFailed) {
		t.Errorf("open of a used port: %v", err)
	}
	if !strings.Contains(other.log.String(), "Listen error") {
		t.Errorf("log:\n%s", other.log)
	}
	w.command(gate.CmdClose)
	eventuallyOpen(t, other, taken)
	if line := fmt.Sprintf("Listen on 127.0.0.1 %d", port); !other.log.has(line) {
		t.Errorf("no %q in the log:\n%s", line, other.log)
	}
}

// eventuallyOpen opens a gate at a port that was just given up.
func eventuallyOpen(t *testing.T, w *world, port int) {
	t.Helper()
	out := w.command(gate.CmdOpen, gate.OpenConfig{Port: &port})
	if out.At(0) != gate.DefaultAddress || out.At(1) != int64(port) {
		t.Errorf("open returns %v", out)
	}
}

func TestOpenAddresses(t *testing.T) {
	for _, test := range []struct {
		conf    map[string]any
		address string
		line    string
	}{
		{map[string]any{"address": "127.0.0.1:0"}, "127.0.0.1", "Listen on 127.0.0.1:0 nil"},
		{map[string]any{"port": 0}, "127.0.0.1", "Listen on 127.0.0.1 0"},
		{map[string]any{"address": "0.0.0.0", "port": 0}, "0.0.0.0", "Listen on 0.0.0.0 0"},
		{map[string]any{"address": "127.0.0.1"}, "", "Listen on 127.0.0.1 nil"},
		{map[string]any{}, "", "Listen on  nil"},
		{map[string]any{"doors": lualike.Array("")}, "", "Listen on "},
		{map[string]any{"doors": lualike.Array("ws:///play")}, "", "Listen on ws:///play"},
	} {
		w := newWorld(t)
		out, err := w.call(gate.CmdOpen, lualike.Map(test.conf))
		if test.address == "" && err == nil || test.address != "" && (err != nil || out.At(0) != test.address) {
			t.Errorf("%v: %v, %v", test.conf, out, err)
		}
		if !w.log.has(test.line) {
			t.Errorf("%v: no %q in the log:\n%s", test.conf, test.line, w.log)
		}
	}
}

func TestOpenTypedWithAnotherWatchdog(t *testing.T) {
	w := newWorld(t)
	var err error
	caller := make(chan struct{})
	service.Install(w.node, service.Def("caller", func(c *service.Context, _ ...any) error {
		defer close(caller)
		var out lualike.Args
		out, err = c.Call(w.gate, gate.CmdOpen, gate.OpenConfig{Port: new(int), Watchdog: w.watchdog})
		w.addr = fmt.Sprintf("%v:%v", out.At(0), out.At(1))
		return nil
	}))
	if _, lerr := service.Launch(w.node, "caller"); lerr != nil {
		t.Fatal(lerr)
	}
	<-caller
	if err != nil {
		t.Fatal(err)
	}
	w.client(2)
}

func TestB101NothingBeforeAccept(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{})
	cl := w.client(2)
	cl.send("early", "")
	other := w.client(3)
	other.send("other")
	w.command(gate.CmdAccept, 3)
	w.want("socket data 3 other")
	w.nothing()
	w.command(gate.CmdAccept, 2)
	w.want("socket data 2 early")
	w.want("socket data 2 ")
}

func TestB102Forward(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{})
	cl := w.client(2)
	want := func(source service.Handle, text string) {
		t.Helper()
		m := w.packet()
		if data, _ := m.Data.([]byte); m.Session != 2 || m.Source != source || string(data) != text {
			t.Fatalf("got %v, want %q from %s", m, text, source)
		}
	}
	w.command(gate.CmdForward, 2)
	cl.send("to the caller")
	want(w.gate, "to the caller")
	w.command(gate.CmdForward, 2, 99)
	cl.send("as 99")
	want(99, "as 99")
	w.command(gate.CmdAccept, 2)
	cl.send("accepted", strings.Repeat("x", 65535))
	w.want("socket data 2 accepted")
	w.want("socket data 2 %s", strings.Repeat("x", 65535))

	var agent service.Handle
	packets := make(chan service.Message, 1)
	service.Install(w.node, service.Def("agent", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeClient, func(_ *service.Context, m service.Message) { packets <- m })
		return nil
	}))
	agent, err := service.Launch(w.node, "agent")
	if err != nil {
		t.Fatal(err)
	}
	w.command(gate.CmdForward, 2, nil, agent)
	cl.send("to the agent")
	if m := <-packets; string(m.Data.([]byte)) != "to the agent" || m.Source != w.gate {
		t.Errorf("got %v", m)
	}
	w.nothing()
}

func TestB103Kick(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{})
	cl := w.client(2)
	w.command(gate.CmdAccept, 2)
	cl.send("before")
	w.want("socket data 2 before")
	w.command(gate.CmdKick, 2)
	w.want("socket close 2")
	cl.wantEOF()
	cl.send("after")
	cl.close()
	w.command(gate.CmdKick, 2)
	w.command(gate.CmdKick, 99)
	w.nothing()
	for _, cmd := range []string{gate.CmdAccept, gate.CmdForward} {
		for _, fd := range []int{2, 99, 1} {
			if _, err := w.call(cmd, fd); !errors.Is(err, service.ErrCallFailed) || !strings.Contains(err.Error(), "assertion failed!") {
				t.Errorf("%s %d: %v", cmd, fd, err)
			}
		}
	}
}

// A client that has left, which the gate will learn next, is nobody's mistake.
func TestCommandsForOneWhoHasJustLeft(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{})
	w.client(2)
	// The gate is kept in a line of its log until the commands are in its mailbox,
	// in front of the close message.
	const nonsense = "nonsense"
	held, release := make(chan struct{}), make(chan struct{})
	w.log.setSeen(func(text string) {
		if strings.Contains(text, nonsense) {
			close(held)
			<-release
		}
	})
	w.do(func(c *service.Context) {
		defer close(release)
		if err := c.Send(w.gate, nonsense); err != nil {
			t.Error(err)
		}
		<-held
		for _, cmd := range []string{gate.CmdKick, gate.CmdAccept, gate.CmdForward} {
			if err := c.Send(w.gate, cmd, 2); err != nil {
				t.Error(err)
			}
		}
		// Behind the gate's back; until it is released it has no way to know.
		if err := socket.Close(c, 2); err != nil {
			t.Error(err)
		}
	})
	w.want("socket close 2")
	w.nothing()
	if l := w.log.String(); strings.Count(l, "lua call") != 1 { // the nonsense
		t.Errorf("log:\n%s", l)
	}
}

// Nor is one of whose end the watchdog will learn next: nobody waits for the
// answer, so there is no line in the log, which any peer could fill. One that
// never was is a mistake.
func TestCommandsForOneWhoHasLeft(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{})
	w.client(2).close()
	w.want("socket close 2")
	for _, fd := range []int{2, 99} {
		for _, cmd := range []string{gate.CmdAccept, gate.CmdForward} {
			w.do(func(c *service.Context) {
				if err := c.Send(w.gate, cmd, fd); err != nil {
					t.Error(err)
				}
			})
		}
	}
	w.command(gate.CmdKick, 2) // is behind them
	w.nothing()
	if l := w.log.String(); strings.Count(l, "assertion failed!") != 2 {
		t.Errorf("log:\n%s", l)
	}
}

func TestB104ClientLeaves(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{})
	fd := 1
	for _, how := range []string{gate.CmdAccept, gate.CmdForward} {
		for name, leave := range map[string]func(cl *client){
			"close":      func(cl *client) { cl.close() },
			"half-close": func(cl *client) { _ = cl.CloseWrite() },
			"reset":      func(cl *client) { cl.reset() },
			"unfinished": func(cl *client) { _, _ = cl.Write([]byte("\x00\x09part")); cl.close() },
		} {
			fd++
			cl := w.client(fd)
			w.command(how, fd)
			leave(cl)
			if name == "reset" {
				w.want("socket error %d Connection reset by peer", fd)
			}
			w.want("socket close %d", fd)
			w.nothing()
			cl.close()
		}
	}
}

// Here the place of a client that was never accepted is freed.
func TestB105NeverAccepted(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{MaxClient: new(1)})
	for fd := 2; fd < 6; fd++ {
		cl := w.client(fd)
		if fd == 4 {
			cl.reset()
			w.want("socket error %d Connection reset by peer", fd)
		} else {
			cl.close()
		}
		w.want("socket close %d", fd)
	}
}

// Here maxclient is exact.
func TestB106MaxClient(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{MaxClient: new(4)})
	for fd := 2; fd <= 5; fd++ {
		w.client(fd)
	}
	refused := w.connect()
	w.want("socket close 6")
	refused.wantEnd()
	w.command(gate.CmdKick, 3)
	w.want("socket close 3")
	w.client(7)
	for fd := 8; fd < 27; fd++ {
		w.connect().wantEnd()
		w.want("socket close %d", fd)
	}
	w.nothing()
	// 1 to 10, 16.
	if lines := strings.Count(w.log.String(), ", there are 4 clients ("); lines != 11 {
		t.Errorf("%d lines for 20 refused clients:\n%s", lines, w.log)
	}
}

// Who is not in the list is closed at once, and the log is not filled with that.
func TestAllow(t *testing.T) {
	w := newWorld(t)
	if _, err := w.call(gate.CmdOpen, gate.OpenConfig{Port: new(int), Allow: []string{"10.0.0.0"}}); err == nil {
		t.Error("10.0.0.0 passed for a network")
	}
	w.open(gate.OpenConfig{Allow: []string{"10.0.0.0/8", "::1/128"}})
	fd := 2
	for ; fd < 22; fd++ {
		w.connect().wantEnd()
		w.want("socket close %d", fd)
	}
	// 1 to 10, 16.
	if lines := strings.Count(w.log.String(), "Refused 127.0.0.1:"); lines != 11 {
		t.Errorf("%d lines for 20 refused clients", lines)
	}
	w.command(gate.CmdClose)
	w.open(gate.OpenConfig{Allow: []string{"10.0.0.0/8", "127.0.0.0/8"}})
	w.client(fd + 1)

	// Clients that are in stay.
	w.command(gate.CmdAllow, []string{"10.0.0.0/8"})
	if _, err := w.call(gate.CmdAllow, []string{"127.0.0.0/8", "127.0.0.1"}); err == nil {
		t.Error("127.0.0.1 passed for a network")
	}
	w.connect().wantEnd()
	w.want("socket close %d", fd+2)
	w.command(gate.CmdAllow)
	w.client(fd + 3)
	w.nothing()
}

func TestB107Close(t *testing.T) {
	w := newWorld(t)
	if _, err := w.call(gate.CmdClose); !errors.Is(err, service.ErrCallFailed) {
		t.Errorf("close of a gate that is not open: %v", err)
	}
	w.open(gate.OpenConfig{})
	cl := w.client(2)
	w.command(gate.CmdClose)
	if nc, err := net.Dial("tcp", w.addr); err == nil {
		nc.Close()
		t.Error("it listens still")
	}
	w.command(gate.CmdAccept, 2)
	cl.send("on")
	w.want("socket data 2 on")
	if _, err := w.call("nonsense"); !errors.Is(err, service.ErrCallFailed) {
		t.Errorf("unknown command: %v", err)
	}
	w.open(gate.OpenConfig{})
	w.client(4)
	w.nothing()
}

func TestWarning(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{})
	cl := w.client(2)
	w.do(func(c *service.Context) {
		if err := socket.Write(c, 2, make([]byte, 1<<20+1)); err != nil {
			t.Error(err)
		}
	})
	w.want("socket warning 2 1025")
	if _, err := cl.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	go cl.wantEnd()
	w.want("socket warning 2 0")
	w.command(gate.CmdKick, 2)
	w.want("socket close 2")
}

// The gate's end is the end of its clients.
func TestGateEnds(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{})
	cl := w.client(2)
	w.do(func(c *service.Context) { _ = c.Kill(w.gate) })
	cl.wantEnd()
	if nc, err := net.Dial("tcp", w.addr); err == nil {
		nc.Close()
		t.Error("it listens still")
	}
	w.nothing()
}
