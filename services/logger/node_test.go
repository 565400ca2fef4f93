package logger

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// Nobody waits for an output that blocks but the end of the node, which says so,
// and which writes what there is once it can.
func TestNodeWithBlockedOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{room: -1, wait: make(chan struct{})}
		n, _ := logNode(t, d, "text")
		h, _ := n.Query(Name)
		for range 10 {
			n.Log(7, "text")
			synctest.Wait()
		}
		if err := service.Run(t.Context(), n, func(c *service.Context) error {
			_, err := service.Debug(c, h, "PING")
			return err
		}); err != nil {
			t.Errorf("the logger: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := n.Shutdown(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), h.String()+" logger") {
			t.Errorf("got %v", err)
		}
		close(d.wait)
		if err := n.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Count(d.String(), "[:00000007] text\n"); got != 10 {
			t.Errorf("%d lines were written", got)
		}
	})
}

// slow is text that takes its time.
type slow chan struct{}

func (s slow) String() string {
	<-s
	return "slow"
}

// What comes faster than the logger takes it is bounded too.
func TestMailboxIsBounded(t *testing.T) {
	d, s := &device{room: -1}, make(slow)
	n, own := logNode(t, d, "text")
	h, _ := n.Query(Name)
	if err := n.Send(h, actor.Message{Type: actor.PTypeText, Data: s}); err != nil {
		t.Fatal(err)
	}
	for range mostLines + 10 {
		n.Log(7, "text")
	}
	close(s)
	if err := n.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := uint64(0)
	for _, m := range regexp.MustCompile(`(?m)^\[:00000001\] (\d+) lines dropped$`).FindAllStringSubmatch(d.String(), -1) {
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			t.Error(err)
		}
		told += n
	}
	if lost := n.Drops().Overload; lost < 10 || told != lost {
		t.Errorf("%d lines were dropped, the log tells of %d", lost, told)
	}
	if len(own.lines) != 0 {
		t.Errorf("%d lines went elsewhere", len(own.lines))
	}
}

// Lines that can not be written are no secret, not even while the node runs.
func TestLostAtTheEnd(t *testing.T) {
	n, own := logNode(t, &device{}, "text")
	n.Log(0, "text")
	if err := n.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"can not write the log: " + errFull.Error(), "2 lines dropped"}; !slices.Equal(own.lines, want) { // one has the node's ID
		t.Errorf("got %q", own.lines)
	}
}

func TestJSON(t *testing.T) {
	d := &device{room: -1}
	n, _ := logNode(t, d, formatJSON)
	n.LogAt(slog.LevelError, 0xa, "<text> \"\x1b[31m\"\n|")
	n.LogAt(slog.LevelWarn, 0, "")
	n.Find(1).SetLogLevel(slog.LevelDebug)
	n.LogAt(slog.LevelDebug, 1, "detail")
	h, _ := n.Query(Name)
	if err := n.Send(h, actor.Message{Type: actor.PTypeText, Source: 0xb, Data: "by hand"}); err != nil {
		t.Error(err)
	}
	if err := n.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := [][3]string{
		{"info", ":00000000", "Node " + n.ID().String()},
		{"error", ":0000000a", "<text> \"\x1b[31m\"\n|"},
		{"warning", ":00000000", ""},
		{"debug", ":00000001", "detail"},
		{"info", ":0000000b", "by hand"},
	}
	lines := strings.Split(strings.TrimSuffix(d.String(), "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, line := range lines {
		var got struct {
			Level, Source, Msg string
			Time               time.Time
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if [3]string{got.Level, got.Source, got.Msg} != want[i] || time.Since(got.Time).Abs() > time.Hour {
			t.Errorf("got  %s\nwant %q", line, want[i])
		}
	}
	if !strings.Contains(lines[1], "<text>") {
		t.Errorf("hard to read: %s", lines[1])
	}
}
