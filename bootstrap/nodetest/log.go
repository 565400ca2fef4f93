package nodetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// Log is the log of a node, line by line as Skynet prints it. Its methods are
// safe from any goroutine.
type Log struct{ lines feed[string] }

// Log adds a line.
func (l *Log) Log(source actor.Handle, text string) {
	l.lines.add(fmt.Sprintf("[%s] %s", source, text))
}

// Lines returns a copy of all lines.
func (l *Log) Lines() []string { return l.lines.all() }

// Count returns how many lines contain text.
func (l *Log) Count(text string) int {
	n := 0
	for _, line := range l.Lines() {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// Wait waits for a line that contains text, and returns it.
func (l *Log) Wait(t testing.TB, text string) string {
	t.Helper()
	found, seen := "", 0
	if !l.lines.wait(func() bool {
		for ; seen < len(l.lines.items); seen++ {
			if strings.Contains(l.lines.items[seen], text) {
				found = l.lines.items[seen]
				return true
			}
		}
		return false
	}) {
		t.Fatalf("no log line with %q in:\n%s", text, strings.Join(l.Lines(), "\n"))
	}
	return found
}

// definition is a logger service that keeps the lines.
func (l *Log) definition() *service.Definition {
	return service.Def("testlog", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeText, func(_ *service.Context, m service.Message) {
			l.Log(m.Source, fmt.Sprint(m.Data))
		})
		return c.Register(".logger")
	}, service.Quiet)
}
