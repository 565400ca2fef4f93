package service_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

// startRefused starts a node that must not start.
func startRefused(t *testing.T, text string, options ...nodetest.Option) {
	t.Helper()
	if _, err := nodetest.TryStart(t, options...); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %q", err, text)
	}
}

func TestB114Defaults(t *testing.T) {
	cfg, err := bootstrap.Parse("config", "")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "environment", cfg.Env, map[string]string{
		"harbor": "0", "bootstrap": "snlua bootstrap", "logservice": "logger", "standalone": "true",
	})
	want(t, "start", cfg.Start, "main")
}

func TestB116Harbor(t *testing.T) {
	startRefused(t, "harbors are not supported", nodetest.Env("harbor", "1"))
	startRefused(t, "standalone: is not supported", nodetest.Env("standalone", "127.0.0.1:1"))
}

func TestB117StartThatFails(t *testing.T) {
	startRefused(t, "start: service: no such definition: nosuch", nodetest.Env("start", "nosuch"))
	startRefused(t, "start: newservice fails: "+errOwn.Error(), nodetest.Services(starts()...), nodetest.Env("start", "fails"))
	startRefused(t, "Bootstrap error : nosuchmod x", nodetest.Env("bootstrap", "nosuchmod x"))
}

func TestB118LoggerThatDoesNotStart(t *testing.T) {
	startRefused(t, "Can't launch logger service", nodetest.Env("logservice", "nosuch"))
	startRefused(t, "Can't launch logger service", nodetest.Env("logservice", "logger"), nodetest.Env("logger", t.TempDir()))
}

func TestB119Preload(t *testing.T) {
	startRefused(t, "preload: is not supported", nodetest.Env("preload", "./preload.lua"))
}

func TestB120Daemon(t *testing.T) {
	startRefused(t, "daemon: is not supported", nodetest.Env("daemon", "./skynet.pid"))
}

// logFile runs f on a node that logs to a file, and returns what that holds in
// the end.
func logFile(t *testing.T, f func(n *nodetest.Node, c *service.Context, path string)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "node.log")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := nodetest.Start(t, nodetest.Env("logservice", "logger"), nodetest.Env("logger", path))
	n.Run(func(c *service.Context) error {
		f(n, c, path)
		return nil
	})
	n.Stop()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestB130Lines(t *testing.T) {
	var b bytes.Buffer
	actor.WriterLogger(&b).Log(10, "text\nmore")
	want(t, "standard output", b.String(), "[:0000000a] text\nmore\n")
	text := logFile(t, func(n *nodetest.Node, c *service.Context, _ string) {
		c.Error("text\nmore")
		n.Node.Log(0, "of the system")
	})
	for _, line := range []string{`^before\n`, `(?m)^\d\d/\d\d/\d\d \d\d:\d\d:\d\d\.\d\d \[:[0-9a-f]{8}\] text\nmore$`, `\[:00000000\] of the system\n`} {
		if !regexp.MustCompile(line).MatchString(text) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}

func TestB131Error(t *testing.T) {
	onNode(t, func(n *nodetest.Node, c *service.Context) {
		c.Error("a", 1, nil, true)
		c.Error()
		flush(t, n, c)
		for _, text := range []string{"a 1 nil true", "nil"} {
			n.Log.Wait(t, fmt.Sprintf("[%s] %s", c.Self(), text))
		}
	})
}

// TestB132Reopen: what SIGHUP sends to the logger. The signals themselves are
// tested where they are handled.
func TestB132Reopen(t *testing.T) {
	var old string
	text := logFile(t, func(n *nodetest.Node, c *service.Context, path string) {
		c.Error("in the old file")
		old = path + ".1"
		logger := n.Find(c.LocalName(".logger"))
		until(c, func() bool { b, _ := os.ReadFile(path); return bytes.Contains(b, []byte("in the old file")) })
		if err := os.Rename(path, old); err != nil {
			t.Error(err)
		}
		_ = c.RawSend(logger.Handle(), service.PTypeSystem, nil)
		c.Error("in the new file")
	})
	b, err := os.ReadFile(old)
	if err != nil || !strings.Contains(string(b), "in the old file\n") || strings.Contains(string(b), "in the new file") {
		t.Errorf("the old file: %q, %v", b, err)
	}
	if !strings.Contains(text, "in the new file\n") || strings.Contains(text, "in the old file") {
		t.Errorf("the new file: %q", text)
	}
}

// TestB136Memory: there is no memory of a service's own; what asks for it says so.
func TestB136Memory(t *testing.T) {
	onNode(t, func(_ *nodetest.Node, c *service.Context) {
		_, err := service.Debug(c, c.Self(), "MEM")
		wantErr(t, "MEM", err, service.ErrCallFailed, "MEM is not in Go")
	})
}
