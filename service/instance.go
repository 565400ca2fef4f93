package service

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/skynetgo/skynet/actor"
)

// instance is the actor.Behaviour of every service.
type instance struct {
	svc      *actor.Service
	def      *Definition
	args     []any
	started  chan error // of Start
	commands Commands   // those of Context.Handle
	fallback func(cmd string) Handler
	types    map[PType]*Protocol
	spare    []Context
}

// Protocol is a message type of a service's own (skynet.register_protocol).
type Protocol struct {
	Name     string
	Type     PType
	Dispatch func(c *Context, m Message)
}

// contextBatch is how many Contexts are made at once. None is used twice, so
// that one kept beyond its coroutine can be told from a current one.
const contextBatch = 16

func (i *instance) context(co *actor.Coroutine) *Context {
	if len(i.spare) == 0 {
		i.spare = make([]Context, contextBatch)
	}
	c := &i.spare[0]
	i.spare = i.spare[1:]
	c.co, c.inst, c.id = co, i, co.ID()
	return c
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
		c.Logf("LAUNCH snlua %s", strings.TrimRight(i.def.name+" "+words(i.args), " "))
	}
	args := i.args
	i.args = nil
	err := errLeft
	if i.started != nil {
		defer func() { i.started <- err }()
	}
	if err = i.start(c, args); err != nil {
		c.Error("init service failed: " + err.Error())
		_ = c.Send(launcherName, "ERROR", err)
		c.Exit()
	}
	_ = c.Send(launcherName, "LAUNCHOK")
}

func (i *instance) start(c *Context, args []any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return i.def.start(c, args...)
}

// Receive handles one message.
func (i *instance) Receive(co *actor.Coroutine, m Message) {
	c := i.context(co)
	if p := i.types[m.Type]; p != nil {
		p.Dispatch(c, m)
		if co.Owed() {
			c.Logf("Maybe forgot response session %d from %s : %s", m.Session, m.Source, i.def.name)
			co.Fail(fmt.Errorf("%w: the handler gave no answer", ErrCallFailed))
		}
		return
	}
	if m.Type != PTypeLua || i.commands == nil && i.def.commands == nil {
		i.unknown(c, m)
		return
	}
	out, err := i.command(c, m)
	if err != nil {
		i.logFailure(m, err.Error())
		co.Fail(&handlerError{err})
		return
	}
	if co.Owed() {
		_, _ = co.Reply(nil, out)
	}
}

func (i *instance) command(c *Context, m Message) (any, error) {
	cmd, err := c.open(m)
	if err != nil {
		return nil, err
	}
	h, ok := i.commands[cmd]
	if !ok {
		if h, ok = i.def.commands[cmd]; !ok {
			if i.fallback == nil {
				return nil, fmt.Errorf("%w %s", ErrUnknownCommand, cmd)
			}
			h = i.fallback(cmd)
		}
	}
	return h.run(c)
}

// unknown is a message that the service has no dispatch function for (B051).
func (i *instance) unknown(c *Context, m Message) {
	if m.Session != 0 {
		c.co.Fail(fmt.Errorf("%w: %s takes no messages of type %d", ErrCallFailed, i.svc.Handle(), m.Type))
		return
	}
	text := fmt.Sprintf("(%d)", m.Type)
	if m.Type == PTypeLua {
		text = "(lua)"
	}
	c.Logf("Unknown request %s: %v", text, m.Data)
	i.logFailure(m, fmt.Sprintf("Unknown session : %d from %x", m.Session, uint32(m.Source)))
}

// Crashed logs a panic.
func (i *instance) Crashed(_ *actor.Coroutine, m Message, reason any, stack []byte) {
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
	i.svc.Node().Log(i.svc.Handle(), fmt.Sprintf("lua call [%x to :%x : %d msgsz = %d] error : \x1b[31m%s\x1b[0m",
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
}

// Dispatch handles every message of type t with f, as it came
// (skynet.dispatch). f answers with Ret, RetRaw or Response; when it does none
// of these the caller of a request gets ErrCallFailed.
func (c *Context) Dispatch(t PType, f func(c *Context, m Message)) {
	if c.misused() {
		return
	}
	if p := c.inst.types[t]; p != nil {
		p.Dispatch = f
		return
	}
	c.inst.addType(&Protocol{Type: t, Dispatch: f})
}

// RegisterProtocol gives the service a message type of its own, by name and
// number (skynet.register_protocol). A name or number in use is ErrMisuse.
func (c *Context) RegisterProtocol(p Protocol) error {
	if err := c.check(); err != nil {
		return err
	}
	if p.Dispatch == nil {
		return fmt.Errorf("%w: protocol %s (%d) without a dispatch function", ErrMisuse, p.Name, p.Type)
	}
	for _, old := range c.inst.types {
		if old.Type == p.Type || old.Name == p.Name && p.Name != "" {
			return fmt.Errorf("%w: protocol %s (%d) is in use", ErrMisuse, p.Name, p.Type)
		}
	}
	switch p.Type {
	case actor.PTypeResponse, actor.PTypeError:
		return fmt.Errorf("%w: protocol %s (%d) is the runtime's", ErrMisuse, p.Name, p.Type)
	}
	c.inst.addType(&p)
	return nil
}

func (i *instance) addType(p *Protocol) {
	if i.types == nil {
		i.types = make(map[PType]*Protocol)
	}
	i.types[p.Type] = p
}
