package service_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

var traceLine = regexp.MustCompile(`^\[(:[0-9a-f]{8})\] <TRACE (\S+)> (\d+) (.*)$`)

// traces returns the trace lines of a node: who logged, tag and text; the times
// of each must never go back. Line numbers are left out.
func traces(t *testing.T, n *node) []string {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	var lines []string
	last := make(map[string]string)
	for _, line := range n.lines {
		if !strings.Contains(line, "<TRACE") {
			continue
		}
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("not a trace line: %q", line)
		}
		if m[3] < last[m[1]] {
			t.Errorf("%s of %s is before %s", m[3], m[1], last[m[1]])
		}
		last[m[1]] = m[3]
		text := regexp.MustCompile(`:\d+$`).ReplaceAllString(m[4], ":N")
		lines = append(lines, fmt.Sprintf("%s %s %s", m[1], m[2], text))
	}
	return lines
}

func expectTraces(t *testing.T, n *node, want ...string) {
	t.Helper()
	eventually(t, func() bool { return len(traces(t, n)) >= len(want) }, strings.Join(want, "\n"))
	if got := traces(t, n); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// traced sets up a service with handlers for every kind of line.
func traced(c *service.Context) {
	c.Handle("PLAIN", service.P0(func(*service.Context) error { return nil }))
	c.Handle("FAIL", service.P0(func(*service.Context) error { return errOwn }))
	c.Handle("PANIC", service.P0(func(*service.Context) error { panic("in the handler") }))
	c.Handle("SLEEP", service.P0(func(c *service.Context) error { return c.Sleep(time.Microsecond) }))
	c.Handle("RELAY", service.P2(func(c *service.Context, to service.Handle, cmd string) error {
		_, err := c.Call(to, cmd)
		return err
	}))
	c.Handle("TRACE", service.F0(func(c *service.Context) (string, error) {
		c.Trace("more", 1)
		return c.TraceTag(), nil
	}))
	c.Handle("TAG", service.F0(func(c *service.Context) (string, error) { return c.TraceTag(), nil }))
}

// TestB191LocalTrace: what the caller and the callee log of one traced call.
func TestB191LocalTrace(t *testing.T) {
	for name, tt := range map[string]struct {
		call  func(c *service.Context, a, b service.Handle)
		lines string // %[1]s is the caller, %[2]s and %[3]s the callees, %[4]s the tag
	}{
		"call": {func(c *service.Context, a, _ service.Handle) { _, _ = c.Call(a, "PLAIN") },
			"1 call : @trace_test.go:N|2 request|2 response|2 end|1 resume"},
		"typed call": {func(c *service.Context, a, _ service.Handle) { _, _ = service.Call[any](c, a, "PLAIN") },
			"1 call : @trace_test.go:N|2 request|2 response|2 end|1 resume"},
		"through": {func(c *service.Context, a, b service.Handle) { _, _ = c.Call(a, "RELAY", b, "PLAIN") },
			"1 call : @trace_test.go:N|2 request|2 call : @trace_test.go:N|3 request|3 response|3 end|2 resume|2 response|2 end|1 resume"},
		"sleep": {func(c *service.Context, a, _ service.Handle) { _, _ = c.Call(a, "SLEEP") },
			"1 call : @trace_test.go:N|2 request|2 sleep : @trace_test.go:N|2 resume|2 response|2 end|1 resume"},
		"error": {func(c *service.Context, a, _ service.Handle) { _, _ = c.Call(a, "FAIL") },
			"1 call : @trace_test.go:N|2 request|2 error|1 resume"},
		"panic": {func(c *service.Context, a, _ service.Handle) { _, _ = c.Call(a, "PANIC") },
			"1 call : @trace_test.go:N|2 request|2 error|1 resume"},
		"select": {func(c *service.Context, a, _ service.Handle) {
			for range c.Select(service.Req(a, "PLAIN")) {
				continue
			}
		}, "1 call : @trace_test.go:N|1 sleep : @trace_test.go:N|2 request|2 response|2 end|1 resume"},
		"a send is not traced": {func(c *service.Context, a, _ service.Handle) { _ = c.Send(a, "PLAIN") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, true)
			a, b := serve(t, n, "a", traced), serve(t, n, "b", traced)
			var self service.Handle
			do(t, n, func(c *service.Context) {
				self = c.Self()
				c.Trace()
				tt.call(c, a, b)
			})
			do(t, n, func(c *service.Context) {
				if tag, err := service.Call[string](c, a, "TAG"); err != nil || tag != "" {
					t.Errorf("the next request of the same service has the tag %q, %v", tag, err)
				}
			})
			want := []string{"1 trace"}
			if tt.lines != "" {
				want = append(want, strings.Split(tt.lines, "|")...)
			}
			want = append(want, "1 end")
			for i, line := range want {
				who, text, _ := strings.Cut(line, " ")
				by := map[string]service.Handle{"1": self, "2": a, "3": b}[who]
				want[i] = fmt.Sprintf("%s %s-1 %s", by, self, text)
			}
			// The callee's last line and the caller's next ones come at the same time.
			eventually(t, func() bool { return len(traces(t, n)) >= len(want) }, strings.Join(want, "\n"))
			if got := traces(t, n); !sameBy(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// sameBy reports whether the lines of each service are the same in the same
// order.
func sameBy(got, want []string) bool {
	by := func(lines []string) string {
		m := make(map[string][]string)
		for _, line := range lines {
			who, _, _ := strings.Cut(line, " ")
			m[who] = append(m[who], line)
		}
		return fmt.Sprint(m)
	}
	return by(got) == by(want)
}

// TestTraceOfARefusedCall: the request that comes next from the same service is
// not taken for it.
func TestTraceOfARefusedCall(t *testing.T) {
	for name, call := range map[string]func(c *service.Context, h service.Handle) error{
		"call": func(c *service.Context, h service.Handle) error {
			_, err := c.Call(h, "TAG", make(chan int))
			return err
		},
		"select": func(c *service.Context, h service.Handle) (err error) {
			for r := range c.Select(service.Req(h, "TAG", make(chan int))) {
				err = r.Err
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, true)
			h := serve(t, n, "traced", traced)
			do(t, n, func(c *service.Context) {
				untraced := c.Token()
				done := false
				c.Fork(func(c *service.Context) {
					c.Trace()
					if err := call(c, h); err == nil {
						t.Error("the call went through")
					}
					done = c.Wakeup(untraced)
				})
				_ = c.Wait()
				if tag, err := service.Call[string](c, h, "TAG"); err != nil || tag != "" || !done {
					t.Errorf("the tag %q, %v", tag, err)
				}
			})
		})
	}
}

// TestTracePosition is where the code of a service stands, of whatever package.
func TestTracePosition(t *testing.T) {
	n := newNode(t, false, starts()...)
	do(t, n, func(c *service.Context) {
		c.Trace()
		if _, err := c.UniqueService("fine"); err != nil {
			t.Error(err)
		}
	})
	n.expectLog(t, "call : @trace_test.go:")
	n.expectLog(t, "call : @servicemgr.go:")
}

// TestTraceTags: the service's own, counted; the line has what Trace was told.
func TestTraceTags(t *testing.T) {
	n := newNode(t, false)
	h := serve(t, n, "svc", traced)
	do(t, n, func(c *service.Context) {
		for i := 1; i <= 2; i++ {
			want := fmt.Sprintf("%s-%d", h, i)
			if tag, err := service.Call[string](c, h, "TRACE"); err != nil || tag != want {
				t.Errorf("tag %q, %v; want %s", tag, err, want)
			}
			n.expectLog(t, fmt.Sprintf("<TRACE %s> ", want))
		}
		if tag, err := service.Call[string](c, h, "TAG"); err != nil || tag != "" {
			t.Errorf("the next request has the tag %q, %v", tag, err)
		}
	})
	expectTraces(t, n,
		fmt.Sprintf("%[1]s %[1]s-1 trace more 1", h), fmt.Sprintf("%[1]s %[1]s-1 response", h), fmt.Sprintf("%[1]s %[1]s-1 end", h),
		fmt.Sprintf("%[1]s %[1]s-2 trace more 1", h), fmt.Sprintf("%[1]s %[1]s-2 response", h), fmt.Sprintf("%[1]s %[1]s-2 end", h))
}

// TestB152TraceLog: the debug command turns the traces of all lua requests of a
// service on and off.
func TestB152TraceLog(t *testing.T) {
	n := newNode(t, false)
	h := serve(t, n, "svc", func(c *service.Context) {
		traced(c)
		c.Dispatch(service.PTypeText, func(*service.Context, service.Message) {})
	})
	do(t, n, func(c *service.Context) {
		if _, err := service.Debug(c, h, "TRACELOG", "lua", true); err != nil {
			t.Error(err)
		}
		if _, err := c.Call(h, "PLAIN"); err != nil {
			t.Error(err)
		}
		_ = c.RawSend(h, service.PTypeText, "of another type")
		if _, err := service.Debug(c, h, "TRACELOG", false); err != nil {
			t.Error(err)
		}
		if _, err := c.Call(h, "PLAIN"); err != nil {
			t.Error(err)
		}
		c.Trace() // off is off, whoever asks
		if _, err := c.Call(h, "PLAIN"); err != nil {
			t.Error(err)
		}
	})
	n.expectLog(t, fmt.Sprintf("[%s] Turn trace log true for lua\n", h))
	n.expectLog(t, fmt.Sprintf("[%s] Turn trace log false for lua\n", h))
	var got []string
	for _, line := range traces(t, n) {
		if strings.HasPrefix(line, h.String()) {
			got = append(got, line)
		}
	}
	want := fmt.Sprintf("%[1]s %[1]s-1 trace, %[1]s %[1]s-1 response, %[1]s %[1]s-1 end", h)
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

// TestB191TraceCall: a call under another node's tag; the caller's own requests
// have none.
func TestB191TraceCall(t *testing.T) {
	n := newNode(t, true)
	h := serve(t, n, "svc", traced)
	const tag = "(host1-db-2):00000008-1"
	packed, err := lualike.Pack("PLAIN")
	if err != nil {
		t.Fatal(err)
	}
	var self service.Handle
	do(t, n, func(c *service.Context) {
		self = c.Self()
		if _, err := c.TraceCall(tag, h, service.PTypeLua, packed); err != nil {
			t.Error(err)
		}
		if packed, err = lualike.Pack("FAIL"); err != nil {
			t.Error(err)
		}
		if _, err := c.TraceCall(tag, h, service.PTypeLua, packed); !errors.Is(err, service.ErrCallFailed) {
			t.Error(err)
		}
		if _, err := c.TraceCall(tag, ".nosuch", service.PTypeLua, nil); !errors.Is(err, service.ErrNoService) {
			t.Error(err)
		}
		if got := c.TraceTag(); got != "" {
			t.Errorf("the caller has the tag %s", got)
		}
		if got, err := service.Call[string](c, h, "TAG"); err != nil || got != "" {
			t.Errorf("the next request has the tag %s, %v", got, err)
		}
	})
	var want []string
	for _, line := range []string{"1 tracecall begin", "2 request", "2 response", "2 end", "1 tracecall end",
		"1 tracecall begin", "2 request", "2 error"} {
		who, text, _ := strings.Cut(line, " ")
		want = append(want, fmt.Sprintf("%s %s %s", map[string]service.Handle{"1": self, "2": h}[who], tag, text))
	}
	eventually(t, func() bool { return len(traces(t, n)) >= len(want) }, strings.Join(want, "\n"))
	if got := traces(t, n); !sameBy(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestTracedCallOfABoundedService: the announcement takes no place.
func TestTracedCallOfABoundedService(t *testing.T) {
	n := newNode(t, false)
	service.Install(n.Node, service.Def("small", func(c *service.Context, _ ...any) error {
		traced(c)
		return nil
	}, service.Mailbox(1)))
	h := start(t, n, "small")
	do(t, n, func(c *service.Context) {
		c.Trace()
		for range 100 {
			if _, err := c.Call(h, "PLAIN"); err != nil {
				t.Error(err)
				return
			}
		}
	})
}
