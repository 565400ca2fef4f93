package actor

import (
	"fmt"
	"log/slog"
	"testing"
)

// A line below the level of its source is not written; what has no service of
// its own, or one that has ended, has the node's level.
func TestLogLevels(t *testing.T) {
	n, l := newNode(t, func(cfg *Config) { cfg.LogLevel = slog.LevelWarn })
	plain, loud := launch(t, n, "plain", code{}), launch(t, n, "loud", code{})
	n.Find(loud).SetLogLevel(slog.LevelDebug)
	for _, h := range []Handle{0, plain, loud} {
		n.LogAt(slog.LevelDebug, h, "debug")
		n.Log(h, "info")
		n.LogAt(slog.LevelWarn, h, "warn")
	}
	end(t, n, loud)
	n.Log(loud, "ended")
	want := fmt.Sprint([]string{
		"[:00000000] Node " + n.ID().String(), "[:00000000] warn", "[:00000001] warn",
		"[:00000002] debug", "[:00000002] info", "[:00000002] warn",
	})
	if got := fmt.Sprint(l.lines); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLoggerGetsTheLevel(t *testing.T) {
	n, _ := newNode(t)
	got := make(chan string, 3)
	logger := launch(t, n, "logger", code{receive: func(_ *Coroutine, m Message) { got <- m.Cmd }})
	if err := n.SetName(loggerName, logger); err != nil {
		t.Fatal(err)
	}
	n.LogAt(slog.LevelError, 0, "text")
	n.LogAt(slog.LevelWarn, 0, "text")
	for _, want := range []string{"INFO", "ERROR", "WARN"} { // the node's ID first
		if level := receive(t, got); level != want {
			t.Errorf("got %q, want %q", level, want)
		}
	}
}

// What a logger with a bounded mailbox has no room for is counted and goes
// nowhere else; what the runtime asks of it still comes through.
func TestLoggerThatLags(t *testing.T) {
	n, l := newNode(t)
	entered, open, asked := make(chan struct{}, 10), make(chan struct{}), make(chan struct{})
	logger, err := n.Launch(Spec{Name: "logger", Mailbox: 2, Behaviour: code{receive: func(_ *Coroutine, m Message) {
		if m.Type == PTypeSystem {
			close(asked)
			return
		}
		entered <- struct{}{}
		<-open
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.SetName(loggerName, logger); err != nil {
		t.Fatal(err)
	}
	n.named.Do(func() {})
	n.Log(0, "in progress")
	receive(t, entered)
	for range 5 {
		n.Log(0, "two of these wait")
	}
	if err := n.Send(logger, Message{Type: PTypeSystem}); err != nil {
		t.Error(err)
	}
	if d := n.Find(logger).Stat().Drops.Overload; d != 3 || n.Drops().Overload != 3 {
		t.Errorf("%d lines were dropped, %d in the node", d, n.Drops().Overload)
	}
	close(open)
	receive(t, asked)
	if len(entered) != 2 || len(l.lines) != 0 {
		t.Errorf("%d lines more came in, %q went elsewhere", len(entered), l.lines)
	}
}
