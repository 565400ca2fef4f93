package service

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
)

// instance is the actor.Behaviour of every service.
type instance struct {
	svc      *actor.Service
	def      *Definition
	args     []any
	started  chan error       // of Start
	starter  *actor.Coroutine // that runs the start function; nil after it
	exited   bool             // by Context.Exit
	commands Commands         // those of Context.Handle
	version  uint32           // of what commands do
	fallback func(cmd string) Handler
	types    []*Protocol
	info     func(*Context, lualike.Args) (lualike.Args, error)
	traces   map[Handle]string // tags announced, by who is to use them
	traced   int               // tags made
	traceAll *bool             // of TraceProto
}

// Protocol is a message type of a service's own (skynet.register_protocol).
type Protocol struct {
	Name     string
	Type     PType
	Dispatch func(c *Context, m Message)
}

// builtinTypes are what every service has from the start.
var builtinTypes = [...]Protocol{
	{Name: "response", Type: actor.PTypeResponse},
	{Name: "error", Type: actor.PTypeError},
	{Name: "debug", Type: actor.PTypeDebug},
	{Name: "lua", Type: actor.PTypeLua},
}

// How a start function can end without returning.
var (
	errStartExited = errors.New("service: exited in its start")
	errStartKilled = fmt.Errorf("%w: killed during its start", ErrExited)
	errStartEnded  = errors.New("service: the goroutine of the start function was ended")
)

// spec is what package actor launches.
func (i *instance) spec() actor.Spec {
	return actor.Spec{Name: i.def.name, Behaviour: i, Serial: i.def.serial, Inline: i.def.inline, Mailbox: i.def.mailbox}
}

// coroutine makes f something that package actor can run.
func (i *instance) coroutine(f func(*Context)) func(*actor.Coroutine) {
	return func(co *actor.Coroutine) { f(i.context(co)) }
}

// Start runs the definition's start function and tells the launcher how it
// ended (skynet.lua: init_service).
func (i *instance) Start(co *actor.Coroutine) {
	i.svc = co.Service()
	c := i.context(co)
	if !i.def.quiet {
		c.Node().Log(c.Self(), "LAUNCH snlua "+LaunchLine(i.def.name, i.args...))
	}
	args := i.args
	i.args = nil
	returned := false
	defer func() {
		if !returned {
			i.startLeft(c)
		}
	}()
	i.starter = co
	err := i.start(c, args)
	i.starter = nil
	returned = true
	if err != nil {
		i.startFailed(c, err)
	}
	i.report(nil)
	c.tellLauncher("LAUNCHOK")
}

// startLeft looks after a start function that ended its goroutine.
func (i *instance) startLeft(c *Context) {
	i.starter = nil
	switch {
	case i.exited:
		i.report(errStartExited)
	case c.co.MayBlock() != nil:
		i.report(errStartKilled)
		c.tellLauncher("ERROR", errStartKilled) // Kill may not have gone through it
	default:
		i.startFailed(c, errStartEnded)
	}
}

// startFailed ends the service. The log has the reason before anyone else.
func (i *instance) startFailed(c *Context, err error) {
	if !i.def.quiet {
		text := "init service failed: " + err.Error()
		if p := (*startPanic)(nil); errors.As(err, &p) {
			text += "\n" + string(p.stack)
		}
		c.Error(text)
	}
	i.report(err)
	c.tellLauncher("ERROR", err)
	c.exit(fmt.Errorf("start: %w", err))
}

// report tells the caller of Start, if any, how the start function ended.
func (i *instance) report(err error) {
	if i.started != nil {
		i.started <- err
		i.started = nil
	}
}

func (i *instance) start(c *Context, args []any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &startPanic{r, debug.Stack()}
		}
	}()
	return i.def.start(c, args...)
}

// startPanic is the error of a start function that panicked. The stack is for
// the log alone.
type startPanic struct {
	reason any
	stack  []byte
}

func (p *startPanic) Error() string { return fmt.Sprintf("panic: %v", p.reason) }

// Receive handles one message.
func (i *instance) Receive(co *actor.Coroutine, m *Message) {
	c := i.context(co)
	switch m.Type {
	case actor.PTypeTrace:
		i.announced(*m)
		return
	case PTypeDebug:
		out, err := i.debugCommand(c, m)
		i.reply(c, m, out, err)
		return
	}
	if i.traces != nil || i.traceAll != nil {
		i.beginTrace(c, *m)
	}
	i.dispatch(c, m)
	c.traceStep("end")
}

func (i *instance) dispatch(c *Context, m *Message) {
	if p := i.protocol(m.Type); p != nil {
		p.Dispatch(c, *m)
		if c.co.Owed() {
			c.Logf("Maybe forgot response session %d from %s : %s", m.Session, m.Source, i.def.name)
			c.co.Fail(fmt.Errorf("%w: the handler gave no answer", ErrCallFailed))
		}
		return
	}
	if m.Type != PTypeLua || !i.commanded() {
		i.unknown(c, m)
		return
	}
	out, err := i.command(c, m)
	i.reply(c, m, out, err)
}

// protocol returns what the service itself defined for messages of type t. There
// are few.
func (i *instance) protocol(t PType) *Protocol {
	for _, p := range i.types {
		if p.Type == t {
			return p
		}
	}
	return nil
}

