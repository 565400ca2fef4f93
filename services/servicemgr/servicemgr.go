// Package servicemgr is the service ".service": it keeps the unique services
// of a node (service/service_mgr.lua). UniqueService and QueryService speak to
// it.
package servicemgr

import (
	"fmt"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// Name is the local name of the service manager.
const Name = ".service"

// Definition returns the definition of the service.
func Definition() *service.Definition { return service.Def("service_mgr", start) }

// entry is one unique service: running (handle), failed (err), or awaited.
type entry struct {
	handle    service.Handle
	err       error
	launching bool
	waiting   []waiter
}

type waiter struct {
	source service.Handle
	answer *service.Response
}

type manager struct{ services map[string]*entry }

func start(c *service.Context, _ ...any) error {
	if h := c.LocalName(Name); h != 0 {
		return fmt.Errorf("%s is already register by %s", Name, h)
	}
	m := &manager{services: make(map[string]*entry)}
	c.Handle("LAUNCH", service.Values(m.launch))
	c.Handle("QUERY", service.F1(m.query))
	c.Handle("LIST", service.F0(m.list))
	c.HandleUnknown(func(_ *service.Context, cmd string, _ lualike.Args) (lualike.Args, error) {
		return lualike.Args{nil, "Invalid command " + cmd}, nil
	})
	return c.Register(Name)
}

func (m *manager) entry(name string) *entry {
	e := m.services[name]
	if e == nil {
		e = new(entry)
		m.services[name] = e
	}
	return e
}

// launch starts the service unless it runs, has failed, or is being started;
// in the last case the answer comes when that start has ended.
func (m *manager) launch(c *service.Context, args []any) ([]any, error) {
	if len(args) == 0 {
		return nil, service.Errorf("LAUNCH wants a name")
	}
	name, ok := args[0].(string)
	if !ok {
		return nil, service.Errorf("LAUNCH: a name is a string, not %T", args[0])
	}
	e := m.entry(name)
	if e.handle == 0 && e.err == nil && !e.launching {
		m.start(c, e, name, args[1:])
	}
	return answer(e.reply(c))
}

// start launches without a deadline: the caller has its own, and a start that
// takes long must not be remembered as failed.
func (m *manager) start(c *service.Context, e *entry, name string, args []any) {
	e.launching = true
	e.handle, e.err = c.WithTimeout(service.Forever).NewService(name, args...)
	e.launching = false
	if e.err == nil && e.handle == 0 {
		e.err = fmt.Errorf("%w: %s left in its start", service.ErrExited, name)
	}
	for _, w := range e.waiting {
		if e.err != nil {
			_, _ = w.answer.Fail(e.err)
		} else {
			_, _ = w.answer.Ret(e.handle)
		}
	}
	e.waiting = nil
}

func (m *manager) query(c *service.Context, name string) (*service.Handle, error) {
	return m.entry(name).reply(c)
}

// reply answers at once or, with nil, later.
func (e *entry) reply(c *service.Context) (*service.Handle, error) {
	switch {
	case e.err != nil:
		return nil, e.err
	case e.handle != 0:
		h := e.handle
		return &h, nil
	}
	e.waiting = append(e.waiting, waiter{c.Message().Source, c.Response()})
	return nil, nil
}

func answer(h *service.Handle, err error) ([]any, error) {
	if err != nil || h == nil {
		return nil, err
	}
	return []any{*h}, nil
}

// list gives each name its address, its error, or who waits for it.
func (m *manager) list(*service.Context) (*lualike.Table, error) {
	all := make(map[string]any, len(m.services))
	for name, e := range m.services {
		switch {
		case e.err != nil:
			all[name] = "Error: " + e.err.Error()
		case e.handle != 0:
			all[name] = e.handle.String()
		default:
			text := "Querying:"
			if e.launching {
				text = "Launching, querying:"
			}
			for _, w := range e.waiting {
				text += "\n" + w.source.String()
			}
			all[name] = text
		}
	}
	return lualike.Map(all), nil
}
