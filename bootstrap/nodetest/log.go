package nodetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
)

// Log is the log of a node, line by line as Skynet prints it. Its methods are
// safe from any goroutine.
type Log struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{}
}

func newLog() *Log { return &Log{changed: make(chan struct{})} }

// Log adds a line.
func (l *Log) Log(source actor.Handle, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("[%s] %s", source, text))
	close(l.changed)
	l.changed = make(chan struct{})
}

// Lines returns a copy of all lines.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

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
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		changed := l.changed
		for _, line := range l.lines {
			if strings.Contains(line, text) {
				l.mu.Unlock()
				return line
			}
		}
		l.mu.Unlock()
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("no log line with %q in:\n%s", text, strings.Join(l.Lines(), "\n"))
		}
	}
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
