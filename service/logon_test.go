package service_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
)

func TestB133LogOnAndOff(t *testing.T) {
	dir := t.TempDir()
	n := nodetest.Start(t, nodetest.Env("logpath", dir))
	p := n.Probe("logged")
	p.Return("echo", "one")
	h := p.Handle()
	path := filepath.Join(dir, strings.TrimPrefix(h.String(), ":")+".log")
	echo := func(c *service.Context) error { _, err := c.Call(h, "echo", "one\n", 1); return err }
	n.Run(func(c *service.Context) error {
		if err := errors.Join(echo(c), c.LogOn(h), echo(c)); err != nil {
			return err
		}
		return errors.Join(c.Send(h, "echo"), echo(c), c.LogOff(h), echo(c), c.LogOff(h))
	})
	n.Log.Wait(t, "["+h.String()+"] Open log file "+path)
	n.Log.Wait(t, "["+h.String()+"] Close log file "+h.String())
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`open time: \d+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}`,
		`:[0-9a-f]{8} 10 \d+ \d+ 246563686f246f6e650a0a01`, // ("echo", "one\n", 1)
		`:[0-9a-f]{8} 10 0 \d+ 246563686f`,
		`:[0-9a-f]{8} 10 \d+ \d+ 246563686f246f6e650a0a01`,
		`close time: \d+`,
	}
	if !regexp.MustCompile(`^` + strings.Join(want, "\n") + "\n$").Match(b) {
		t.Errorf("the file is\n%s\nwant lines\n%s", b, strings.Join(want, "\n"))
	}
}

func TestLogOnEndsWithTheService(t *testing.T) {
	dir := t.TempDir()
	n := nodetest.Start(t, nodetest.Env("logpath", dir))
	h := n.Probe("logged").Handle()
	n.Run(func(c *service.Context) error { return errors.Join(c.LogOn(h), c.Kill(h)) })
	n.Log.Wait(t, "Close log file "+h.String())
	n.Run(func(c *service.Context) error {
		if err := c.LogOn(h); !errors.Is(err, service.ErrNoService) {
			t.Errorf("LogOn of nobody: %v", err)
		}
		return nil
	})
}

func TestLogOnWithoutAFolder(t *testing.T) {
	n := nodetest.Start(t)
	h := n.Probe("logged").Handle()
	n.Run(func(c *service.Context) error {
		if err := c.LogOn(h); err == nil || !strings.Contains(err.Error(), "logpath is not set") {
			t.Errorf("without a folder: %v", err)
		}
		return nil
	})
	gone := nodetest.Start(t, nodetest.Env("logpath", filepath.Join(t.TempDir(), "nosuch")))
	h = gone.Probe("logged").Handle()
	gone.Run(func(c *service.Context) error {
		if err := c.LogOn(h); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a folder that is not there: %v", err)
		}
		return nil
	})
	gone.Log.Wait(t, "Open log file")
}
