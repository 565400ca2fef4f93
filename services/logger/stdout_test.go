package logger

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// run starts a node with nothing but a logger that writes to out, and ends it.
func run(t *testing.T, out *bytes.Buffer, f func(n *actor.Node), args ...any) {
	t.Helper()
	cfg := actor.DefaultConfig()
	cfg.Pool = actor.GoPool{}
	cfg.Logger = actor.LoggerFunc(func(_ actor.Handle, text string) { t.Errorf("not taken by the logger: %s", text) })
	n, err := actor.NewNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	service.Install(n, service.Def("logger", func(c *service.Context, args ...any) error {
		return start(c, out, args)
	}, service.Quiet))
	if _, err := service.Start(t.Context(), n, "logger", args...); err != nil {
		t.Fatal(err)
	}
	f(n)
	if err := n.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestStandardOutput(t *testing.T) {
	for name, args := range map[string][]any{"no file": nil, "empty file name": {""}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			var id string
			run(t, &out, func(n *actor.Node) {
				id = n.ID().String()
				n.Log(0xa, "text %s \x1b[31m\t|\r\nmore")
				h, _ := n.Query(Name)
				for _, m := range []actor.Message{
					{Type: actor.PTypeSystem}, // there is no file to reopen
					{Type: actor.PTypeText, Source: 0xb, Data: errors.New("not a string")},
				} {
					if err := n.Send(h, m); err != nil {
						t.Error(err)
					}
				}
			}, args...)
			want := "[:00000000] Node " + id + "\n[:0000000a] text %s \x1b[31m\t|\r\nmore\n[:0000000b] not a string\n"
			if out.String() != want {
				t.Errorf("got  %q\nwant %q", out.String(), want)
			}
		})
	}
}
