package debugconsole

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/logger"
)

// tailLines is how many lines of the log are kept for those who look later.
const tailLines = 1000

// tail keeps the last lines of the log of a node. It sees them as LOGON sees the
// messages of a service, so it sees none while those of the logger are recorded.
type tail struct {
	mu        sync.Mutex
	recording bool
	lines     []logLine // a ring, once it is full
	count     uint64    // of all lines so far
}

// logLine is one entry of the log.
type logLine struct {
	Number uint64    `json:"number"` // counted from 1
	Time   time.Time `json:"time"`
	Level  string    `json:"level"`
	Source string    `json:"source"`
	Text   string    `json:"text"`
}

type tailKey struct{}

// tailOf returns the tail of a node, which stays when its console ends.
func tailOf(n *service.Node) *tail {
	t := n.Attach(tailKey{}, func() any { return new(tail) }).(*tail)
	h, ok := n.Query(logger.Name)
	if t.begin() && ok {
		_ = n.Record(h, t) // fails when the logger has ended
	}
	return t
}

// begin reports whether lines do not come yet.
func (t *tail) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := !t.recording
	t.recording = true
	return first
}

// Record is shown the messages to the logger.
func (t *tail) Record(m service.Message) {
	if m.Type != service.PTypeText {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	line := logLine{t.count, time.Now(), strings.ToLower(cmp.Or(m.Cmd, slog.LevelInfo.String())), m.Source.String(), fmt.Sprint(m.Data)}
	if len(t.lines) < tailLines {
		t.lines = append(t.lines, line)
	} else {
		t.lines[(t.count-1)%tailLines] = line
	}
}

// Close is told that no more comes.
func (t *tail) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recording = false
}

// after returns the lines behind number after that are kept, at most most of them
// and the last ones, in order.
func (t *tail) after(after, most uint64) []logLine {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(t.count-min(after, t.count), uint64(len(t.lines)), most)
	list := make([]logLine, 0, n)
	for i := t.count - n; i < t.count; i++ {
		list = append(list, t.lines[i%tailLines])
	}
	return list
}
