package service_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

type point struct {
	X int `lua:"x"`
	Y int `lua:"y"`
}

var errOwn = errors.New("of the handler's own")

// add is a command that caller and callee share.
var (
	add    = service.Cmd[point, int]("ADD")
	double = service.Cmd[*point, *point]("DOUBLE")
	size   = service.Cmd[[]byte, int]("SIZE")
)

func handlers(c *service.Context) {
	c.Handle("F0", service.F0(func(*service.Context) (string, error) { return "none", nil }))
	c.Handle("F1", service.F1(func(_ *service.Context, a int) (int, error) { return a + 1, nil }))
	c.Handle("F2", service.F2(func(_ *service.Context, a, b string) (string, error) { return a + b, nil }))
	c.Handle("F3", service.F3(func(_ *service.Context, a bool, b float64, p point) (string, error) {
		return fmt.Sprint(a, b, p), nil
	}))
	c.Handle("F4", service.F4(func(_ *service.Context, a, b, x, d *int) (string, error) {
		text := ""
		for _, p := range []*int{a, b, x, d} {
			if p == nil {
				text += "nil "
			} else {
				text += fmt.Sprint(*p) + " "
			}
		}
		return text, nil
	}))
	c.Handle("P0", service.P0(func(*service.Context) error { return nil }))
	c.Handle("P1", service.P1(func(_ *service.Context, a int) error { return wantArgs(a == 1) }))
	c.Handle("P2", service.P2(func(_ *service.Context, a int, b string) error { return wantArgs(a == 1 && b == "2") }))
	c.Handle("P3", service.P3(func(_ *service.Context, a int, b string, p point) error {
		return wantArgs(a == 1 && b == "2" && p == point{3, 4})
	}))
	c.Handle("P4", service.P4(func(_ *service.Context, a int, b string, p point, d *bool) error {
		return wantArgs(a == 1 && b == "2" && p == point{3, 4} && d != nil && *d)
	}))
	c.Handle("RAW", service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
		types := lualike.Args{}
		for _, a := range args {
			types = append(types, fmt.Sprintf("%T", a))
		}
		return types, nil
	}))
	c.Handle("VALUES", service.Values(func(_ *service.Context, args []any) ([]any, error) {
		return append([]any{len(args)}, args...), nil
	}))
	c.Handle("NIL", service.F0(func(*service.Context) (*string, error) { return nil, nil }))
	c.Handle("LIST", service.F0(func(*service.Context) (lualike.Args, error) { return lualike.Args{1, "two", nil, true}, nil }))
	c.Handle("BYTES", service.F0(func(*service.Context) ([]byte, error) { return []byte("bytes"), nil }))
	c.Handle("OWN", service.F0(func(*service.Context) (int, error) { return 0, fmt.Errorf("wrapped: %w", errOwn) }))
	c.Handle("TEXT", service.P0(func(*service.Context) error { return service.Errorf("level %d: %w", 3, errOwn) }))
	c.Handle("PANIC", service.P0(func(*service.Context) error { panic("in the handler") }))
	add.Handle(c, func(_ *service.Context, p point) (int, error) { return p.X + p.Y, nil })
	double.Handle(c, func(_ *service.Context, p *point) (*point, error) {
		if p == nil {
			return nil, nil
		}
		p.X, p.Y = 2*p.X, 2*p.Y
		return p, nil
	})
	size.Handle(c, func(_ *service.Context, b []byte) (int, error) { return len(b), nil })
}

func wantArgs(ok bool) error {
	if !ok {
		return errors.New("wrong arguments")
	}
	return nil
}

