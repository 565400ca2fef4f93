package socket_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Files that change are used from the next handshake on, and broken ones not at
// all; connections that stand go on.
func TestTLSRotation(t *testing.T) {
	n, l := newNode(t)
	dir := t.TempDir()
	old, fresh := nodetest.NewAuthority(t), nodetest.NewAuthority(t)
	cert, key, ca := old.Write(dir)
	s := newTLSServer(t, n, socket.Config{TLS: socket.MutualTLS(cert, key, ca, func(text string) { l.Log(0, text) })})
	withOld, withFresh := mutual(t, old, nil), mutual(t, fresh, nil)
	refused := func(cfg socket.Config) {
		t.Helper()
		s.do(func(c *service.Context) error {
			if _, err := cfg.Dial(c, s.addr, nil); err == nil {
				t.Error("nobody was refused")
			}
			return nil
		})
		if e := s.next(); e.kind != "error" || e.fd != s.fd {
			t.Errorf("got %v", e)
		}
	}

	first, fd := s.secured(withOld)
	refused(withFresh)
	if lines := l.String(); lines != "" {
		t.Errorf("logged: %s", lines)
	}

	fresh.Write(dir)
	s.secured(withFresh)
	refused(withOld)
	if l.count("TLS: the certificates have changed") != 1 {
		t.Errorf("logged: %s", l)
	}
	s.do(func(c *service.Context) error { return socket.Start(c, fd) })
	first.send(packet("still here"))
	s.want("data", fd, "still here")

	for _, broken := range []string{"no certificate", ""} {
		if err := os.WriteFile(cert, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		s.secured(withFresh)
		s.secured(withFresh)
	}
	text := "TLS: the certificates stay as they were: cert " + cert + " with key " + key + ": tls: failed to find any PEM data in certificate input"
	if l.count(text) != 1 {
		t.Errorf("logged: %s", l)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	s.secured(withFresh)
	text = "TLS: the certificates stay as they were: key: stat " + filepath.Join(dir, "key.pem") + ": no such file or directory"
	if l.count(text) != 1 {
		t.Errorf("logged: %s", l)
	}

	old.Write(dir)
	s.secured(withOld)
	refused(withFresh)
	if l.count("TLS: the certificates have changed") != 2 {
		t.Errorf("logged: %s", l)
	}
}
