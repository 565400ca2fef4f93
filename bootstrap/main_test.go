package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest/leak"
	"github.com/skynetgo/skynet/service"
)

// asProgram in the environment makes the test binary a program whose one
// argument is a config file.
const asProgram = "SKYNET_TEST_AS_PROGRAM"

// touchLines is how many lines "touches" logs before it touches its file: more
// than a pipe holds.
const touchLines = 10_000

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		Main(programs()...)
	}
	leak.Check(m)
}

// programs are the services that the configs of the tests name.
func programs() []*service.Definition {
	def := func(name string, f func(c *service.Context, args []any) error) *service.Definition {
		return service.Def(name, func(c *service.Context, args ...any) error { return f(c, args) })
	}
	forever := func(c *service.Context) error {
		for {
			if err := c.Sleep(1 << 40); err != nil {
				return err
			}
		}
	}
	return []*service.Definition{
		def("up", func(c *service.Context, args []any) error { c.Error("up", fmt.Sprintf("%q", args)); return nil }),
		def("fails", func(*service.Context, []any) error { return errors.New("the reason\nis this") }),
		def("panics", func(*service.Context, []any) error { panic("the reason") }),
		def("leaves", func(c *service.Context, _ []any) error { c.Exit(); return nil }),
		def("needs", func(c *service.Context, _ []any) error { _, err := c.NewService("fails"); return err }),
		def("aborts", func(c *service.Context, _ []any) error { c.Abort(); return nil }),
		def("abortsandwaits", func(c *service.Context, _ []any) error { c.Abort(); return forever(c) }),
		def("waits", func(c *service.Context, _ []any) error { c.Error("waiting"); return forever(c) }),
		def("hangs", func(c *service.Context, _ []any) error { c.Error("hanging"); select {} }),
		def("row", func(c *service.Context, _ []any) error {
			for _, name := range []string{"a", "b", "c"} {
				if _, err := c.NewService("ends", name); err != nil {
					return err
				}
			}
			c.Error("up")
			return nil
		}),
		def("hangslater", func(c *service.Context, _ []any) error {
			_, err := c.NewService("ends", "a")
			c.Fork(func(c *service.Context) { c.Error("hanging"); select {} })
			return err
		}),
		def("ends", func(c *service.Context, args []any) error {
			c.Fork(func(c *service.Context) {
				defer func() { c.Error("end of", args[0]) }()
				_ = forever(c)
			})
			return nil
		}),
		def("works", func(c *service.Context, _ []any) error {
			db, err := c.NewService("db")
			if err != nil {
				return err
			}
			h, err := c.NewService("worker", db)
			if err != nil {
				return err
			}
			return c.Send(h, "WORK")
		}),
		def("db", func(c *service.Context, _ []any) error {
			c.Handle("GET", service.F0(func(*service.Context) (string, error) { return "value", nil }))
			c.AtServiceEnd(func() { c.Error("end of db") })
			return nil
		}),
		def("worker", func(c *service.Context, args []any) error {
			stopping := new(int)
			c.OnStop(func(c *service.Context) { c.Wakeup(stopping) })
			c.Handle("WORK", service.P0(func(c *service.Context) error {
				c.Error("at work")
				if err := c.Wait(stopping); err != nil {
					return err
				}
				if err := c.Sleep(50 * time.Millisecond); err != nil {
					return err
				}
				v, err := service.Call[string](c, args[0], "GET")
				c.Error("work is done:", v, err)
				return err
			}))
			c.AtServiceEnd(func() { c.Error("end of worker") })
			return nil
		}),
		def("touches", func(c *service.Context, args []any) error {
			c.Error("about to touch", args[0])
			c.Timeout(0, func(c *service.Context) { // the logger is at work by then
				for range touchLines {
					c.Error("a line that nobody reads")
				}
				if err := os.WriteFile(args[0].(string), nil, 0o600); err != nil {
					c.Error(err)
				}
			})
			return nil
		}),
	}
}

