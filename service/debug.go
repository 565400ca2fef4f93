package service

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
)

// Debug sends a debug command to a service and blocks until the answer comes
// (lualib/skynet/debug.lua). Every service answers them, a serial one also while
// its handler waits:
//
//	STAT               table: cpu (seconds), message, mqlen, task
//	TASK [session]     what each waiting coroutine waits for, and its stack
//	UNIQTASK           the same, equal stacks counted together
//	INFO args...       what the function given to InfoFunc returns
//	PING               nothing
//	LINK               no answer, but an error when the service ends
//	SUPPORT type       whether the service takes messages of that type's name
//	TRACELOG on        trace every request, or none
//	TERM handle        as Context.Term
//	EXIT               as Context.Exit: the answer is an error
func Debug(c *Context, addr any, cmd string, args ...any) (lualike.Args, error) {
	all := append([]any{cmd}, args...)
	reply, err := c.request(addr, &Message{Type: PTypeDebug, Data: lualike.Args(all)})
	if err == nil {
		var out lualike.Args
		if out, err = dataArgs(reply.Data); err == nil {
			return out, nil
		}
	}
	return nil, callError(addr, all, err)
}

// InfoFunc sets what the debug command INFO answers (skynet.info_func).
func (c *Context) InfoFunc(f func(c *Context, args lualike.Args) (lualike.Args, error)) {
	if !c.misused() {
		c.inst.info = f
	}
}

// debugCommand handles one debug message.
func (i *instance) debugCommand(c *Context, m *Message) (any, error) {
	cmd, err := c.input().command(m)
	if err != nil {
		return nil, err
	}
	rest, err := c.input().rest()
	if err != nil {
		return nil, err
	}
	args, err := normalize(rest)
	if err != nil {
		return nil, err
	}
	switch cmd {
	case "STAT":
		s := i.svc.Stat()
		return lualike.Map(map[string]any{
			"cpu": s.CPU.Seconds(), "message": int64(s.Requests), "mqlen": s.Mailbox, "task": c.co.TaskCount(),
		}), nil
	case "TASK":
		return i.tasks(c, args), nil
	case "UNIQTASK":
		return i.uniqueTasks(c), nil
	case "INFO":
		if i.info == nil {
			return lualike.Args{nil}, nil
		}
		return list(i.info(c, args))
	case "PING":
		return nil, nil
	case "LINK":
		if r, err := c.co.Response(); err == nil {
			r.Last()
		}
		return nil, nil
	case "SUPPORT":
		return i.supports(args.At(0)), nil
	case "TRACELOG":
		on, err := args.Bool(len(args) - 1)
		if err != nil {
			return nil, err
		}
		c.Logf("Turn trace log %v for lua", on)
		i.traceAll = &on
		return nil, nil
	case "TERM":
		h, err := args.Int(0)
		if err == nil {
			c.Term(Handle(h))
		}
		return nil, err
	case "EXIT":
		c.Exit()
	case "RUN", "KILLTASK", "MEM", "GC", "REMOTEDEBUG":
		return nil, Errorf("%s is not in Go", cmd)
	}
	return nil, fmt.Errorf("%w %s", ErrUnknownCommand, cmd)
}

func (i *instance) supports(name any) bool {
	if name == "lua" {
		return i.commanded() || i.protocol(PTypeLua) != nil
	}
	for _, p := range i.types {
		if p.Name != "" && p.Name == name {
			return true
		}
	}
	return false
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

// uniqueTasks counts the tasks that have the same stack together.
func (i *instance) uniqueTasks(c *Context) *lualike.Table {
	const most = 10
	sessions := make(map[string][]string)
	for _, t := range c.co.Tasks(true) {
		text := taskHead(t) + "\n" + t.Stack
		sessions[text] = append(sessions[text], fmt.Sprint(t.Session))
	}
	all := make(map[string]any)
	for text, list := range sessions {
		sort.Strings(list)
		more := ""
		if len(list) > most {
			more = "..."
		}
		all[fmt.Sprintf("%d\tsessions:[%s%s]\n", len(list), strings.Join(list[:min(len(list), most)], ","), more)] = text
	}
	return lualike.Map(all)
}

func taskText(t actor.Task, now time.Duration) string {
	text := taskHead(t)
	switch token := t.Token.(type) {
	case nil:
	case string, int, fmt.Stringer:
		text += fmt.Sprintf(" on %v", token)
	default: // may be large
		text += fmt.Sprintf(" on a %T", token)
	}
	text += fmt.Sprintf(" since %v", (now - t.Since).Round(time.Millisecond))
	if t.Request.Session != 0 {
		text += fmt.Sprintf(", for request %d of %s", t.Request.Session, t.Request.Source)
	}
	if t.Stack != "" {
		text += "\n" + t.Stack
	}
	return text
}

func taskHead(t actor.Task) string {
	if t.Peer != 0 {
		return t.What + " " + t.Peer.String()
	}
	return t.What
}