func TestHandlers(t *testing.T) {
	seven := 7
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		h := serve(t, n, "handlers", handlers)
		for _, tc := range []struct {
			args []any
			want lualike.Args
		}{
			{[]any{"F0"}, lualike.Args{"none"}},
			{[]any{"F0", "too", "many"}, lualike.Args{"none"}},
			{[]any{"F1", 1}, lualike.Args{int64(2)}},
			{[]any{"F1", int8(1)}, lualike.Args{int64(2)}},
			{[]any{"F1", 1.0}, lualike.Args{int64(2)}},
			{[]any{"F1", nil}, lualike.Args{int64(1)}},
			{[]any{"F1"}, lualike.Args{int64(1)}},
			{[]any{"F2", "a", "b"}, lualike.Args{"ab"}},
			{[]any{"F2", []byte("a"), "b"}, lualike.Args{"ab"}},
			{[]any{"F2", "a"}, lualike.Args{"a"}},
			{[]any{"F3", true, 1.5, point{1, 2}}, lualike.Args{"true 1.5 {1 2}"}},
			{[]any{"F3", true, 2, lualike.Map(map[string]any{"x": 1, "y": 2})}, lualike.Args{"true 2 {1 2}"}},
			{[]any{"F3", nil, nil, &point{5, 6}}, lualike.Args{"false 0 {5 6}"}},
			{[]any{"F4", 1, nil, &seven}, lualike.Args{"1 nil 7 nil "}},
			{[]any{"P0"}, nil},
			{[]any{"P1", 1}, nil},
			{[]any{"P2", 1, "2"}, nil},
			{[]any{"P3", 1, "2", point{3, 4}}, nil},
			{[]any{"P4", 1, "2", point{3, 4}, true}, nil},
			{[]any{"RAW", 1, 1.5, "s", []byte("b"), nil, point{}, []int{1}, true}, lualike.Args{
				"int64", "float64", "string", "string", "<nil>", "*lualike.Table", "*lualike.Table", "bool"}},
			{[]any{"RAW"}, nil},
			{[]any{"VALUES", "a", nil}, lualike.Args{int64(2), "a", nil}},
			{[]any{"NIL"}, lualike.Args{nil}},
			{[]any{"LIST"}, lualike.Args{int64(1), "two", nil, true}},
			{[]any{"BYTES"}, lualike.Args{"bytes"}},
			{[]any{"ADD", point{1, 2}}, lualike.Args{int64(3)}},
		} {
			do(t, n, func(c *service.Context) {
				// As a list of values, and packed as another node would send it.
				got, err := c.Call(h, tc.args...)
				if err != nil || !reflect.DeepEqual(got, tc.want) {
					t.Errorf("%v: %#v, %v, want %#v", tc.args, got, err, tc.want)
				}
				packed, err := lualike.Pack(tc.args...)
				if err != nil {
					t.Error(err)
					return
				}
				data, err := c.RawCall(h, service.PTypeLua, packed)
				if err != nil {
					t.Errorf("packed %v: %v", tc.args, err)
					return
				}
				answer, err := service.Pack(data)
				if err != nil {
					t.Error(err)
				}
				if got, err = lualike.Unpack(answer); err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", tc.want) && len(got)+len(tc.want) > 0 {
					t.Errorf("packed %v: %#v, %v, want %#v", tc.args, got, err, tc.want)
				}
			})
		}
	})
}

