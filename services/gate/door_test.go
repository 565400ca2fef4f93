package gate_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
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

// visitor is a client that came through any door.
type visitor interface {
	send(packets ...string)
	receive() string
	leave()
}

func (cl *client) receive() string { return readPacket(cl.w.t, cl) }
func (cl *client) leave()          { cl.close() }

func readPacket(t testing.TB, r io.Reader) string {
	t.Helper()
	header := make([]byte, 2)
	if _, err := io.ReadFull(r, header); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, binary.BigEndian.Uint16(header))
	if _, err := io.ReadFull(r, packet); err != nil {
		t.Fatal(err)
	}
	return string(packet)
}

type secured struct {
	*client
	conn *tls.Conn
}

func (s *secured) send(packets ...string) {
	s.w.t.Helper()
	for _, p := range packets {
		if _, err := s.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)); err != nil {
			s.w.t.Fatal(err)
		}
	}
}

func (s *secured) receive() string { return readPacket(s.w.t, s.conn) }

// browser is a client on WebSocket.
type browser struct {
	*websocket.Conn
	t   testing.TB
	ctx context.Context
}

func (b *browser) send(packets ...string) {
	b.t.Helper()
	for _, p := range packets {
		if err := b.Write(b.ctx, websocket.MessageBinary, []byte(p)); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *browser) receive() string {
	b.t.Helper()
	_, p, err := b.Read(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(p)
}

func (b *browser) leave() { _ = b.Close(websocket.StatusNormalClosure, "") }

// browse connects to url with the given certificates.
func (w *world) browse(url string, tc *tls.Config) *browser {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	w.t.Cleanup(cancel)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: tc, DisableKeepAlives: true}}
	wc, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = wc.CloseNow() })
	return &browser{wc, w.t, ctx}
}

// Neither watchdog nor agent sees which door a client came through.
func TestDoors(t *testing.T) {
	w := newWorld(t)
	cert, key, ca := nodetest.NewAuthority(t).Write(t.TempDir())
	tc, err := socket.MutualTLS(cert, key, ca, nil)()
	if err != nil {
		t.Fatal(err)
	}
	tc = &tls.Config{RootCAs: tc.RootCAs, ServerName: "127.0.0.1"} // shows no certificate
	out := w.command(gate.CmdOpen, gate.OpenConfig{
		Port: new(int), Cert: cert, Key: key,
		Doors: []string{"tls://127.0.0.1:0", "ws://127.0.0.1:0/play", "wss://127.0.0.1:0/play"},
	})
	if len(out) != 8 {
		t.Fatalf("open returns %v", out)
	}
	at := func(i int) string { return fmt.Sprintf("%v:%v", out.At(2*i), out.At(2*i+1)) }
	doors := []struct {
		scheme string
		enter  func() visitor
	}{
		{"", func() visitor { w.addr = at(0); return w.connect() }},
		{socket.TLSScheme, func() visitor {
			w.addr = at(1)
			cl := w.connect()
			s := &secured{cl, tls.Client(cl, tc)}
			if err := s.conn.Handshake(); err != nil {
				t.Fatal(err)
			}
			return s
		}},
		{socket.WebScheme, func() visitor { return w.browse("ws://"+at(2)+"/play", nil) }},
		{socket.SecureWebScheme, func() visitor { return w.browse("wss://"+at(3)+"/play", tc) }},
	}
	var fds []socket.FD
	var visitors []visitor
	for i, door := range doors {
		fd := socket.FD(5 + i)
		v := door.enter()
		if e := <-w.events; !strings.HasPrefix(e, fmt.Sprintf("socket open %d 127.0.0.1:", fd)) {
			t.Fatalf("%q: %s", door.scheme, e)
		}
		v.send("early")
		w.command(gate.CmdAccept, fd)
		w.want("socket data %d early", fd)
		w.command(gate.CmdForward, fd)
		v.send("to an agent")
		if m := w.packet(); m.Session != service.Session(fd) || string(m.Data.([]byte)) != "to an agent" || m.Source != w.gate {
			t.Errorf("%q: %v", door.scheme, m)
		}
		fds, visitors = append(fds, fd), append(visitors, v)
	}
	w.checkBroadcast(fds, visitors)

	var clients []gate.Client
	for end := time.Now().Add(patience); ; runtime.Gosched() { // a client may have what the statistics do not count yet
		clients, err = stats(w)
		if time.Now().After(end) || !slices.ContainsFunc(clients, func(c gate.Client) bool { return c.Pending > 0 }) {
			break
		}
	}
	if err != nil || len(clients) != len(doors) {
		t.Fatalf("%v, %v", clients, err)
	}
	for i, st := range clients {
		if st.FD != fds[i] || st.Scheme != doors[i].scheme || st.Packets != 2 || st.Read < 20 || st.Written < 20 || st.Age <= 0 {
			t.Errorf("%+v", st)
		}
	}
	for i, v := range visitors[:3] {
		v.leave()
		w.want("socket close %d", fds[i])
	}
	w.command(gate.CmdKick, fds[3])
	w.want("socket close %d", fds[3])
	w.nothing()
	w.do(func(c *service.Context) {
		if gone, err := gate.Broadcast(c, fds, []byte("x")); err != nil || len(gone) != len(fds) {
			t.Errorf("%v, %v", gone, err)
		}
	})
}

