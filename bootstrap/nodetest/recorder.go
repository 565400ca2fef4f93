package nodetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Recorder keeps what happened in the order in which it did: coroutines add
// lines, the test says what it expects. The zero Recorder is ready; its methods
// are safe from any goroutine.
type Recorder struct{ lines feed[string] }

// Add records a line. It does not block.
func (r *Recorder) Add(text string) { r.lines.add(text) }

// Addf is Add with a format.
func (r *Recorder) Addf(format string, args ...any) { r.Add(fmt.Sprintf(format, args...)) }

// Lines returns a copy of all lines.
func (r *Recorder) Lines() []string { return r.lines.all() }

// Expect waits until there are as many lines as texts that no earlier Expect
// has seen, and fails the test unless these are all that there are, in that
// order. Where more could come, wait with Node.WaitIdle first.
func (r *Recorder) Expect(t testing.TB, texts ...string) {
	t.Helper()
	if got, _ := r.lines.take(t, len(texts), -1); !slices.Equal(got, texts) {
		t.Fatalf("recorded:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(texts, "\n\t"))
	}
}
