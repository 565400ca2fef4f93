package debugconsole_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// door is an address behind which nodes can come and go.
type door struct {
	net.Listener
	to atomic.Pointer[string]
}

func newDoor(t *testing.T) *door {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{Listener: ln}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { d.serve(conn) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		all.Wait()
	})
	return d
}

func (d *door) serve(conn net.Conn) {
	defer conn.Close()
	node, err := net.Dial("tcp", *d.to.Load())
	if err != nil {
		return
	}
	defer node.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(node, conn)
		node.Close()
	}()
	_, _ = io.Copy(conn, node)
	conn.Close()
	<-done
}

// other starts a node that others may call, and returns its address.
func other(t *testing.T) (*nodetest.Node, string) {
	t.Helper()
	n := nodetest.Start(t, nodetest.Services(service.Def("subject", startSubject)))
	addr := ""
	n.Run(func(c *service.Context) error {
		h, err := c.NewService("subject")
		if err != nil {
			return err
		}
		if err = cluster.Register(c, "subject", h); err != nil {
			return err
		}
		addr, err = cluster.Open(c, 0)
		return err
	})
	return n, addr
}

// TestBrowser looks at the page as people do.
func TestBrowser(t *testing.T) {
	d := newDoor(t) // its end waits for that of the others
	w := startBrowser(t)
	b := newBoard(t, never)
	d.to.Store(&b.addr)
	dir := t.TempDir()
	if keep := os.Getenv("PAGE_PICTURES"); keep != "" {
		dir = keep
	}
	home := "http://" + d.Addr().String() + "/"
	w.open(home, 1280, 800)
	w.until(`document.getElementById("state").textContent === "● Live"`)

	// A service with a name that is markup, and one that is busy.
	busy := make(chan struct{})
	free := sync.OnceFunc(func() { close(busy) })
	t.Cleanup(free)
	for range 4 {
		if err := b.Send(b.b, service.Message{Type: service.PTypeClient, Data: busy}); err != nil {
			t.Fatal(err)
		}
	}
	b.Run(func(c *service.Context) error { return c.Send(b.a, "WAIT", `<img src=x onerror=alert(1)>`) })
	b.Node.Node.LogAt(slog.LevelError, b.a, `<script>alert("x")</script>`)
	row := func(table, key string) string {
		return fmt.Sprintf(`([...document.querySelectorAll("#%s-table tbody tr")].find(r => r.innerText.includes(%q))?.innerText ?? "")`, table, key)
	}
	w.until(row("services", b.b.String()) + `.match(/^subject\t[34]\t.*no answer/) !== null`)
	w.until(row("services", b.a.String()) + `.split("\t")[4] === "1"`)
	w.until(`document.getElementById("lines").textContent.includes('<script>alert("x")<\/script>')`)

	// Sorted with the keyboard.
	column := func(n int) []string {
		return strings.Split(w.eval(fmt.Sprintf(`[...document.querySelectorAll("#services-table tbody tr")].map(r => r.children[%d].textContent).join()`, n)), ",")
	}
	w.eval(`document.querySelector("#services-table thead button").focus()`)
	w.press("Tab", 9)
	w.press("Enter", 13)
	if got := column(1); got[0] < "3" || w.eval(`document.querySelector("#services-table [aria-sort=descending]").textContent`) != "Mailbox" {
		t.Errorf("by mailbox: %v", got)
	}
	w.eval(`document.querySelector("#services-table th:last-child button").focus()`)
	w.press("Enter", 13)
	if got := column(6); !slices.IsSorted(got) || len(got) < 5 || w.eval(`document.querySelector("#services-table [aria-sort=ascending]").textContent`) != "Address" {
		t.Errorf("by address: %v", got)
	}
	w.press("Enter", 13)
	got := column(6)
	if slices.Reverse(got); !slices.IsSorted(got) || w.eval(`document.querySelector("#services-table [aria-sort=descending]").textContent`) != "Address" {
		t.Errorf("by address, backwards: %v", got)
	}

	// What a service waits for.
	w.eval(`[...document.querySelectorAll("#services-table tbody tr")].find(r => r.innerText.includes("` + b.a.String() + `")).querySelector("button").click()`)
	w.until(`document.getElementById("tasks").innerText.includes("waitsInSubject")`)
	if text := w.eval(`document.querySelector("#tasks h3").textContent`); !strings.HasPrefix(text, "wait <img src=x onerror=alert(1)> for ") {
		t.Errorf("it waits for %q", text)
	}
	w.press("Escape", 27)
	w.until(`!document.getElementById("tasks").open`)

	// Links.
	n, addr := other(t)
	table := cluster.Table{"db": addr, "archive-of-the-northern-realm-with-a-long-name": false, "lobby": false, "<b>chat</b>": false, "rank": addr}
	call := func(node string) error {
		var err error
		b.Run(func(c *service.Context) error {
			_, err = cluster.Call(c, node, "@subject", "X")
			return nil
		})
		return err
	}
	b.Run(func(c *service.Context) error { return cluster.Reload(c, table) })
	if err := errors.Join(call("db"), call("rank")); err != nil {
		t.Fatal(err)
	}
	for _, closed := range []string{"lobby", "archive-of-the-northern-realm-with-a-long-name"} {
		if call(closed) == nil {
			t.Error("a closed node answers")
		}
	}
	w.until(row("links", "db\t") + `.includes("● up")`)
	w.until(`document.querySelectorAll("#picture .card.up").length === 2 && document.querySelectorAll("#picture .line.closed").length > 0`)
	for range 50 {
		if err := call("db"); err != nil {
			t.Fatal(err)
		}
	}
	w.until(row("links", "<b>chat</b>") + `.includes("– closed")`)
	w.until(row("sockets", "TCP") + `.includes("TCP")`)
	w.shoot(dir, "up")
	n.Stop()
	for call("db") == nil {
	}
	w.until(row("links", "db\t") + `.includes("✕ down")`)
	w.until(`document.querySelectorAll("#picture .card.down").length === 2`)
	w.shoot(dir, "down")
	_, table["db"] = other(t)
	b.Run(func(c *service.Context) error { return cluster.Reload(c, table) })
	for call("db") != nil {
	}
	w.until(row("links", "db\t") + `.includes("● up")`)

	// The end of the node, and another one in its place.
	noComplaint(w, false)
	free()
	b.Stop()
	w.until(`document.getElementById("state").textContent.includes("The node does not answer since") && document.title.startsWith("✕")`)
	w.until(row("services", b.b.String()) + ` !== ""`)
	w.shoot(dir, "silent")
	next := newBoard(t, never)
	d.to.Store(&next.addr)
	w.until(`document.getElementById("state").textContent === "● Live" && document.getElementById("node").title === "` + next.ID().String() + `"`)
	w.until(row("links", "db\t") + ` === "" && document.querySelectorAll("#picture *").length === 0`)
	noComplaint(w, true)
	for _, r := range heard[struct{ Request struct{ URL string } }](w, "Network.requestWillBeSent") {
		if !strings.HasPrefix(r.Request.URL, home) {
			t.Errorf("it asked for %s", r.Request.URL)
		}
	}
}

// noComplaint wants no error in the browser's console but, when the node has been
// away, that it was.
func noComplaint(w *browser, away bool) {
	w.t.Helper()
	for _, e := range heard[dict](w, "Runtime.exceptionThrown") {
		w.t.Errorf("an exception: %v", e)
	}
	for _, e := range heard[dict](w, "Runtime.consoleAPICalled") {
		w.t.Errorf("in the console: %v", e)
	}
	for _, e := range heard[struct {
		Entry struct{ Source, Level, Text, URL string }
	}](w, "Log.entryAdded") {
		if e.Entry.Source != "network" || !away {
			w.t.Errorf("in the console: %v", e)
		}
	}
}