func TestTypedCalls(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		h := serve(t, n, "handlers", handlers)
		do(t, n, func(c *service.Context) {
			if v, err := service.Call[int](c, h, "F1", 41); err != nil || v != 42 {
				t.Errorf("int: %d, %v", v, err)
			}
			if v, err := service.Call[float64](c, h, "F1", 41); err != nil || v != 42 {
				t.Errorf("float: %v, %v", v, err)
			}
			if v, err := service.Call[string](c, h, "NIL"); err != nil || v != "" {
				t.Errorf("nil as a string: %q, %v", v, err)
			}
			if v, err := service.Call[*string](c, h, "NIL"); err != nil || v != nil {
				t.Errorf("nil as a pointer: %v, %v", v, err)
			}
			if v, err := service.Call[*string](c, h, "F0"); err != nil || v == nil || *v != "none" {
				t.Errorf("a pointer: %v, %v", v, err)
			}
			if v, err := service.Call[int](c, h, "P0"); err != nil || v != 0 {
				t.Errorf("no result: %v, %v", v, err)
			}
			if v, err := service.Call[lualike.Args](c, h, "LIST"); err != nil || len(v) != 4 {
				t.Errorf("several results: %v, %v", v, err)
			}
			if v, err := service.Call[any](c, h, "LIST"); err != nil || fmt.Sprint(v) != "1" {
				t.Errorf("the first of several results: %v, %v", v, err)
			}
			if _, err := service.Call[int](c, h, "F0"); err == nil || !strings.HasPrefix(err.Error(), "call "+h.String()+" F0: ") {
				t.Errorf("a string as an int: %v", err)
			}
			if v, err := add.Call(c, h, point{3, 4}); err != nil || v != 7 {
				t.Errorf("Cmd: %d, %v", v, err)
			}
			mine := &point{1, 2}
			got, err := double.Call(c, h, mine)
			if err != nil || *got != (point{2, 4}) || (got == mine) == isolate {
				t.Errorf("Cmd with pointers: %v, %v, the same: %v", got, err, got == mine)
			}
			if got, err := double.Call(c, h, nil); err != nil || got != nil {
				t.Errorf("Cmd with nil: %v, %v", got, err)
			}
			for _, b := range [][]byte{[]byte("four"), {}, nil} {
				if v, err := size.Call(c, h, b); err != nil || v != len(b) {
					t.Errorf("Cmd with bytes %q: %d, %v", b, v, err)
				}
			}
			if err := add.Send(c, h, point{}); err != nil {
				t.Error(err)
			}
			if err := add.Send(c, ".nosuch", point{}); !errors.Is(err, service.ErrNoService) {
				t.Errorf("Cmd.Send to nobody: %v", err)
			}
			if _, err := add.Call(c, ".nosuch", point{}); !errors.Is(err, service.ErrNoService) {
				t.Errorf("Cmd.Call to nobody: %v", err)
			}
			// A request whose command stands in Op, as another node's would be made of it.
			for _, data := range []any{point{1, 2}, lualike.Args{point{1, 2}}} {
				b, err := service.PackMessage(service.Message{Cmd: "ADD", Data: data})
				if err != nil {
					t.Error(err)
				}
				answer, err := c.RawCall(h, service.PTypeLua, b)
				if err != nil {
					t.Error(err)
				}
				b, err = service.Pack(answer)
				if err != nil {
					t.Error(err)
				}
				if got, err := lualike.Unpack(b); err != nil || !reflect.DeepEqual(got, lualike.Args{int64(3)}) {
					t.Errorf("packed Cmd: %v, %v", got, err)
				}
			}
		})
	})
}

func TestPackMessage(t *testing.T) {
	arg, err := lualike.Pack("v")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		m    service.Message
		want lualike.Args
	}{
		{service.Message{Cmd: "C"}, lualike.Args{"C"}},
		{service.Message{Cmd: "C", Data: arg}, lualike.Args{"C", "v"}},
		{service.Message{Cmd: "C", Data: lualike.Args{1, nil, 2}}, lualike.Args{"C", int64(1), nil, int64(2)}},
		{service.Message{Cmd: "C", Data: 5}, lualike.Args{"C", int64(5)}},
		{service.Message{Data: arg}, lualike.Args{"v"}},
		{service.Message{Data: lualike.Args{"a", "b"}}, lualike.Args{"a", "b"}},
		{service.Message{Data: 1.5}, lualike.Args{1.5}},
	} {
		b, err := service.PackMessage(tc.m)
		if err != nil {
			t.Errorf("%+v: %v", tc.m, err)
		}
		if got, err := lualike.Unpack(b); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%+v: %#v, %v", tc.m, got, err)
		}
	}
	if b, err := service.PackMessage(service.Message{}); b != nil || err != nil {
		t.Errorf("nothing: %v, %v", b, err)
	}
	if _, err := service.PackMessage(service.Message{Cmd: "C", Data: make(chan int)}); err == nil {
		t.Error("a channel was packed")
	}
}

