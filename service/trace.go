package service

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/skynetgo/skynet/actor"
)

// Trace gives this coroutine a tag, ":HANDLE-N", under which it and whatever it
// calls write to the log what they do: call, request, sleep, resume, response,
// end, error (skynet.trace). info is added to the first line.
func (c *Context) Trace(info ...any) {
	if c.misused() {
		return
	}
	c.inst.traced++
	c.co.SetTag(fmt.Sprintf("%s-%d", c.Self(), c.inst.traced))
	c.TraceLog(strings.TrimSpace("trace " + fmt.Sprintln(info...)))
}

// TraceTag returns the tag of this coroutine, "" when it is not traced
// (skynet.tracetag).
func (c *Context) TraceTag() string { return c.co.Tag() }

// TraceProto traces every lua request that the service gets, or with false none
// (skynet.traceproto).
func (c *Context) TraceProto(on bool) {
	if !c.misused() {
		c.inst.traceAll = &on
	}
}

// TraceLog writes a line under the tag of this coroutine, when it is traced
// (skynet.tracelog).
func (c *Context) TraceLog(text string) {
	if tag := c.co.Tag(); tag != "" {
		c.logTrace(tag, text)
	}
}

func (c *Context) logTrace(tag, text string) {
	c.Logf("<TRACE %s> %d %s", tag, c.Time().UnixNano(), text)
}

// TraceCall is RawCall for a request that is traced under a tag of another node
// (skynet.tracecall): the callee takes the tag, this coroutine does not.
func (c *Context) TraceCall(tag string, addr any, t PType, payload any) (any, error) {
	reply, err := c.traceRequest(tag, addr, Message{Type: t, Data: payload})
	if err != nil {
		return nil, callError(addr, nil, err)
	}
	return reply.Data, nil
}

func (c *Context) traceRequest(tag string, addr any, m Message) (Message, error) {
	if err := c.mayBlock(); err != nil {
		return Message{}, err
	}
	to, err := c.resolve(addr)
	if err != nil {
		return Message{}, err
	}
	c.logTrace(tag, "tracecall begin")
	c.announce(to, tag)
	reply, err := c.co.Call(to, m, max(c.CallTimeout(), 0))
	if err != nil {
		c.announce(to, "")
		return Message{}, err
	}
	c.logTrace(tag, "tracecall end")
	return reply, nil
}

// traceError writes the last line of a coroutine that fails, in place of "end".
func (c *Context) traceError() {
	c.TraceLog("error")
	c.co.SetTag("")
}

// traceCall is what a traced coroutine does before it calls.
func (c *Context) traceCall(to Handle) {
	if c.co.Tag() != "" {
		c.TraceLog("call" + position())
		c.announce(to, c.co.Tag())
	}
}

// traceFailed takes an announcement back, which the next request would get, if
// the one that it was for was not sent.
func (c *Context) traceFailed(to Handle) {
	if c.co.Tag() != "" {
		c.announce(to, "")
	}
}

// announce tells the service that is about to be called the tag of the call.
func (c *Context) announce(to Handle, tag string) {
	_ = c.Node().Send(to, Message{Type: actor.PTypeTrace, Source: c.Self(), Data: tag})
}

// beginTrace takes the tag that was announced for m, or makes one.
func (i *instance) beginTrace(c *Context, m Message) {
	tag, announced := i.traces[m.Source]
	delete(i.traces, m.Source)
	on := i.traceAll
	if m.Type != PTypeLua {
		on = nil
	}
	switch {
	case on != nil && !*on:
	case announced:
		c.co.SetTag(tag)
		c.TraceLog("request")
	case on != nil:
		c.Trace()
	}
}

func (i *instance) announced(m Message) {
	switch tag, _ := m.Data.(string); tag {
	case "":
		delete(i.traces, m.Source)
	default:
		if i.traces == nil {
			i.traces = make(map[Handle]string)
		}
		i.traces[m.Source] = tag
	}
}

// ownFolder is where the files of this package stand. What is inlined elsewhere
// keeps its file, though not its function's name.
var ownFolder = func() string {
	_, file, _, _ := runtime.Caller(0)
	return path.Dir(file)
}()

// position is where service code called into this package, as " : @file:line".
func position() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if path.Dir(f.File) != ownFolder || strings.HasSuffix(f.File, "_test.go") {
			return fmt.Sprintf(" : @%s:%d", path.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}
