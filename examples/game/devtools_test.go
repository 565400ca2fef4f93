package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// browser is a Chromium without a window, spoken to over its DevTools protocol.
type browser struct {
	t    *testing.T
	conn *websocket.Conn

	mu      sync.Mutex
	id      int
	answers map[int]chan answer
}

// tab is a page of a browser.
type tab struct {
	*browser
	session string
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// startBrowser skips the test where there is no Chromium.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on the PATH")
	}
	cmd := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
		"--user-data-dir="+t.TempDir(), "about:blank")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if _, addr, ok := strings.Cut(lines.Text(), "DevTools listening on "); ok {
				url <- addr
			}
		}
	}()
	b := &browser{t: t, answers: make(map[int]chan answer)}
	t.Cleanup(func() {
		if b.conn != nil {
			_, _ = b.do("", "Browser.close", nil)
			_ = b.conn.CloseNow()
		}
		stuck := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		<-drained
		_ = cmd.Wait()
		stuck.Stop()
	})
	select {
	case addr := <-url:
		b.conn, _, err = websocket.Dial(t.Context(), addr, nil)
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("chromium does not say where it listens")
	}
	b.conn.SetReadLimit(64 << 20)
	go b.read()
	return b
}

func (b *browser) read() {
	for {
		_, text, err := b.conn.Read(context.Background())
		a := answer{}
		if err != nil || json.Unmarshal(text, &a) != nil {
			return
		}
		b.mu.Lock()
		ch := b.answers[a.ID]
		delete(b.answers, a.ID)
		b.mu.Unlock()
		if ch != nil {
			ch <- a
		}
	}
}

func (b *browser) do(session, method string, params any) (json.RawMessage, error) {
	ch := make(chan answer, 1)
	b.mu.Lock()
	b.id++
	id := b.id
	b.answers[id] = ch
	b.mu.Unlock()
	text, err := json.Marshal(map[string]any{"id": id, "sessionId": session, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	if session == "" {
		text, _ = json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	}
	if err := b.conn.Write(context.Background(), websocket.MessageText, text); err != nil {
		return nil, err
	}
	select {
	case a := <-ch:
		if a.Error != nil {
			return nil, errors.New(a.Error.Message)
		}
		return a.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("no answer to %s", method)
	}
}

// open opens a page in a tab of that size, with storage of its own.
func (b *browser) open(url string, width, height int, mobile bool) *tab {
	b.t.Helper()
	var made struct {
		BrowserContextID string `json:"browserContextId"`
		TargetID         string `json:"targetId"`
		SessionID        string `json:"sessionId"`
	}
	t := &tab{b, ""}
	t.must("Target.createBrowserContext", nil, &made)
	t.must("Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": made.BrowserContextID}, &made)
	t.must("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made)
	t.session = made.SessionID
	b.t.Cleanup(func() {
		if b.t.Failed() {
			b.t.Logf("%s shows %s", url, t.eval("document.body.innerText"))
		}
	})
	t.must("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}, nil)
	t.must("Page.navigate", map[string]any{"url": url}, nil)
	t.ready()
	return t
}

func (t *tab) must(method string, params, result any) {
	t.t.Helper()
	text, err := t.do(t.session, method, params)
	if err == nil && result != nil {
		err = json.Unmarshal(text, result)
	}
	if err != nil {
		t.t.Fatalf("%s: %v", method, err)
	}
}

// ready waits until the page's scripts have run.
func (t *tab) ready() { t.t.Helper(); t.until(`window.session !== undefined`) }

// eval returns what an expression is, as text.
func (t *tab) eval(expression string) string {
	t.t.Helper()
	var got struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
	}
	t.must("Runtime.evaluate", map[string]any{"expression": "String(" + expression + ")"}, &got)
	return fmt.Sprint(got.Result.Value)
}

// until waits until an expression is true.
func (t *tab) until(expression string) {
	t.t.Helper()
	eventually(t.t, expression, func() bool { return t.eval(expression) == "true" })
}

// key presses a key, or lets it go.
func (t *tab) key(event, code string) {
	t.t.Helper()
	t.must("Input.dispatchKeyEvent", map[string]any{"type": event, "code": code, "key": code}, nil)
}

// fill writes text into a field and submits its form.
func (t *tab) fill(id, text string) {
	t.t.Helper()
	t.eval(fmt.Sprintf(`(f => { f.value = %q; f.form.requestSubmit() })(document.getElementById(%q))`, text, id))
}

// press moves the mouse to a place, given by expressions, and holds it there.
func (t *tab) press(x, y string) {
	t.t.Helper()
	at := map[string]any{"type": "mousePressed", "button": "left", "buttons": 1, "clickCount": 1, "x": number(t.t, t, x), "y": number(t.t, t, y)}
	t.must("Input.dispatchMouseEvent", at, nil)
}

// shoot writes a picture of the page.
func (t *tab) shoot(dir, name string) {
	t.t.Helper()
	var got struct {
		Data string `json:"data"`
	}
	t.must("Page.captureScreenshot", map[string]any{"format": "png"}, &got)
	png, err := base64.StdEncoding.DecodeString(got.Data)
	if err != nil {
		t.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.t.Fatal(err)
	}
}
