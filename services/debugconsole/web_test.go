package debugconsole_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/debugconsole"
)

// request sends a request of HTTP on a new connection.
func (b *board) request(method, path, body string, header ...string) (*http.Response, string) {
	b.t.Helper()
	s := b.connect()
	r, err := http.NewRequest(method, "http://"+b.addr+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, h := range header {
		key, value, ok := strings.Cut(h, ": ")
		if !ok {
			continue
		}
		if r.Header.Set(key, value); key == "Host" {
			r.Host = value
		}
	}
	if err := r.Write(s.conn); err != nil {
		b.t.Fatal(err)
	}
	return s.response(r)
}

func (s *session) response(r *http.Request) (*http.Response, string) {
	s.t.Helper()
	resp, err := http.ReadResponse(s.in, r)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

// get decodes the JSON at path.
func get[T any](b *board, path string) T {
	b.t.Helper()
	resp, text := b.request("GET", path, "")
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		b.t.Fatalf("%s: %s, %v\n%s", path, resp.Status, err, text)
	}
	return v
}

// TestCommandsByHTTP: the text is what a client of Skynet's console reads.
func TestCommandsByHTTP(t *testing.T) {
	b := newBoard(t, never)
	for _, r := range [][3]string{
		{"GET", "/getenv/nosuch", ""},
		{"POST", "/", "getenv nosuch"},
		{"POST", "/what/ever", "getenv nosuch\r\n"},
	} {
		resp, text := b.request(r[0], r[1], r[2])
		if want := "Welcome to skynet console\nnosuch\tnil\n<CMD OK>\n"; text != want || !resp.Close || resp.StatusCode != http.StatusOK {
			t.Errorf("%s %s: %s %q", r[0], r[1], resp.Status, text)
		}
	}
	if _, text := b.request("GET", "/call/"+b.a.String()[1:]+"/%22X%22,1", ""); !strings.Contains(text, "\n1\tX\n2\t1\nn\t2\n") {
		t.Errorf("call: %q", text)
	}
	if resp, _ := b.request("POST", "/", strings.Repeat("x", 8193)); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a long body: %s", resp.Status)
	}
	if resp, _ := b.request("DELETE", "/list", ""); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("another method: %s", resp.Status)
	}
}

// TestGreeting: a peer that says nothing is greeted, one that speaks HTTP is not,
// and one that types is before it is answered.
func TestGreeting(t *testing.T) {
	b := newBoard(t, time.Millisecond)
	s := b.dial()
	b.Log.Wait(t, s.conn.LocalAddr().String()+" connected")
	s.send("GET /getenv/nosuch HTTP/1.1\r\nHost: localhost\r\n\r\n") // as late as Skynet takes it
	if _, text := s.response(nil); !strings.Contains(text, "nosuch\tnil") {
		t.Errorf("got %q", text)
	}
	b.Log.Wait(t, s.conn.LocalAddr().String()+" disconnect")

	slow := newBoard(t, never)
	s = slow.connect()
	s.send("getenv nosuch\r\n\r\n\n")
	if got := s.line() + s.line() + s.line(); got != "Welcome to skynet consolenosuch\tnil<CMD OK>" {
		t.Errorf("got %q", got)
	}
	s.wants("getenv nosuch", "nosuch\tnil\n<CMD OK>") // nothing came of the empty lines
	s.send(strings.Repeat("x", 70000))
	if _, err := io.Copy(io.Discard, s.in); err == nil { // or a reset
		slow.Log.Wait(t, s.conn.LocalAddr().String()+" disconnect")
	}
}

// TestForeignRequests: what other sites make a browser ask is refused, since a
// command may do harm.
func TestForeignRequests(t *testing.T) {
	b := newBoard(t, never)
	for header, want := range map[string]int{
		"Accept: */*":                   http.StatusOK,
		"Sec-Fetch-Site: none":          http.StatusOK,
		"Sec-Fetch-Site: same-origin":   http.StatusOK,
		"Sec-Fetch-Site: cross-site":    http.StatusForbidden,
		"Sec-Fetch-Site: same-site":     http.StatusForbidden,
		"Origin: http://" + b.addr:      http.StatusOK,
		"Origin: http://example.org":    http.StatusForbidden,
		"Origin: null":                  http.StatusForbidden,
		"Host: localhost:8000":          http.StatusOK,
		"Host: [::1]":                   http.StatusOK,
		"Host: rebound.example.org:123": http.StatusForbidden,
	} {
		for _, method := range []string{"GET", "POST"} {
			if resp, text := b.request(method, "/ping/"+b.a.String(), "ping .launcher", header); resp.StatusCode != want {
				t.Errorf("%s with %s: %s %q", method, header, resp.Status, text)
			}
		}
	}
	// A browser names the site of a POST always, of a GET only where it trusts the address.
	for request, want := range map[[2]string]int{
		{"GET", ""}:                            http.StatusForbidden,
		{"GET", "Sec-Fetch-Site: none"}:        http.StatusOK,
		{"GET", "Sec-Fetch-Site: same-origin"}: http.StatusOK,
		{"POST", "Origin: http://" + b.addr}:   http.StatusOK,
	} {
		resp, text := b.request(request[0], "/list", "list", "User-Agent: Mozilla/5.0 (X11)", request[1])
		if resp.StatusCode != want {
			t.Errorf("%v of a browser: %s %q", request, resp.Status, text)
		}
	}
}