func TestHandlerErrors(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		n := newNode(t, isolate)
		h := serve(t, n, "handlers", handlers)
		do(t, n, func(c *service.Context) {
			_, err := c.Call(h, "OWN")
			if !errors.Is(err, errOwn) || !errors.Is(err, service.ErrCallFailed) {
				t.Errorf("the handler's error: %v", err)
			}
			if text, ok := service.ErrorText(err); ok {
				t.Errorf("the text %q would leave the node", text)
			}
			_, err = c.Call(h, "TEXT")
			if !errors.Is(err, errOwn) || !errors.Is(err, service.ErrCallFailed) {
				t.Errorf("Errorf: %v", err)
			}
			if text, ok := service.ErrorText(err); !ok || text != "level 3: "+errOwn.Error() {
				t.Errorf("ErrorText: %q, %v", text, ok)
			}
			if _, err = c.Call(h, "PANIC"); !errors.Is(err, service.ErrCallFailed) {
				t.Errorf("a panic: %v", err)
			}
			for _, cmd := range []any{"NOSUCH", 5, nil} {
				if _, err = c.Call(h, cmd); !errors.Is(err, service.ErrUnknownCommand) {
					t.Errorf("command %v: %v", cmd, err)
				}
			}
			if _, err = c.Call(h); !errors.Is(err, service.ErrUnknownCommand) {
				t.Errorf("no command: %v", err)
			}
			for _, bad := range [][]any{{"F1", "x"}, {"P2", 1, []int{1}}, {"F4", 1, 2, 3, "x"}, {"P4", 1, "2", point{}, 5}} {
				want := fmt.Sprintf("argument %d of %s: ", len(bad)-1, bad[0])
				_, err = c.Call(h, bad...)
				if !errors.Is(err, service.ErrCallFailed) || !errors.Is(err, lualike.ErrType) || !strings.Contains(err.Error(), want) {
					t.Errorf("%v: %v, want one with %q", bad, err, want)
				}
				_, text, _ := strings.Cut(err.Error(), want)
				want += text // packed or not
				b, _ := lualike.Pack(bad...)
				if _, err = c.RawCall(h, service.PTypeLua, b); !errors.Is(err, service.ErrCallFailed) || !strings.Contains(err.Error(), want) {
					t.Errorf("packed %v: %v, want one with %q", bad, err, want)
				}
			}
			if _, err = add.Call(c, h, point{}); err != nil {
				t.Error(err)
			}
			if _, err = c.RawCall(h, service.PTypeLua, []byte{0xff, 0xff}); !errors.Is(err, service.ErrCallFailed) { // B175
				t.Errorf("what can not be unpacked: %v", err)
			}
			// An error of a send is only logged, with session 0 (B044).
			if err := c.Send(h, "OWN"); err != nil {
				t.Error(err)
			}
		})
		n.expectLog(t, fmt.Sprintf("to :%x : 0 msgsz = 0] error : \x1b[31mwrapped: of the handler's own", uint32(h)))
		n.expectLog(t, "error : \x1b[31min the handler\n")
		n.expectLog(t, "error : \x1b[31mservice: Unknown command NOSUCH")
	})
}

func TestErrorfKeepsTheChain(t *testing.T) {
	other := errors.New("other")
	err := service.Errorf("%w and %w", errOwn, other)
	if !errors.Is(err, errOwn) || !errors.Is(err, other) {
		t.Errorf("the chain of %v is broken", err)
	}
	if text, ok := service.ErrorText(fmt.Errorf("more: %w", err)); !ok || text != err.Error() {
		t.Errorf("ErrorText: %q, %v", text, ok)
	}
	if _, ok := service.ErrorText(nil); ok {
		t.Error("no error has a text")
	}
}

// TestSharedCommands: the table of a definition serves all instances, each may
// add its own.
func TestSharedCommands(t *testing.T) {
	both(t, func(t *testing.T, isolate bool) {
		who := service.F0(func(c *service.Context) (string, error) { return c.ServiceName(), nil })
		shared := service.Commands{"WHO": who}
		set := func(c *service.Context, args ...any) error {
			if len(args) > 0 {
				c.Handle("OWN", who)
			}
			return nil
		}
		n := newNode(t, isolate, service.Def("one", set, shared), service.Def("two", set, shared))
		one, two := start(t, n, "one"), start(t, n, "two", true)
		do(t, n, func(c *service.Context) {
			if v, err := service.Call[string](c, one, "WHO"); err != nil || v != "one" {
				t.Errorf("%q, %v", v, err)
			}
			if v, err := service.Call[string](c, two, "OWN"); err != nil || v != "two" {
				t.Errorf("%q, %v", v, err)
			}
			if _, err := c.Call(one, "OWN"); !errors.Is(err, service.ErrUnknownCommand) {
				t.Errorf("a command of another instance: %v", err)
			}
		})
	})
}

