package gate_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// However many come at once, as many as maxclient are let in, and again when all
// have left.
func TestMaxClientExact(t *testing.T) {
	for _, most := range []int{1, 4, 1000} {
		w := newWorld(t)
		w.open(gate.OpenConfig{MaxClient: &most})
		for range 2 {
			var in []*client
			for range most + 10 {
				in = append(in, w.connect())
			}
			opened, refused := map[string]bool{}, 0
			for len(opened)+refused < len(in) {
				switch e := strings.Fields(<-w.events); e[1] {
				case gate.EventOpen:
					opened[e[2]] = true
				case gate.EventClose:
					refused++
				}
			}
			if len(opened) != most || refused != 10 {
				t.Fatalf("%d: %d let in, %d refused", most, len(opened), refused)
			}
			for _, cl := range in {
				cl.close()
			}
			for range most {
				e := strings.Fields(<-w.events)
				if e[1] != gate.EventClose || !opened[e[2]] {
					t.Fatalf("got %v", e)
				}
				delete(opened, e[2])
			}
		}
		w.nothing()
	}
}

func TestMaxPerAddress(t *testing.T) {
	w := newWorld(t)
	w.open(gate.OpenConfig{MaxPerAddress: 2})
	first := w.client(2)
	w.client(3)
	w.connect().wantEnd()
	w.want("socket close 4")
	first.close()
	w.want("socket close 2")
	w.client(5)
	w.connect().wantEnd()
	w.want("socket close 6")
	w.nothing()
	if !strings.Contains(w.log.String(), ", there are 2 clients of this address (2 so far)") {
		t.Errorf("log:\n%s", w.log)
	}
}

// One address can not hold a door with handshakes that it does not finish.
func TestMaxPerAddressInHandshakes(t *testing.T) {
	w := newWorld(t)
	cert, key, ca := nodetest.NewAuthority(t).Write(t.TempDir())
	mutual, err := socket.MutualTLS(cert, key, ca, nil)()
	if err != nil {
		t.Fatal(err)
	}
	tc := &tls.Config{RootCAs: mutual.RootCAs, ServerName: "127.0.0.1"}
	out := w.command(gate.CmdOpen, gate.OpenConfig{
		Doors: []string{"tls://127.0.0.1:0", "ws://127.0.0.1:0", "wss://127.0.0.1:0"},
		Cert:  cert, Key: key, MaxPerAddress: 2,
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: tc, DisableKeepAlives: true}}
	upgrade := func(scheme string) error {
		wc, _, err := websocket.Dial(ctx, scheme+w.addr, &websocket.DialOptions{HTTPClient: web})
		if err == nil {
			t.Cleanup(func() { _ = wc.CloseNow() })
		}
		return err
	}
	fd := 4
	for i, enter := range []func() error{
		func() error { return tls.Client(w.connect(), tc).Handshake() },
		func() error { return upgrade(socket.WebScheme) },
		func() error { return upgrade(socket.SecureWebScheme) },
	} {
		w.addr = fmt.Sprintf("%v:%v", out.At(2*i), out.At(2*i+1))
		silent := []*client{w.connect(), w.connect()}
		w.connect().wantEnd()
		for _, cl := range silent {
			cl.reset()
		}
		// Both places are free soon, and stay so while others come in.
		for range 5 {
			for enter() != nil {
				if ctx.Err() != nil {
					t.Fatal("nobody comes in")
				}
				runtime.Gosched()
			}
			if e := <-w.events; !strings.HasPrefix(e, fmt.Sprintf("socket open %d ", fd)) {
				t.Fatal(e)
			}
			w.command(gate.CmdKick, fd)
			w.want("socket close %d", fd)
			fd++
		}
	}
	w.nothing()
	if !strings.Contains(w.log.String(), "is refused, 2 of its address are in their handshake") {
		t.Errorf("log:\n%s", w.log)
	}
}

// A client beyond a limit is an error that the watchdog is told, once.
func TestLimits(t *testing.T) {
	w := newWorld(t)
	limit := func(name string, value any) {
		conf := map[string]any{"port": 0, "limits": lualike.Map(map[string]any{name: value})}
		out := w.command(gate.CmdOpen, lualike.Map(conf))
		w.addr = fmt.Sprintf("%v:%v", out.At(0), out.At(1))
	}
	limit("maxpacket", 4)
	cl := w.client(2)
	w.command(gate.CmdAccept, 2)
	cl.send("four", "five!")
	w.want("socket data 2 four")
	w.want("socket error 2 %s", socket.ErrPacketSize)
	w.want("socket close 2")
	w.command(gate.CmdClose)

	limit("idle", int(20*time.Millisecond))
	w.client(4).wantEnd()
	w.want("socket error 4 %s", socket.ErrIdle)
	w.want("socket close 4")
	w.command(gate.CmdClose)

	limit("maxpending", 1<<20)
	w.client(6)
	w.do(func(c *service.Context) {
		for gate.Write(c, 6, make([]byte, socket.MaxFrame)) == nil {
			continue
		}
	})
	for e := range w.events {
		if !strings.HasPrefix(e, "socket warning 6 ") {
			if e != "socket error 6 "+socket.ErrOverflow.Error() {
				t.Error(e)
			}
			break
		}
	}
	w.want("socket close 6")
	w.nothing()
}
