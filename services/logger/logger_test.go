package logger_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/logger"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// start starts a node that logs to a file, and waits for the end of its start.
func start(t *testing.T, path string) *nodetest.Node {
	t.Helper()
	n := nodetest.Start(t, nodetest.Env("logservice", "logger"), nodetest.Env("logger", path))
	if boot := n.Find(2); boot != nil {
		<-boot.Done()
	}
	return n
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var line = regexp.MustCompile(`^(\d\d/\d\d/\d\d \d\d:\d\d:\d\d\.\d\d) \[(:[0-9a-f]{8})\] (.*)$`)

func TestFileLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.log")
	before := time.Now().Truncate(10 * time.Millisecond)
	n := start(t, path)
	var self service.Handle
	n.Run(func(c *service.Context) error {
		self = c.Self()
		c.Error("one", 2, nil, "three")
		c.Error()
		c.Error("first\nsecond\n\nlast")
		return nil
	})
	n.Log.Log(0, "nothing goes here") // the node's own logger, until and after the service
	n.Stop()
	after := time.Now()

	text := read(t, path)
	if !strings.HasSuffix(text, "] first\nsecond\n\nlast\n") {
		t.Errorf("the file does not end with the last text as it is:\n%s", text)
	}
	text = strings.TrimSuffix(text, "second\n\nlast\n")
	var got []string
	for l := range strings.Lines(text) {
		m := line.FindStringSubmatch(strings.TrimSuffix(l, "\n"))
		if m == nil {
			t.Fatalf("not a line of a log file: %q", l)
		}
		at, err := time.ParseInLocation("02/01/06 15:04:05.00", m[1], time.Local)
		if err != nil || at.Before(before) || at.After(after) {
			t.Errorf("%q: the time is not between %v and %v (%v)", l, before, after, err)
		}
		got = append(got, "["+m[2]+"] "+m[3])
	}
	want := []string{
		"[:00000000] Node " + n.ID().String(),
		"[:00000002] LAUNCH snlua bootstrap",
		"[:00000003] LAUNCH snlua launcher",
		"[:00000004] LAUNCH snlua service_mgr",
		"[:00000005] LAUNCH snlua nodetest",
		"[:00000002] KILL self",
		"[" + self.String() + "] one 2 nil three",
		"[" + self.String() + "] nil",
		"[" + self.String() + "] first",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if lines := n.Log.Lines(); len(lines) != 1 {
		t.Errorf("lines beside the file: %q", lines)
	}
}

func TestFileIsAppendedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.log")
	if err := os.WriteFile(path, []byte("what was there\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, path).Stop()
	start(t, path).Stop()
	text := read(t, path)
	if !strings.HasPrefix(text, "what was there\n") || strings.Count(text, "LAUNCH snlua bootstrap") != 2 {
		t.Errorf("got\n%s", text)
	}
}

// What services log before and while they end is written, however much it is.
func TestNothingIsLostAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.log")
	n := start(t, path)
	const lines = 10000
	n.Run(func(c *service.Context) error {
		c.AtServiceEnd(func() { n.Node.Log(0, "the very last") })
		for range lines {
			c.Error("flood")
		}
		return nil
	})
	n.Stop()
	text := read(t, path)
	if got := strings.Count(text, "flood\n"); got != lines {
		t.Errorf("%d of %d lines", got, lines)
	}
	if !strings.Contains(text, "[:00000000] the very last\n") {
		t.Errorf("the end: %q", text[max(0, len(text)-200):])
	}
	if got := n.Log.Lines(); len(got) != 0 {
		t.Errorf("lines beside the file: %q", got)
	}
}

func TestFileThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	_, err := nodetest.TryStart(t, nodetest.Env("logservice", "logger"), nodetest.Env("logger", dir))
	if !errors.As(err, new(*os.PathError)) || !strings.Contains(err.Error(), "Can't launch logger service") {
		t.Fatalf("got %v", err)
	}
	if strings.Count(err.Error(), dir) != 1 {
		t.Errorf("the path is not there once: %v", err)
	}
}

// reopen asks for what SIGHUP asks for.
func reopen(t *testing.T, n *nodetest.Node) {
	t.Helper()
	h, ok := n.Query(logger.Name)
	if !ok {
		t.Fatal("no logger")
	}
	if err := n.Send(h, actor.Message{Type: actor.PTypeSystem}); err != nil {
		t.Fatal(err)
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, "node.log"), filepath.Join(dir, "old.log")
	n := start(t, path)
	n.Node.Log(7, "before")
	reopen(t, n) // nothing has happened to the file
	n.Node.Log(7, "between")
	barrier(t, n, path, "between")
	if err := os.Rename(path, old); err != nil {
		t.Fatal(err)
	}
	n.Node.Log(7, "renamed")
	reopen(t, n)
	n.Node.Log(7, "after")
	n.Stop()
	if text := read(t, old); strings.Count(text, "before") != 1 || !strings.HasSuffix(text, "] renamed\n") {
		t.Errorf("old file:\n%s", text)
	}
	if text := read(t, path); strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "[:00000007] after\n") {
		t.Errorf("new file:\n%s", text)
	}
}

// barrier waits until the logger has written text.
func barrier(t *testing.T, n *nodetest.Node, path, text string) {
	t.Helper()
	n.Run(func(c *service.Context) error {
		for !strings.Contains(read(t, path), text) {
			if c.Now() > time.Minute {
				return fmt.Errorf("%q is never written", text)
			}
			if err := c.Sleep(time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestFailedReopenKeepsTheOldFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path, moved := filepath.Join(dir, "node.log"), dir+".old"
	n := start(t, path)
	if err := os.Rename(dir, moved); err != nil {
		t.Skip(err) // of a folder with an open file: not everywhere
	}
	reopen(t, n)
	n.Node.Log(7, "after")
	n.Stop()
	text := read(t, filepath.Join(moved, "node.log"))
	if !strings.Contains(text, "[:00000001] can not reopen: open "+path) || !strings.Contains(text, "[:00000007] after\n") {
		t.Errorf("got\n%s", text)
	}
}