type dict = map[string]any

func TestStateOfTheNode(t *testing.T) {
	b := newBoard(t, never)
	got := get[dict](b, "/debug/node")
	if got["id"] != b.ID().String() || got["services"].(float64) < 5 || got["goroutines"].(float64) < 1 || got["profile"] != true {
		t.Errorf("got %v", got)
	}
	if _, ok := got["drops"].(dict)["no_service"]; !ok {
		t.Errorf("drops %v", got["drops"])
	}
}

func TestStateOfServices(t *testing.T) {
	b := newBoard(t, never)
	b.wait(b.a, "x")
	busy := make(chan struct{})
	for range 3 {
		if err := b.Send(b.b, service.Message{Type: service.PTypeClient, Data: busy}); err != nil {
			t.Fatal(err)
		}
	}
	all := get[[]dict](b, "/debug/services?waiting=1")
	if first := all[0]; first["address"] != b.b.String() || first["name"] != "subject" || first["mailbox"].(float64) < 2 || first["waiting"] != nil {
		t.Errorf("the busy one is %v", first)
	}
	for range 3 {
		if again := get[[]dict](b, "/debug/services?waiting=1"); again[0]["mailbox"].(float64) > all[0]["mailbox"].(float64) {
			t.Errorf("asking fills its mailbox: %v", again[0])
		}
	}
	found := false
	for _, s := range all {
		if s["address"] == b.a.String() {
			found = s["waiting"] == 1.0 && s["handled"].(float64) >= 1
		}
	}
	if !found {
		t.Errorf("no service with one that waits: %v", all)
	}
	if all = get[[]dict](b, "/debug/services?limit=1"); len(all) != 1 || all[0]["waiting"] != nil {
		t.Errorf("the first is %v", all)
	}
	close(busy)
	if resp, _ := b.request("GET", "/debug/services?limit=x", ""); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a limit that is none: %s", resp.Status)
	}
}

func TestStateOfTasks(t *testing.T) {
	b := newBoard(t, never)
	b.wait(b.a, "x")
	for _, addr := range []string{b.a.String(), b.a.String()[1:]} {
		all := get[[]dict](b, "/debug/tasks/"+addr)
		if len(all) != 1 || all[0]["what"] != "wait" || all[0]["token"] != "x" || !strings.Contains(all[0]["stack"].(string), "waitsInSubject") {
			t.Errorf("got %v", all)
		}
	}
	console := get[[]dict](b, "/debug/tasks/"+b.console().String())
	if len(console) == 0 || console[0]["what"] != "await" {
		t.Errorf("the console waits for %v", console)
	}
	if resp, text := b.request("GET", "/debug/tasks/ff", ""); resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "call to invalid address :000000ff") {
		t.Errorf("of nobody: %s %s", resp.Status, text)
	}
}

func TestStateOfLinksAndSockets(t *testing.T) {
	b := newBoard(t, never)
	if all := get[[]dict](b, "/debug/links"); all == nil || len(all) != 0 {
		t.Errorf("links at first: %v", all)
	}
	var addr string
	b.Run(func(c *service.Context) (err error) {
		if err = cluster.Reload(c, cluster.Table{"db": false}); err != nil {
			return err
		}
		addr, err = cluster.Open(c, 0)
		return err
	})
	cluster.LinkTo(b.Node.Node, "db").Drop(cluster.DropDown, 3)
	all := get[[]dict](b, "/debug/links")
	if len(all) != 1 || all[0]["node"] != "db" || all[0]["state"] != "closed" || all[0]["dropped"].(dict)["down"] != 3.0 {
		t.Errorf("links: %v", all)
	}
	b.connectTo(addr)
	var list []dict
	b.eventually(func() bool {
		list = get[[]dict](b, "/debug/sockets")
		return len(list) == 2
	})
	if list[0]["type"] != socket.TypeListen || list[0]["address"] != addr || list[0]["accepted"] != 1.0 || list[0]["owner_name"] != "gate" || list[1]["type"] != socket.TypeTCP || list[1]["scheme"] != "" || list[1]["packets"] != 0.0 {
		t.Errorf("sockets: %v", list)
	}
}

// TestMetricsOfAnyName: a name that can not be a label is quoted.
func TestMetricsOfAnyName(t *testing.T) {
	b := newBoard(t, never, nodetest.Services(service.Def("gr\xfcn", func(*service.Context, ...any) error { return nil })))
	cluster.LinkTo(b.Node.Node, "n\xf6rd")
	b.Run(func(c *service.Context) error {
		_, err := c.NewService("gr\xfcn")
		return err
	})
	resp, text := b.request("GET", "/metrics", "")
	for _, want := range []string{`skynet_services{service="\"gr\\xfcn\""} 1`, `skynet_cluster_link_up{node="\"n\\xf6rd\""} 0`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %s in\n%s", resp.Status, want, text)
		}
	}
}

