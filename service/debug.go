package service

import (
	"fmt"

	"github.com/skynetgo/skynet/lualike"
)

// Debug sends a debug command to a service and blocks until the answer comes
// (lualib/skynet/debug.lua). Every service answers them, a serial one also while
// its handler waits:
//
//	STAT               table: cpu (seconds), message, mqlen, task
//	TASK [session]     what each waiting coroutine waits for, and its stack
//	UNIQTASK           the same, equal stacks counted together
//	TASKS              the same as a list; see Tasks
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
	case "TASKS":
		return taskList(c), nil
	case "INFO":
		if i.info == nil {
			return lualike.Args{nil}, nil
		}
		return list(i.info(c, args))
	case "PING":
		return nil, nil
	case "LINK":
		if r := c.Response(); r.err == nil {
			r.r.Last()
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
