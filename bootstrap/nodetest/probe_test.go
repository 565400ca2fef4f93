package nodetest_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// verdict is a testing.TB that keeps what it is failed with.
type verdict struct {
	testing.TB
	text string
}

func (v *verdict) Helper() {}

func (v *verdict) Fatalf(format string, args ...any) {
	v.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (v *verdict) Fatal(args ...any) { v.Fatalf("%s", fmt.Sprint(args...)) }

// failure returns what f fails its test with, "" when it does not.
func failure(t *testing.T, f func(t testing.TB)) string {
	t.Helper()
	v, done := &verdict{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(v)
	}()
	<-done
	return v.text
}

type point struct{ X, Y int }

func TestProbe(t *testing.T) {
	n := nodetest.Start(t)
	p := n.Probe("target")
	errAnswer := errors.New("not today")
	p.Return("GET", "a", 2)
	p.Answer("FAIL", func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
		return nil, fmt.Errorf("%v: %w", args.At(0), errAnswer)
	})
	var source service.Handle
	n.Run(func(c *service.Context) error {
		source = c.Self()
		if got, err := c.Call(p.Handle(), "GET", "key"); err != nil || fmt.Sprint(got) != "[a 2]" {
			return fmt.Errorf("GET: %v, %v", got, err)
		}
		if _, err := c.Call(p.Handle(), "FAIL", 1); !errors.Is(err, errAnswer) {
			return fmt.Errorf("FAIL: %v", err)
		}
		if got, err := c.Call(p.Handle(), "OTHER"); err != nil || len(got) != 0 {
			return fmt.Errorf("OTHER: %v, %v", got, err)
		}
		return c.Send(p.Handle(), "SEND", point{1, 2}, nil, []byte("raw"))
	})
	if r := p.Expect(t, "GET", "key"); r.Source != source || r.Session == 0 || r.Command != "GET" || len(r.Args) != 1 {
		t.Errorf("got %+v", r)
	}
	p.Expect(t, "FAIL", int8(1))
	p.Expect(t, "OTHER")
	if r := p.Expect(t, "SEND", lualike.Map(map[string]any{"Y": 2, "X": 1}), nil, "raw"); r.Session != 0 {
		t.Errorf("got %+v", r)
	}
	p.ExpectNothing(t)
	if got := fmt.Sprint(p.Requests()); !strings.HasPrefix(got, `[GET {"key"} FAIL {1} OTHER {}`) {
		t.Errorf("Requests: %s", got)
	}
}

// A probe stands in for a service that the code under test launches itself.
func TestProbeByName(t *testing.T) {
	p := nodetest.NewProbe("simpledb")
	if p.Handle() != 0 {
		t.Error("it runs before it was launched")
	}
	n := nodetest.Start(t, nodetest.Services(p.Definition()))
	n.Run(func(c *service.Context) error {
		h, err := c.UniqueService("simpledb")
		if err != nil || h != p.Handle() {
			return fmt.Errorf("got %s, %v, want %s", h, err, p.Handle())
		}
		return c.Send(h, "PING")
	})
	p.Expect(t, "PING")
}

func TestProbeFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t)
		p := n.Probe("target")
		for want, f := range map[string]func(t testing.TB){
			`probe target: got A {1}, want B {1}`:          func(t testing.TB) { p.Expect(t, "B", 1) },
			`probe target: got A {1}, want A {2}`:          func(t testing.TB) { p.Expect(t, "A", 2) },
			`probe target: got A {1}, want A {"1"}`:        func(t testing.TB) { p.Expect(t, "A", "1") },
			`probe target: got A {1}, want A {1, 2}`:       func(t testing.TB) { p.Expect(t, "A", 1, 2) },
			`probe target: got A {1}, want A {}`:           func(t testing.TB) { p.Expect(t, "A") },
			`probe target: got A {1}, want A {{x = 1}}`:    func(t testing.TB) { p.Expect(t, "A", map[string]int{"x": 1}) },
			`probe target: got [A {1}], want nothing`:      func(t testing.TB) { p.ExpectNothing(t) },
			`probe target: nothing came, want LATE {true}`: func(t testing.TB) { p.Expect(t, "A", 1); p.Expect(t, "LATE", true) },
		} {
			n.Run(func(c *service.Context) error { return c.Send(p.Handle(), "A", 1) })
			n.WaitIdle()
			if got := failure(t, f); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		n.Run(func(c *service.Context) error { return c.Send(p.Handle(), "A", map[string]int{"x": 1, "y": 2}) })
		if got := failure(t, func(t testing.TB) { p.Expect(t, "A", map[string]int{"x": 1}) }); got == "" {
			t.Error("a part of a table is equal to it")
		}
	})
}

func TestRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := nodetest.Start(t)
		var r nodetest.Recorder
		n.Run(func(c *service.Context) error {
			for i := range 3 {
				c.Fork(func(c *service.Context) {
					r.Addf("fork %d", i)
					_ = c.Sleep(time.Duration(3-i) * time.Hour)
					r.Addf("after %d", i)
				})
			}
			r.Add("body")
			return nil
		})
		r.Expect(t, "body", "fork 0", "fork 1", "fork 2")
		r.Expect(t)
		synctest.Wait()
		time.Sleep(2 * time.Hour) //nolint:forbidigo // in a bubble
		r.Expect(t, "after 2", "after 1")
		if got := failure(t, func(t testing.TB) { r.Expect(t, "never") }); got != "recorded:\n\t\nwant:\n\tnever" {
			t.Errorf("got %q", got)
		}
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		if got := failure(t, func(t testing.TB) { r.Expect(t) }); got != "recorded:\n\tafter 0\nwant:\n\t" {
			t.Errorf("got %q", got)
		}
		if got := len(r.Lines()); got != 7 {
			t.Errorf("%d lines", got)
		}
	})
}