// commanded reports whether the service has anything that takes commands.
func (i *instance) commanded() bool {
	return i.commands != nil || i.def.commands != nil || i.fallback != nil
}

// reply answers m with what its handler has returned.
func (i *instance) reply(c *Context, m *Message, out any, err error) {
	c.input().close()
	if err != nil {
		c.traceError()
		i.logFailure(*m, err.Error())
		c.co.Fail(&handlerError{err})
		return
	}
	if c.co.Owed() {
		c.traceStep("response")
		if _, err = c.co.Reply(out); err != nil {
			i.logFailure(*m, err.Error())
		}
	}
}

func (i *instance) command(c *Context, m *Message) (any, error) {
	s := c.co.Layer.(*scratch)
	cmd, err := s.in.command(m)
	if err != nil {
		return nil, err
	}
	if last := &s.last; last.cmd != cmd || last.version != i.version || last.handler.run == nil {
		h, ok := i.handler(cmd)
		if !ok {
			return nil, fmt.Errorf("%w %s", ErrUnknownCommand, cmd)
		}
		*last = command{cmd, h, i.version}
	}
	out, err := s.last.handler.run(c, &s.in)
	if bad, ok := err.(*argumentError); ok { // the log has nothing else that names the command
		bad.of = " of " + cmd
	}
	return out, err
}

// handler returns what a command does.
func (i *instance) handler(cmd string) (Handler, bool) {
	h, ok := i.commands[cmd]
	if !ok {
		h, ok = i.def.commands[cmd]
	}
	if !ok && i.fallback != nil {
		return i.fallback(cmd), true
	}
	return h, ok
}

// unknown is a message that the service has no dispatch function for (B051).
func (i *instance) unknown(c *Context, m *Message) {
	kind := fmt.Sprint(m.Type)
	if m.Type == PTypeLua {
		kind = "lua"
	}
	if c.co.Owed() {
		c.co.Fail(fmt.Errorf("%w: %s takes no messages of type %s", ErrCallFailed, i.svc.Handle(), kind))
		return
	}
	c.Logf("Unknown request (%s): %v", kind, m.Data)
	i.logFailure(*m, fmt.Sprintf("Unknown session : %d from %x", m.Session, uint32(m.Source)))
}

// Crashed logs a panic.
func (i *instance) Crashed(co *actor.Coroutine, m Message, reason any, stack []byte) {
	i.context(co).traceError()
	if err, ok := reason.(error); ok && errors.Is(err, errAwaitPanic) {
		i.logFailure(m, err.Error())
		return
	}
	i.logFailure(m, fmt.Sprintf("%v\n%s", reason, stack))
}

// logFailure writes the line that Skynet writes when a handler raises (B043).
func (i *instance) logFailure(m Message, text string) {
	size := 0
	if b, ok := m.Data.([]byte); ok {
		size = len(b)
	}
	i.svc.Node().LogAt(slog.LevelError, i.svc.Handle(), fmt.Sprintf("lua call [%x to :%x : %d msgsz = %d] error : \x1b[31m%s\x1b[0m",
		uint32(m.Source), uint32(i.svc.Handle()), m.Session, size, text))
}

// Handle defines a command of the running service; a second handler for the
// same command replaces the first. Like every method it may be called at any
// time, usually in the start function.
func (c *Context) Handle(cmd string, h Handler) {
	if c.misused() {
		return
	}
	if c.inst.commands == nil {
		c.inst.commands = make(Commands)
	}
	c.inst.commands[cmd] = h
	c.inst.version++
}

// Dispatch handles every message of type t with f, as it came
// (skynet.dispatch). f answers with Ret, RetRaw or Response; when it does none
// of these the caller of a request gets ErrCallFailed. The Data of a lua message
// is lualike.Args when it comes from this node, []byte from another one or when
// messages are isolated; HandleFirst takes both.
func (c *Context) Dispatch(t PType, f func(c *Context, m Message)) {
	if c.misused() {
		return
	}
	if p := c.inst.protocol(t); p != nil {
		p.Dispatch = f
		return
	}
	c.inst.types = append(c.inst.types, &Protocol{Type: t, Dispatch: f})
}

// RegisterProtocol gives the service a message type of its own, by name and
// number (skynet.register_protocol). A name or number in use is ErrMisuse;
// those of response, error, debug and lua always are.
func (c *Context) RegisterProtocol(p Protocol) error {
	if err := c.check(); err != nil {
		return err
	}
	if p.Dispatch == nil {
		return fmt.Errorf("%w: protocol %s (%d) without a dispatch function", ErrMisuse, p.Name, p.Type)
	}
	for _, old := range builtinTypes {
		if old.Type == p.Type || old.Name == p.Name {
			return fmt.Errorf("%w: protocol %s (%d) is in use", ErrMisuse, p.Name, p.Type)
		}
	}
	for _, old := range c.inst.types {
		if old.Type == p.Type || old.Name == p.Name && p.Name != "" {
			return fmt.Errorf("%w: protocol %s (%d) is in use", ErrMisuse, p.Name, p.Type)
		}
	}
	c.inst.types = append(c.inst.types, &p)
	return nil
}
