package service

import (
	"fmt"
	"path"
	"runtime"
	"slices"
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
	c.traceStep(strings.TrimSpace("trace " + fmt.Sprintln(info...)))
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

// TraceLog writes a line under a tag (skynet.tracelog).
func (c *Context) TraceLog(tag, text string) {
	c.Logf("<TRACE %s> %d %s", tag, c.Time().UnixNano(), text)
}

// traceStep writes a line under the tag of this coroutine, when it is traced.
func (c *Context) traceStep(text string) {
	if tag := c.co.Tag(); tag != "" {
		c.TraceLog(tag, text)
	}
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
	to, err := c.target(addr)
	if err != nil {
		return Message{}, err
	}
	c.TraceLog(tag, "tracecall begin")
	c.announce(to, tag)
	reply, err := c.co.Call(to, m, max(c.CallTimeout(), 0))
	if err != nil {
		c.announce(to, "")
		return Message{}, err
	}
	c.TraceLog(tag, "tracecall end")
	return reply, nil
}

// traceError writes the last line of a coroutine that fails, in place of "end".
func (c *Context) traceError() {
	c.traceStep("error")
	c.co.SetTag("")
}

// traceCall is what a traced coroutine does before it calls.
func (c *Context) traceCall(to Handle) {
	if c.co.Tag() != "" {
		c.traceStep("call" + position())
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
		c.traceStep("request")
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

// ownFolders are where the files of this package and of package cluster stand.
// What is inlined elsewhere keeps its file, though not its function's name.
var ownFolders = func() [2]string {
	_, file, _, _ := runtime.Caller(0)
	own := path.Dir(file)
	return [2]string{own, path.Join(path.Dir(own), "cluster")}
}()

// position is where service code called into these packages, as " : @file:line".
func position() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !slices.Contains(ownFolders[:], path.Dir(f.File)) || strings.HasSuffix(f.File, "_test.go") {
			return fmt.Sprintf(" : @%s:%d", path.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}
