package login_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
	"github.com/skynetgo/skynet/services/login"
)

// door returns the settings of a gate that speaks what scheme says, and of its
// clients.
func door(t *testing.T, scheme string) (gate.OpenConfig, login.Dialer) {
	t.Helper()
	conf := gate.OpenConfig{Address: scheme + "127.0.0.1"}
	if strings.HasPrefix(scheme, "ws") {
		conf = gate.OpenConfig{Doors: []string{scheme + "127.0.0.1:0/play"}}
	}
	var ca string
	conf.Cert, conf.Key, ca = nodetest.NewAuthority(t).Write(t.TempDir())
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return conf, login.Dialer{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
}

var schemes = []string{"", socket.TLSScheme, socket.WebScheme, socket.SecureWebScheme}

// A client logs in at any door, goes on to a gate node with such a door, and finds
// its session the same way.
func TestDoors(t *testing.T) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			conf, dialer := door(t, scheme)
			r := newRealm(t, 1, login.Config{Gate: conf})
			r.dialer = dialer
			cl := r.dial("alice")
			if err := cl.Send(nil); err != nil { // a sign of life
				t.Fatal(err)
			}
			cl.say("hi")
			cl.hears("echo hi")
			_ = cl.SetDeadline(time.Now())
			if p, err := cl.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("received %q, %v", p, err)
			}
			large := strings.Repeat("x", login.MaxPacket)
			r.gates[0].tell("alice", "SEND", "one")
			if w := cl.resume(); w != (login.Welcome{Received: 1}) {
				t.Errorf("welcome %+v", w)
			}
			r.gates[0].tell("alice", "SEND", large)
			cl.hears("one", large)
			_ = cl.SetDeadline(time.Time{})
			cl.say(strings.Repeat("x", login.MaxPacket-len("echo ")))
			cl.hears("echo " + large[len("echo "):])

			_ = r.dial("alice")
			cl.wantEnd(login.Replaced)
			if p, err := cl.Receive(); err != io.EOF {
				t.Errorf("after the end: %q, %v", p, err)
			}
		})
	}
}

// Who speaks something else than a door does is told what may be wrong.
func TestWrongDoor(t *testing.T) {
	for _, test := range []struct {
		door, client string
		stranger     bool // does not know the authority
		want         string
	}{
		{"tls://", "", false, "ends within a frame, perhaps it speaks TLS or WebSocket"},
		{"", "tls://", false, "perhaps it speaks no TLS"},
		{"ws://", "tls://", false, "speaks no TLS"},
		{"ws://", "wss://", false, "speaks no TLS"},
		{"wss://", "ws://", false, "malformed HTTP response"},
		{"ws://", "ws://", false, "404"},
		{"tls://", "tls://", true, "certificate signed by unknown authority"},
		{"wss://", "wss://", true, "certificate signed by unknown authority"},
	} {
		t.Run(test.door+" "+test.client, func(t *testing.T) {
			conf, dialer := door(t, test.door)
			sv := startServer(t, login.Config{Gate: conf})
			if test.stranger {
				dialer = login.Dialer{}
			}
			addr := test.client + strings.TrimPrefix(strings.TrimSuffix(sv.addr, "/play"), test.door)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err := dialer.Dial(ctx, addr, []byte("alice"))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), addr) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}
