package docs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/internal/freeport"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/snax"
	"github.com/skynetgo/skynet/service/socket"
)

// shop is a service to be looked at.
func shop(c *service.Context, _ ...any) error {
	c.Handle("PRICE", service.F1(func(_ *service.Context, what string) (int, error) { return len(what), nil }))
	c.Handle("OPEN", service.P0(openShop))
	c.InfoFunc(func(*service.Context, lualike.Args) (lualike.Args, error) {
		return lualike.Args{lualike.Map(map[string]any{"customers": 2, "city": "Wellington"})}, nil
	})
	return nil
}

func openShop(c *service.Context) error { return c.Sleep(time.Hour) }

// consoleNode starts a node with a shop and a console, and returns where that
// listens.
func consoleNode() (n *actor.Node, addr string, stop func() error, err error) {
	logs, err := os.MkdirTemp("", "docs-")
	if err != nil {
		return nil, "", nil, err
	}
	cfg, err := bootstrap.Parse("config", "")
	if err != nil {
		return nil, "", nil, err
	}
	cfg.Env["logpath"], cfg.Env["realm"], cfg.LogFile = logs, "north", os.DevNull
	at := make(chan string, 1)
	n, err = bootstrap.Start(context.Background(), cfg,
		service.Def("shop", shop),
		snax.Def(snax.NewInterface("mail"), func(*service.Context, ...any) (snax.Methods, error) { return nil, nil }),
		service.Def("main", func(c *service.Context, _ ...any) error {
			h, err := c.UniqueService("shop")
			if err != nil {
				return err
			}
			if _, _, err = socket.Listen(c, "127.0.0.1:0", nil); err != nil {
				return err
			}
			addr, err := freeport.Addr()
			if err != nil {
				return err
			}
			at <- addr
			_, port, err := net.SplitHostPort(addr)
			if err == nil {
				_, err = c.NewService("debug_console", port)
			}
			return errors.Join(err, c.Send(h, "OPEN"))
		}),
	)
	if err != nil {
		return nil, "", nil, err
	}
	stop = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return errors.Join(n.Shutdown(ctx), os.RemoveAll(logs))
	}
	return n, <-at, stop, nil
}

// consoleLines types the lines of a block that begin with "$ " into a console, and
// returns them with what it prints.
func consoleLines(block string) (string, error) {
	_, addr, stop, err := consoleNode()
	if err != nil {
		return "", err
	}
	out, err := typed(addr, block)
	return out, errors.Join(err, stop())
}

func typed(addr, block string) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewReader(conn)
	greeting, err := in.ReadString('\n')
	out := greeting
	for line := range strings.Lines(block) {
		cmd, ok := strings.CutPrefix(line, "$ ")
		if !ok || err != nil {
			continue
		}
		out += line
		_, err = io.WriteString(conn, cmd)
		for err == nil {
			var text string
			text, err = in.ReadString('\n')
			if out += text; strings.HasPrefix(text, "<CMD ") {
				break
			}
		}
	}
	return out, err
}

// varying is what is another thing each time: figures, ports, places in files.
var varying = regexp.MustCompile(`(?m)127\.0\.0\.1:\d+|console \d+|since \S+|(?:message|cpu|heap|stacks|system|ping)[: ] *\S+|^\d+$|\S+/(?:docs|service)/\S+`)

// runtimeFrame is a function of the runtime in a stack, which nobody is to keep
// in step with a page.
var runtimeFrame = regexp.MustCompile(`(?m)^github\.com/skynetgo/skynet/(?:actor|service)\..*\n.*\n`)

// checkConsole compares a session with what a console prints.
func checkConsole(text string) error {
	out, err := consoleLines(text)
	if err != nil {
		return err
	}
	mask := func(s string) string {
		s = runtimeFrame.ReplaceAllString(strings.ReplaceAll(s, "\t", "    "), "")
		return strings.TrimRight(varying.ReplaceAllString(s, "#"), "\n")
	}
	if mask(text) != mask(out) {
		return fmt.Errorf("the console prints something else (%s):\n%s", firstDifference(mask(text), mask(out)), strings.ReplaceAll(out, "\t", "    "))
	}
	return nil
}

// TestConsoleSession wants every command in the session that console.md shows.
func TestConsoleSession(t *testing.T) {
	var session string
	for _, b := range pageAt(t, "docs/console.md").blocks {
		if b.arg == "console" {
			session = b.text
		}
	}
	_, addr, stop, err := consoleNode()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	help, err := typed(addr, "$ help\n")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(help) {
		name, _, ok := strings.Cut(line, "\t")
		if !ok {
			continue
		}
		if count++; !strings.Contains(session, "\n$ "+name+"\n") && !strings.Contains(session, "\n$ "+name+" ") {
			t.Errorf("the session does not have %s", name)
		}
	}
	if count < 30 {
		t.Errorf("help has %d commands:\n%s", count, help)
	}
}

var (
	metricRow  = regexp.MustCompile("(?m)^\\| `(skynet_\\w+)` \\|([^|]*)\\|")
	metricLine = regexp.MustCompile(`(?m)^(skynet_\w+)(?:\{(.*)\})? `)
	labelName  = regexp.MustCompile("`(\\w+)`|(?:^|,)(\\w+)=")
)

// TestMetrics compares the table of metrics with what a node serves that has one
// of everything.
func TestMetrics(t *testing.T) {
	n, addr, stop, err := consoleNode()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	cluster.LinkTo(n, "other").Drop(cluster.DropDown, 1)
	served, err := scrape("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	names := func(found [][]string) []string {
		set := make(map[string]bool)
		for _, m := range found {
			var labels []string
			for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
				labels = append(labels, l[1]+l[2])
			}
			slices.Sort(labels)
			set[m[1]+fmt.Sprint(labels)] = true
		}
		return slices.Sorted(maps.Keys(set))
	}
	have := names(metricLine.FindAllStringSubmatch(served, -1))
	listed := names(metricRow.FindAllStringSubmatch(pageAt(t, "docs/console.md").prose, -1))
	if !slices.Equal(have, listed) || len(have) == 0 {
		t.Errorf("the node serves\n%s\nthe page lists\n%s", strings.Join(have, "\n"), strings.Join(listed, "\n"))
	}
}

// scrape gets a page of the console. On a machine that stands still a connection
// is greeted before its request is there, so it tries more than once.
func scrape(url string) (string, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for attempt := 1; ; attempt++ {
		resp, err := client.Get(url)
		if err != nil {
			if attempt < 10 {
				continue
			}
			return "", err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			err = errors.New(resp.Status)
		}
		return string(body), err
	}
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: %q, not %q", i+1, b[i], a[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(b), len(a))
}
