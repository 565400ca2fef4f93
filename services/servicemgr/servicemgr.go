// Package servicemgr is the service ".service": it keeps the unique services
// of a node (service/service_mgr.lua). UniqueService and QueryService speak to
// it.
package servicemgr

import (
	"fmt"
	"strings"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// Name is the local name of the service manager.
const Name = ".service"

// snaxd is the name that all snax services are asked for by, with their own
// behind it. Here, as in the log, they are called "snaxd NAME".
const snaxd = "snaxd"

// Definition returns the definition of the service.
func Definition() *service.Definition { return service.Def("service_mgr", start) }

// entry is one unique service: running (handle), failed (err), or awaited.
type entry struct {
	handle    service.Handle
	err       error
	launching bool
	launcher  service.Handle // who asked for the launch
	needs     need           // what its start function has asked for last
	waiting   []waiter
}

type waiter struct {
	source service.Handle
	packed bool
	answer *service.Response
}

type manager struct{ services map[string]*entry }

func start(c *service.Context, _ ...any) error {
	if h := c.LocalName(Name); h != 0 {
		return fmt.Errorf("%s is already register by %s", Name, h)
	}
	m := &manager{services: make(map[string]*entry)}
	c.Handle("LAUNCH", service.Values(func(c *service.Context, args []any) ([]any, error) { return m.launch(c, args, nil) }))
	c.Handle("QUERY", service.Values(func(c *service.Context, args []any) ([]any, error) { return m.query(c, args, nil) }))
	c.Handle(service.CmdInStart, service.Values(m.inStart))
	c.Handle("LIST", service.F0(m.list))
	c.HandleUnknown(func(_ *service.Context, cmd string, _ lualike.Args) (lualike.Args, error) {
		return lualike.Args{nil, "Invalid command " + cmd}, nil
	})
	return c.Register(Name)
}

// launch starts the service unless it runs, has failed, or is being started;
// in the last case the answer comes when that start has ended.
func (m *manager) launch(c *service.Context, args []any, in *inStart) ([]any, error) {
	e, name, args, err := m.entry(args)
	if err != nil {
		return nil, err
	}
	if m.refused(c, e, name, in) {
		return nil, nil
	}
	if e.handle == 0 && e.err == nil && !e.launching {
		e.start(c, name, args)
	}
	return e.reply(c), nil
}

// query answers when somebody has started the service, however late.
func (m *manager) query(c *service.Context, args []any, in *inStart) ([]any, error) {
	e, name, _, err := m.entry(args)
	if err != nil {
		return nil, err
	}
	if m.refused(c, e, name, in) {
		return nil, nil
	}
	return e.reply(c), nil
}

// entry returns the entry that a command is about, its name, and the arguments
// behind that.
func (m *manager) entry(args []any) (*entry, string, []any, error) {
	name, args, err := take(args)
	if err == nil && name == snaxd {
		name, args, err = take(args)
		name = snaxd + " " + name
	}
	if err != nil {
		return nil, "", nil, err
	}
	e := m.services[name]
	if e == nil {
		e = new(entry)
		m.services[name] = e
	}
	return e, name, args, nil
}

func take(args []any) (string, []any, error) {
	if len(args) == 0 {
		return "", nil, service.Errorf("a name is missing")
	}
	name, ok := args[0].(string)
	if !ok {
		return "", nil, service.Errorf("a name is a string, not %T", args[0])
	}
	return name, args[1:], nil
}

// start launches without a deadline: the caller has its own, and a start that
// takes long must not be remembered as failed.
func (e *entry) start(c *service.Context, name string, args []any) {
	e.launching, e.launcher = true, c.Message().Source
	h, err := c.WithTimeout(service.Forever).NewService(name, args...)
	if err == nil && h == 0 {
		err = fmt.Errorf("%w: %s left in its start", service.ErrExited, name)
	}
	e.handle, e.err, e.launching = h, err, false
	for _, w := range e.waiting {
		if vals, err := e.result(w.packed); err != nil {
			_, _ = w.answer.Fail(err)
		} else {
			_, _ = w.answer.Ret(vals...)
		}
	}
	e.waiting = nil
}

// reply answers at once, or takes the answer over until start has ended. An
// error is no failure of the manager's own, which the log would show.
func (e *entry) reply(c *service.Context) []any {
	m := c.Message()
	_, packed := m.Data.([]byte)
	if e.err == nil && e.handle == 0 {
		e.waiting = append(e.waiting, waiter{m.Source, packed, c.Response()})
		return nil
	}
	vals, err := e.result(packed)
	if err != nil {
		c.Fail(err)
	}
	return vals
}

// result is what a start has come to. Who asks in bytes, from another node, gets
// an error as Skynet's manager gives it: nil and a text.
func (e *entry) result(packed bool) ([]any, error) {
	switch {
	case e.err == nil:
		return []any{e.handle}, nil
	case packed:
		return []any{nil, e.err.Error()}, nil
	}
	return nil, e.err
}

// list gives each name its address, its error, or who waits for it.
func (m *manager) list(*service.Context) (*lualike.Table, error) {
	all := make(map[string]any, len(m.services))
	for name, e := range m.services {
		if own, ok := strings.CutPrefix(name, snaxd+" "); ok {
			name = snaxd + "." + own
		}
		all[name] = e.text()
	}
	return lualike.Map(all), nil
}

func (e *entry) text() string {
	switch {
	case e.err != nil:
		return "Error: " + e.err.Error()
	case e.handle != 0:
		return e.handle.String()
	}
	var lines []string
	if e.launching {
		lines = append(lines, "Launching from "+e.launcher.String())
	}
	if len(e.waiting) > 0 {
		lines = append(lines, "Querying:")
		for _, w := range e.waiting {
			lines = append(lines, w.source.String())
		}
	}
	return strings.Join(lines, "\n")
}
