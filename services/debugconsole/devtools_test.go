package debugconsole_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
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

// browser is a Chromium without a window, with one tab, spoken to over its
// DevTools protocol.
type browser struct {
	t       *testing.T
	conn    *websocket.Conn
	session string // of the tab
	id      int

	mu      sync.Mutex
	answers map[int]chan devtools
	events  []devtools
}

// devtools is one message of the protocol.
type devtools struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  json.RawMessage `json:"error,omitempty"`
	In     string          `json:"sessionId,omitempty"`
}

// startBrowser skips the test where there is no Chromium.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium to look at the page with")
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
	url, drained := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(drained) // when the last of its processes has ended
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if _, addr, ok := strings.Cut(lines.Text(), "DevTools listening on "); ok {
				url <- addr
			}
		}
	}()
	t.Cleanup(func() {
		stuck := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
		defer stuck.Stop()
		<-drained
		_ = cmd.Wait()
	})
	b := &browser{t: t, answers: make(map[int]chan devtools)}
	select {
	case addr := <-url:
		if b.conn, _, err = websocket.Dial(t.Context(), addr, nil); err != nil {
			_ = cmd.Process.Kill()
			t.Fatal(err)
		}
	case <-time.After(limit):
		_ = cmd.Process.Kill()
		t.Fatal("chromium does not say where it listens")
	}
	b.conn.SetReadLimit(-1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.read()
	}()
	t.Cleanup(func() {
		b.session = ""
		b.do("Browser.close", nil, nil)
		<-ended
	})
	var made struct{ TargetID, SessionID string }
	b.do("Target.createTarget", dict{"url": "about:blank"}, &made)
	b.do("Target.attachToTarget", dict{"targetId": made.TargetID, "flatten": true}, &made)
	b.session = made.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		b.do(domain+".enable", nil, nil)
	}
	b.do("Emulation.setFocusEmulationEnabled", dict{"enabled": true}, nil)
	return b
}

func (b *browser) read() {
	for {
		_, text, err := b.conn.Read(context.Background())
		var m devtools
		if err != nil || json.Unmarshal(text, &m) != nil {
			return
		}
		b.mu.Lock()
		if m.ID == 0 {
			b.events = append(b.events, m)
		} else {
			b.answers[m.ID] <- m
		}
		b.mu.Unlock()
	}
}

// do has the browser do something, and decodes what it answers.
func (b *browser) do(method string, params, result any) {
	b.t.Helper()
	b.id++
	ask := devtools{ID: b.id, Method: method, In: b.session}
	answer := make(chan devtools, 1)
	b.mu.Lock()
	b.answers[ask.ID] = answer
	b.mu.Unlock()
	var err error
	if params != nil {
		ask.Params, err = json.Marshal(params)
	}
	text, err2 := json.Marshal(ask)
	if err != nil || err2 != nil {
		b.t.Fatal(err, err2)
	}
	if err := b.conn.Write(context.Background(), websocket.MessageText, text); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error)
		}
		if result == nil {
			return
		}
		if err := json.Unmarshal(m.Result, result); err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
	case <-time.After(limit):
		b.t.Fatalf("%s: no answer", method)
	}
}

// heard returns the events of a kind so far.
func heard[T any](b *browser, method string) []T {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []T
	for _, m := range b.events {
		if m.Method == method {
			var v T
			if err := json.Unmarshal(m.Params, &v); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
			all = append(all, v)
		}
	}
	return all
}

// open loads a page in a window of a size.
func (b *browser) open(url string, width, height int) {
	b.t.Helper()
	b.resize(width, height)
	b.do("Page.navigate", dict{"url": url}, nil)
	b.until(fmt.Sprintf(`location.href === %q && document.readyState === "complete"`, url))
}

func (b *browser) resize(width, height int) {
	b.t.Helper()
	b.do("Emulation.setDeviceMetricsOverride", dict{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
}

// eval returns what an expression is, as text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var got struct {
		Result           struct{ Value string }
		ExceptionDetails json.RawMessage
	}
	b.do("Runtime.evaluate", dict{"expression": "String(" + expression + ")", "userGesture": true}, &got)
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, got.ExceptionDetails)
	}
	return got.Result.Value
}

// until waits until an expression is true.
func (b *browser) until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(limit); b.eval(expression) != "true"; {
		if time.Now().After(end) {
			b.t.Fatalf("it does not come about: %s\n%s", expression, b.eval("document.body.innerText"))
		}
	}
}

// press presses a key.
func (b *browser) press(key string, code int) {
	b.t.Helper()
	text := ""
	if key == "Enter" {
		text = "\r"
	}
	for _, kind := range []string{"keyDown", "keyUp"} {
		b.do("Input.dispatchKeyEvent", dict{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}, nil)
	}
}

// shoot takes a picture of all of the page in each size and colour scheme.
func (b *browser) shoot(dir, name string) {
	b.t.Helper()
	for _, size := range [][2]int{{1280, 800}, {390, 844}} {
		b.resize(size[0], size[1])
		for _, scheme := range []string{"light", "dark"} {
			b.do("Emulation.setEmulatedMedia", dict{"features": []dict{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
			var got struct{ Data string }
			b.do("Page.captureScreenshot", dict{"captureBeyondViewport": true, "clip": dict{
				"x": 0, "y": 0, "width": size[0], "height": json.Number(b.eval("document.documentElement.scrollHeight")), "scale": 1,
			}}, &got)
			png, err := base64.StdEncoding.DecodeString(got.Data)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%dx%d-%s.png", name, size[0], size[1], scheme)), png, 0o600)
			}
			if err != nil {
				b.t.Fatal(err)
			}
		}
	}
}