func TestStateOfTheLog(t *testing.T) {
	b := newBoard(t, never, nodetest.Env("logpath", t.TempDir()))
	b.Node.Node.LogAt(slog.LevelWarn, b.a, "the last line")
	b.WaitIdle()
	find := func(all []dict) float64 {
		for _, line := range all {
			if line["text"] == "the last line" && line["source"] == b.a.String() && line["level"] == "warn" {
				return line["number"].(float64)
			}
		}
		return 0
	}
	n := find(get[[]dict](b, "/debug/log"))
	if n == 0 {
		t.Fatal("the line is not there")
	}
	for i := range debugconsole.TailLines {
		b.Node.Node.Log(b.a, fmt.Sprint("line ", i))
	}
	b.WaitIdle()
	all := get[[]dict](b, fmt.Sprintf("/debug/log?after=%v", n))
	if len(all) != debugconsole.TailLines || find(all) != 0 || all[0]["text"] != "line 0" || all[0]["level"] != "info" || all[len(all)-1]["text"] != fmt.Sprint("line ", len(all)-1) {
		t.Errorf("%d lines behind it, from %v to %v", len(all), all[0], all[len(all)-1])
	}
	if all = get[[]dict](b, "/debug/log?limit=2"); len(all) != 2 || all[1]["number"] != n+debugconsole.TailLines {
		t.Errorf("the last two are %v", all)
	}
	if all = get[[]dict](b, "/debug/log?after=999999999"); len(all) != 0 {
		t.Errorf("lines to come: %v", all)
	}
	// After the logger itself was recorded lines come again.
	b.request("GET", "/logon/.logger", "")
	b.request("GET", "/logoff/.logger", "")
	b.Node.Node.Log(b.a, "here again")
	b.WaitIdle()
	if _, text := b.request("GET", "/debug/log", ""); !strings.Contains(text, "here again") {
		t.Errorf("nothing comes after a logoff: %s", text)
	}
}

// TestProfileIsLabelled: while a profile is taken the goroutines tell whose they
// are, and not after it.
func TestProfileIsLabelled(t *testing.T) {
	b := newBoard(t, never)
	s := b.connect()
	s.send("GET /debug/pprof/trace?seconds=3600 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := s.in.ReadString('\n'); err != nil { // it has begun
		t.Fatal(err)
	}
	b.wait(b.a, "x")
	labels := fmt.Sprintf(`# labels: {"handle":"%s", "service":"subject"}`, b.a)
	if _, text := b.request("GET", "/debug/pprof/goroutine?debug=1", ""); !strings.Contains(text, labels) {
		t.Errorf("no labels:\n%s", text)
	}
	s.conn.Close()
	b.eventually(func() bool {
		b.Run(func(c *service.Context) error {
			_, err := c.Call(b.b, "X")
			return err
		})
		b.wait(b.b, "y")
		_, text := b.request("GET", "/debug/pprof/goroutine?debug=1", "")
		b.Run(func(c *service.Context) error {
			_, err := c.Call(b.b, "WAKE", "y")
			return err
		})
		return !strings.Contains(text, `"handle":"`+b.b.String())
	})
}

// TestEndOfTheConsole: whoever ends it, its connections end with it, and a stop
// does not wait for who is connected.
func TestEndOfTheConsole(t *testing.T) {
	for name, end := range map[string]func(b *board){
		"kill": func(b *board) {
			b.Run(func(c *service.Context) error { return c.Kill(b.console()) })
		},
		"stop": func(b *board) { b.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBoard(t, never, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = limit }))
			text, web := b.connect(), b.connect()
			text.send("getenv nosuch\n")
			if got := text.line() + text.line() + text.line(); got != "Welcome to skynet consolenosuch\tnil<CMD OK>" {
				t.Fatalf("got %q", got)
			}
			web.send("GET /debug/node HTTP/1.1\r\nHost: localhost\r\n\r\n")
			web.response(nil)
			end(b)
			for _, s := range []*session{text, web} {
				if _, err := s.in.ReadByte(); err == nil {
					t.Error("something came")
				}
			}
		})
	}
}

func TestArguments(t *testing.T) {
	b := newBoard(t, 0)
	b.Run(func(c *service.Context) error {
		for _, args := range [][]any{{}, {"127.0.0.1", 0, 1}, {"x"}, {"127.0.0.1", 70000}, {"nosuchhost.invalid", 0}, {"127.0.0.1", b.addr}} {
			if _, err := c.NewService(debugconsole.Name, args...); err == nil {
				t.Errorf("%v: it started", args)
			}
		}
		for _, args := range [][]any{{0}, {"0"}, {"localhost", "0"}} {
			if _, err := c.NewService(debugconsole.Name, args...); err != nil {
				t.Errorf("%v: %v", args, err)
			}
		}
		return nil
	})
	for _, line := range b.Log.Lines() {
		if _, addr, ok := strings.Cut(line, "Start debug console at "); ok && !strings.HasPrefix(addr, "127.0.0.1:") && !strings.HasPrefix(addr, "[::1]:") {
			t.Errorf("it listens at %s", addr)
		}
	}
}