func (w *world) checkBroadcast(fds []socket.FD, visitors []visitor) {
	w.t.Helper()
	texts := []string{"to all", strings.Repeat("long", 2000), ""}
	w.do(func(c *service.Context) {
		for _, text := range texts {
			if gone, err := gate.Broadcast(c, append(fds, 99), []byte(text)); err != nil || len(gone) != 1 || gone[0] != 99 {
				w.t.Errorf("%v, %v", gone, err)
			}
		}
		for _, fd := range fds {
			for _, text := range texts {
				if err := gate.Write(c, fd, []byte(text)); err != nil {
					w.t.Error(err)
				}
			}
		}
		large := make([]byte, socket.MaxFrame+1)
		if _, err := gate.Broadcast(c, fds, large); err == nil {
			w.t.Error("a large packet passed")
		}
		if err := gate.Write(c, fds[0], large); err == nil {
			w.t.Error("a large packet passed")
		}
	})
	for _, v := range visitors {
		for _, text := range append(texts, texts...) {
			if got := v.receive(); got != text {
				w.t.Errorf("got %.20q, want %.20q", got, text)
			}
		}
	}
}

func stats(w *world) (clients []gate.Client, err error) {
	w.do(func(c *service.Context) { clients, err = service.Call[[]gate.Client](c, w.gate, gate.CmdStat) })
	return clients, err
}

// When one door can not be opened none is.
func TestDoorsAllOrNone(t *testing.T) {
	w := newWorld(t)
	conf := gate.OpenConfig{Port: new(int), Doors: []string{"127.0.0.1:0", "wss://127.0.0.1:0"}}
	if _, err := w.call(gate.CmdOpen, conf); err == nil || !strings.Contains(err.Error(), "cert: no file is named") {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := socket.Wait(ctx, w.node); err != nil {
		t.Errorf("left open: %v, %v", socket.Info(w.node), err)
	}
	conf = gate.OpenConfig{Address: "ws://127.0.0.1/play", Port: new(int)}
	out := w.command(gate.CmdOpen, conf)
	v := w.browse(fmt.Sprintf("ws://%v:%v/play", out.At(0), out.At(1)), nil)
	<-w.events
	v.leave()
	w.command(gate.CmdClose)
	out = w.command(gate.CmdOpen, lualike.Map(map[string]any{"doors": lualike.Array("ws://127.0.0.1:0")}))
	if len(out) != 2 {
		t.Errorf("open returns %v", out)
	}
}
