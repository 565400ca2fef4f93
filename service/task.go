package service

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
)

// Task is something that waits in a service.
type Task struct {
	Session uint32  `lua:"session"`
	What    string  `lua:"what"`    // "call", "sleep", "wait", "await", "timer" or "watch"
	Peer    Handle  `lua:"peer"`    // of a call or watch: whom
	Token   string  `lua:"token"`   // of a sleep or wait: what wakes it
	Seconds float64 `lua:"seconds"` // so far
	Source  Handle  `lua:"source"`  // of the request that it handles, if any
	Request uint32  `lua:"request"` // the session of that
	Stack   string  `lua:"stack"`
}

// Tasks asks a service what waits in it, in the order of the sessions.
func Tasks(c *Context, addr any) ([]Task, error) {
	vals, err := Debug(c, addr, "TASKS")
	if err != nil {
		return nil, err
	}
	return lualike.As[[]Task](vals.At(0))
}

func taskList(c *Context) []Task {
	now := c.Now()
	list := []Task{}
	for _, t := range c.co.Tasks(true) {
		list = append(list, Task{
			Session: uint32(t.Session), What: t.What, Peer: t.Peer, Token: tokenText(t), Seconds: (now - t.Since).Seconds(),
			Source: t.Request.Source, Request: uint32(t.Request.Session), Stack: t.Stack,
		})
	}
	return list
}

// tasks answers for one session with a text, or for all with a table.
func (i *instance) tasks(c *Context, args lualike.Args) any {
	now := c.Now()
	if want, err := args.Int(0); err == nil {
		for _, t := range c.co.Tasks(true) {
			if int64(t.Session) == want {
				return taskText(t, now)
			}
		}
		return "No session"
	}
	all := make(map[string]any)
	for _, t := range c.co.Tasks(true) {
		all[fmt.Sprintf("session: %d", t.Session)] = taskText(t, now)
	}
	return lualike.Map(all)
}

// uniqueTasks counts the tasks that have the same stack together, and says since
// when the first of them waits.
func (i *instance) uniqueTasks(c *Context) *lualike.Table {
	const most = 10
	type group struct {
		task     actor.Task
		sessions []string
		since    time.Duration
	}
	groups := make(map[string]*group)
	for _, t := range c.co.Tasks(true) {
		key := taskHead(t) + t.Stack
		g := groups[key]
		if g == nil {
			g = &group{task: t, since: t.Since}
			groups[key] = g
		}
		g.since = min(g.since, t.Since)
		g.sessions = append(g.sessions, fmt.Sprint(t.Session))
	}
	now := c.Now()
	all := make(map[string]any)
	for _, g := range groups {
		sort.Strings(g.sessions)
		n, more := len(g.sessions), ""
		if n > most {
			g.sessions, more = g.sessions[:most], "..."
		}
		key := fmt.Sprintf("%d\tsessions:[%s%s]\n", n, strings.Join(g.sessions, ","), more)
		all[key] = taskHead(g.task) + sinceText(now-g.since) + "\n" + g.task.Stack
	}
	return lualike.Map(all)
}

func taskText(t actor.Task, now time.Duration) string {
	text := taskHead(t)
	if token := tokenText(t); token != "" {
		text += " on " + token
	}
	text += sinceText(now - t.Since)
	if t.Request.Session != 0 {
		text += fmt.Sprintf(", for request %d of %s", t.Request.Session, t.Request.Source)
	}
	if t.Stack != "" {
		text += "\n" + t.Stack
	}
	return text
}

func tokenText(t actor.Task) string {
	switch token := t.Token.(type) {
	case nil:
		return ""
	case string, int, fmt.Stringer:
		return fmt.Sprint(token)
	default: // may be large
		return fmt.Sprintf("a %T", token)
	}
}

func sinceText(d time.Duration) string { return fmt.Sprintf(" since %v", d.Round(time.Millisecond)) }

func taskHead(t actor.Task) string {
	if t.Peer != 0 {
		return t.What + " " + t.Peer.String()
	}
	return t.What
}