// config writes a config file whose log goes to another file.
func config(t *testing.T, text string) (path, log string) {
	t.Helper()
	dir := t.TempDir()
	path, log = filepath.Join(dir, "config"), filepath.Join(dir, "log")
	if err := os.WriteFile(path, fmt.Appendf(nil, "logger = %q\n%s", log, text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, log
}

func runs(args ...string) (int, string) {
	var stderr bytes.Buffer
	code := run(append([]string{"prog"}, args...), &stderr, programs())
	return code, stderr.String()
}

// logged returns a log file without the times.
func logged(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^../../.. ..:..:..\... `).ReplaceAllString(string(b), "")
}

func TestB113NoArgument(t *testing.T) {
	code, stderr := runs()
	want := "Need a config file. Please read skynet wiki : https://github.com/cloudwu/skynet/wiki/Config\nusage: skynet configfilename\n"
	if code != 1 || stderr != want {
		t.Errorf("%d, %q", code, stderr)
	}
}

func TestB113MissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nosuch")
	if code, stderr := runs(path); code != 1 || stderr != path+": No such file or directory\n" {
		t.Errorf("%d, %q", code, stderr)
	}
}

// refused runs a program with a file that ends it with one line.
func refused(t *testing.T, text, want string) {
	t.Helper()
	path, _ := config(t, text)
	if code, stderr := runs(path); code != 1 || stderr != path+want+"\n" {
		t.Errorf("%s: %d, %q", text, code, stderr)
	}
}

func TestB113SyntaxError(t *testing.T) {
	refused(t, `start = = "main"`, ":2: unexpected symbol near '='")
}

func TestB115ThreadOutOfRange(t *testing.T) {
	refused(t, `thread = 0`, ":2: thread: Invalid thread 0 , should be in [1,1024]")
	refused(t, `thread = "abc"`, ":2: thread: Invalid thread 0 , should be in [1,1024]")
}

// A start that fails ends the program with one line, which names the file, the
// line and the key, and leaves nothing running.
func TestStartsThatFail(t *testing.T) {
	dir := t.TempDir()
	nodes := filepath.Join(dir, "nodes.lua")
	if err := os.WriteFile(nodes, []byte("\ndb = 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	defined := strings.Join(names(programs()), ", ")
	for text, want := range map[string]string{
		`harbor = 1`:                          ":2: harbor: is 1, but harbors are not supported, only 0; use cluster",
		`start = "fails"`:                     ":2: start: newservice fails: the reason is this",
		`start = "panics"`:                    ":2: start: newservice panics: panic: the reason",
		`start = "needs"`:                     ":2: start: newservice needs: newservice fails: the reason is this",
		`start = "mian x"`:                    ":2: start: service: no such definition: mian; the program defines: " + defined,
		``:                                    ": start: service: no such definition: main; the program defines: " + defined,
		`bootstrap = "snlua nosuch"`:          ":2: bootstrap: Bootstrap error : start nosuch: service: no such definition: nosuch",
		`bootstrap = "snlua fails"`:           ":2: bootstrap: Bootstrap error : start fails: the reason is this",
		`logservice = "nosuch"`:               ":2: logservice: Can't launch logger service: start nosuch: service: no such definition: nosuch",
		fmt.Sprintf("logger = %q", dir):       ":2: logger: Can't launch logger service: start logger: open " + dir + ": is a directory",
		`cluster = "nosuch.lua" start = "up"`: ":2: cluster: uniqueservice clusterd: newservice clusterd: node table: nosuch.lua: No such file or directory",
		fmt.Sprintf("cluster = %q start = 'up'", nodes): ":2: cluster: uniqueservice clusterd: newservice clusterd: node table: " + nodes + ":2: db: is neither false nor a string: 7",
	} {
		t.Run(text, func(t *testing.T) {
			path, _ := config(t, text)
			code, stderr := runs(path)
			if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, path+want) {
				t.Errorf("%d, got\n%s\nwant\n%s", code, stderr, path+want)
			}
			if strings.Count(stderr, path) != 1 {
				t.Errorf("the path is there more than once: %s", stderr)
			}
		})
	}
}

// The log says once, under the service's handle, why a start failed. Services
// end beside each other, so the order holds within each.
func TestLogOfAStartThatFails(t *testing.T) {
	path, log := config(t, `start = "needs"`)
	if code, stderr := runs(path); code != 1 {
		t.Fatalf("%d, %s", code, stderr)
	}
	bySource := make(map[string][]string)
	for _, line := range strings.Split("\n"+logged(t, log), "\n[:")[1:] {
		source, text, _ := strings.Cut(line, "] ")
		bySource[source] = append(bySource[source], strings.TrimSpace(text))
	}
	for source, want := range map[string][]string{
		"00000005": {"LAUNCH snlua needs", "init service failed: newservice fails: the reason\nis this", "KILL self"},
		"00000006": {"LAUNCH snlua fails", "init service failed: the reason\nis this", "KILL self"},
	} {
		if got := bySource[source]; !slices.Equal(got, want) {
			t.Errorf("%s logged %q, want %q", source, got, want)
		}
	}
}

func TestAbort(t *testing.T) {
	for _, name := range []string{"aborts", "abortsandwaits"} {
		path, _ := config(t, fmt.Sprintf("start = %q", name))
		if code, stderr := runs(path); code != 0 || stderr != "" {
			t.Errorf("%s: %d, %s", name, code, stderr)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	for _, name := range []string{"up", "waits", "leaves"} {
		t.Run(name, func(t *testing.T) {
			path, _ := config(t, fmt.Sprintf("start = %q", name))
			cfg, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan struct{})
			defs := append(programs(), service.Def("watcher", func(c *service.Context, _ ...any) error {
				c.AtServiceEnd(func() { close(ended) })
				cancel()
				_, err := c.NewService(name)
				return err
			}))
			cfg.Start = "watcher"
			if err := Run(ctx, cfg, defs...); err != nil {
				t.Error(err)
			}
			select {
			case <-ended:
			default:
				t.Error("a service still runs")
			}
		})
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	path, _ := config(t, `start = "waits"`)
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := Start(ctx, cfg, programs()...); n != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", n, err)
	}
}

func TestBoth(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	for _, test := range []struct {
		err, stop error
		want      string
	}{{nil, nil, "<nil>"}, {a, nil, "a"}, {nil, b, "b"}, {a, b, "a; b"}} {
		got := both(test.err, test.stop)
		if fmt.Sprint(got) != test.want || test.err != nil && !errors.Is(got, a) || test.stop != nil && !errors.Is(got, b) {
			t.Errorf("both(%v, %v) = %v", test.err, test.stop, got)
		}
	}
}
