package actor

import (
	"fmt"
	"runtime"
	"sort"
	"strings"
	"time"
)

// Task is a coroutine that waits, or a function that has been put off.
type Task struct {
	Session Session       // that it waits for
	What    string        // "call", "sleep", "wait", "await", "timer" or "watch"
	Peer    Handle        // of a call, the callee; of a watch, who is watched
	Token   any           // of a sleep or wait, when it is not the coroutine itself
	Since   time.Duration // when it began, as Node.Uptime counts
	Request Message       // what it handles; the zero Message in a fork
	Stack   string        // of a coroutine, with file and line; "" for a timer
}

var waitNames = [...]string{waitNone: "run", waitCall: "call", waitTimer: "sleep", waitToken: "wait", waitAwait: "await"}

// TaskCount returns how many coroutines and timers of the service wait. Only
// the holder may call it.
func (co *Coroutine) TaskCount() int { return co.svc.waiting.len() }

// Tasks returns what waits in the service, in the order of the sessions, with
// stacks when asked for. Taking stacks stops the whole process for a moment.
// Only the holder may call it.
func (co *Coroutine) Tasks(stacks bool) []Task {
	var found map[string]string
	if stacks {
		found = parkedStacks()
	}
	list := make([]Task, 0, co.svc.waiting.len())
	for _, w := range co.svc.waiting.all() {
		t := Task{Session: w.session, What: waitNames[w.kind], Peer: w.peer, Since: w.since}
		switch {
		case w.co != nil:
			t.Request = w.co.request
			if w.token != any(w.co) {
				t.Token = w.token
			}
			t.Stack = found[fmt.Sprintf("%p", w.co)]
		case w.fn != nil:
			t.What = "timer"
		case w.watched != nil:
			t.What = "watch"
		}
		list = append(list, t)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Session < list[j].Session })
	return list
}

// parkedMark is the frame that tells which coroutine a goroutine is: the
// receiver follows in the dump.
const (
	parkedMark  = "actor.(*Coroutine).park("
	runningMark = "actor.(*Service).turns("
)

// parkedStacks returns the stack of every parked coroutine of the process, from
// the function that called into the runtime, by the coroutine's address.
func parkedStacks() map[string]string {
	found := make(map[string]string)
	for _, g := range goroutines() {
		if _, rest, ok := strings.Cut(g, parkedMark); ok {
			found[firstArgument(rest)] = serviceFrames(rest)
		}
	}
	return found
}

// runningStack returns the stack of the goroutine that holds the baton of s.
func runningStack(s *Service) string {
	address := fmt.Sprintf("%p", s)
	for _, g := range goroutines() {
		if before, rest, ok := strings.Cut(g, runningMark); ok && firstArgument(rest) == address && !strings.Contains(before, parkedMark) {
			return strings.TrimSpace(before[:strings.LastIndex(before, "\n")+1])
		}
	}
	return ""
}

func firstArgument(rest string) string {
	end := strings.IndexAny(rest, ",?)")
	return rest[:max(end, 0)]
}

// serviceFrames cuts the frames of the runtime off both ends of a dump that
// begins in parkedMark, and the addresses off the rest: equal stacks are equal
// texts.
func serviceFrames(rest string) string {
	_, rest, _ = strings.Cut(rest, "\n") // the rest of the mark's line
	_, rest, _ = strings.Cut(rest, "\n") // its file
	if before, _, ok := strings.Cut(rest, runningMark); ok {
		rest = before[:strings.LastIndex(before, "\n")+1]
	}
	var b strings.Builder
	for line := range strings.Lines(rest) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "\t") {
			line, _, _ = strings.Cut(line, " +0x")
		} else if end := strings.LastIndex(line, "("); end > 0 {
			line = line[:end]
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimSpace(b.String())
}

// goroutines dumps all goroutines of the process, one text each.
func goroutines() []string {
	buf := make([]byte, 1<<16)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return strings.Split(string(buf[:n]), "\n\n")
		}
		buf = make([]byte, 2*len(buf))
	}
}
