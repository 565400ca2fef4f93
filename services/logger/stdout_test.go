package logger

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// own is the logger of a node until and after the service.
type own struct{ lines []string }

func (o *own) Log(_ actor.Handle, text string) { o.lines = append(o.lines, text) }

// logNode starts a node with nothing but a logger that writes to out.
func logNode(t *testing.T, out io.Writer, format string, args ...any) (*actor.Node, *own) {
	t.Helper()
	o := new(own)
	cfg := actor.DefaultConfig()
	cfg.Pool, cfg.Logger = actor.GoPool{}, o
	n, err := actor.NewNode(cfg)
	if err == nil {
		err = n.Setenv(envFormat, format)
	}
	if err != nil {
		t.Fatal(err)
	}
	service.Install(n, define(out))
	if _, err := service.Start(t.Context(), n, "logger", args...); err != nil {
		t.Fatal(err)
	}
	return n, o
}

func TestStandardOutput(t *testing.T) {
	for name, args := range map[string][]any{"no file": nil, "empty file name": {""}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			n, own := logNode(t, &out, "", args...)
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
			if err := n.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := "[:00000000] Node " + n.ID().String() + "\n[:0000000a] text %s \x1b[31m\t|\r\nmore\n[:0000000b] not a string\n"
			if out.String() != want {
				t.Errorf("got  %q\nwant %q", out.String(), want)
			}
			if len(own.lines) != 0 {
				t.Errorf("not taken by the logger: %q", own.lines)
			}
		})
	}
}
