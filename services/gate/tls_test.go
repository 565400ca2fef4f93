package gate_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// A gate at a TLS address tells the watchdog of clients that speak it. The log
// has the others, and what looks like TLS at a plain gate.
func TestTLS(t *testing.T) {
	w := newWorld(t)
	conf := gate.OpenConfig{Address: "tls://127.0.0.1"}
	conf.Cert, conf.Key, conf.CA = nodetest.NewAuthority(t).Write(t.TempDir())
	w.open(conf)
	tc, err := socket.MutualTLS(conf.Cert, conf.Key, conf.CA, nil)()
	if err != nil {
		t.Fatal(err)
	}
	tc.ServerName = "127.0.0.1"
	seen := make(chan string, 32)
	see := func(text string) {
		if strings.HasPrefix(text, "gateserver accept error: socket: TLS: ") {
			seen <- text
		}
	}
	w.log.setSeen(see)
	wantLog := func(text string) {
		t.Helper()
		if line := <-seen; !strings.Contains(line, text) {
			t.Errorf("logged: %s, want %s", line, text)
		}
	}

	cl := w.connect()
	secured := tls.Client(cl, tc)
	if err := secured.Handshake(); err != nil {
		t.Fatal(err)
	}
	w.want("socket open 2 %s", cl.LocalAddr())
	w.command(gate.CmdAccept, 2)
	if _, err := secured.Write([]byte("\x00\x02hi")); err != nil {
		t.Fatal(err)
	}
	w.want("socket data 2 hi")

	for range 20 {
		w.connect().send("plain")
	}
	for n := 1; n <= 10; n++ {
		wantLog("speaks no TLS")
	}
	wantLog("(16 so far)")
	w.nothing()

	plain := newWorld(t)
	plain.log.setSeen(see)
	plain.open(gate.OpenConfig{})
	cl = plain.client(2)
	if err := tls.Client(cl, tc).Handshake(); err == nil {
		t.Error("a plain gate speaks TLS")
	}
	line := "socket: TLS: " + cl.LocalAddr().String() + " sends what looks like TLS, not plain frames"
	wantLog(line)
	plain.want("socket error 2 %s", line)
}