func TestHandleUnknown(t *testing.T) {
	n := newNode(t, true)
	h := serve(t, n, "any", func(c *service.Context) {
		c.Handle("KNOWN", service.P0(func(*service.Context) error { return nil }))
		c.HandleUnknown(func(_ *service.Context, cmd string, args lualike.Args) (lualike.Args, error) {
			return append(lualike.Args{cmd}, args...), nil
		})
	})
	do(t, n, func(c *service.Context) {
		got, err := c.Call(h, "OTHER", 1)
		if err != nil || !reflect.DeepEqual(got, lualike.Args{"OTHER", int64(1)}) {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := c.Call(h, "KNOWN"); err != nil || len(got) != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestIsolate(t *testing.T) {
	n := newNode(t, true)
	h := serve(t, n, "handlers", handlers)
	raw := serve(t, n, "raw", func(c *service.Context) {
		c.Dispatch(100, func(c *service.Context, m service.Message) { _, _ = c.RetRaw(m.Data) })
	})
	do(t, n, func(c *service.Context) {
		if _, err := c.RawCall(raw, 100, 5); err == nil || !strings.Contains(err.Error(), "isolate: message of type 100: int") {
			t.Errorf("a payload of no known form: %v", err)
		}
		for _, bad := range []any{make(chan int), func() {}, map[string]any{"a": []any{make(chan int)}}} {
			if _, err := c.Call(h, "VALUES", bad); err == nil || !strings.Contains(err.Error(), "isolate: argument 2: ") {
				t.Errorf("%T: %v", bad, err)
			}
			if err := c.Send(h, "VALUES", bad); err == nil {
				t.Errorf("%T was sent", bad)
			}
		}
		bytes := []byte("abc")
		echo, err := c.RawCall(raw, 100, bytes)
		if err != nil || string(echo.([]byte)) != "abc" || &echo.([]byte)[0] == &bytes[0] {
			t.Errorf("bytes: %v, %v", echo, err)
		}
	})
	bad := serve(t, n, "bad", func(c *service.Context) {
		c.Handle("CHAN", service.F0(func(*service.Context) (chan int, error) { return make(chan int), nil }))
		c.Handle("RET", service.P0(func(c *service.Context) error {
			_, err := c.Ret(make(chan int))
			return err
		}))
	})
	do(t, n, func(c *service.Context) {
		for _, cmd := range []string{"CHAN", "RET"} {
			if _, err := c.Call(bad, cmd); !errors.Is(err, service.ErrCallFailed) || !strings.Contains(err.Error(), "isolate") {
				t.Errorf("%s: an answer that can not be copied: %v", cmd, err)
			}
		}
	})
	n.expectLog(t, "error : \x1b[31misolate")
	if _, err := service.Start(context.Background(), n.Node, "handlers", make(chan int)); err == nil {
		t.Error("a channel went to a start function")
	}
	if _, err := service.Launch(n.Node, "handlers", make(chan int)); err == nil {
		t.Error("a channel went to a start function")
	}
	table := lualike.Map(map[string]any{"k": 1})
	got := make(chan any, 1)
	service.Install(n.Node, service.Def("args", func(_ *service.Context, args ...any) error {
		got <- args[0]
		return nil
	}))
	start(t, n, "args", table)
	if v := receive(t, got).(*lualike.Table); v == table || v.Get("k") != int64(1) {
		t.Errorf("the start function got %v", v)
	}
}

// TestGoexitIsLogged, of a handler or of what a panic runs, with the stack; the
// service lives on.
func TestGoexitIsLogged(t *testing.T) {
	n := newNode(t, false)
	h := serve(t, n, "exits", func(c *service.Context) {
		c.Handle("GOEXIT", service.P0(func(*service.Context) error { runtime.Goexit(); return nil }))
		c.Handle("PANIC", service.P0(func(*service.Context) error { defer runtime.Goexit(); panic("lost") }))
	})
	do(t, n, func(c *service.Context) {
		for i, cmd := range []string{"GOEXIT", "PANIC"} {
			_, err := c.Call(h, cmd)
			if want := "call " + h.String() + " " + cmd + ": actor: call failed: the handler's goroutine was ended"; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			eventually(t, func() bool {
				n.mu.Lock()
				defer n.mu.Unlock()
				text := strings.Join(n.lines, "\n")
				return strings.Count(text, "error : \x1b[31mthe handler's goroutine was ended\n") == i+1 && strings.Contains(text, "handler_test.go:")
			}, cmd+" in the log")
		}
	})
}
