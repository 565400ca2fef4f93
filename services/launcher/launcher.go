// Package launcher is the service ".launcher": it starts services and answers
// once their start functions have returned (service/launcher.lua). It is the
// first Lua-like service of a node; NewService, Exit and Kill speak to it.
package launcher

import (
	"fmt"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// Name is the local name that bootstrap gives the launcher, before its start.
const Name = ".launcher"

// Definition returns the definition of the service.
func Definition() *service.Definition { return service.Def("launcher", start) }

type launcher struct {
	services map[service.Handle]string            // what LIST shows
	starting map[service.Handle]*service.Response // owed to the callers of LAUNCH
}

func start(c *service.Context, _ ...any) error {
	l := &launcher{
		services: make(map[service.Handle]string),
		starting: make(map[service.Handle]*service.Response),
	}
	c.Handle("LAUNCH", service.Values(l.launch))
	c.Handle("LOGLAUNCH", service.Values(l.logLaunch))
	c.Handle("LAUNCHOK", service.P0(l.launchOK))
	c.Handle("ERROR", service.Values(l.failed))
	c.Handle("REMOVE", service.P2(l.remove))
	c.Handle("KILL", service.F1(l.kill))
	c.Handle("LIST", service.F0(l.list))
	c.Handle("STAT", service.F1(l.stat))
	c.HandleUnknown(func(_ *service.Context, _ string, _ lualike.Args) (lualike.Args, error) {
		return lualike.Args{lualike.Array("Unknown command")}, nil
	})
	return nil
}

// launch takes "snlua", the service's name and its arguments. It answers
// through LAUNCHOK, ERROR or REMOVE, whichever comes from the new service.
func (l *launcher) launch(c *service.Context, args []any) ([]any, error) {
	_, err := l.begin(c, args)
	return nil, err
}

func (l *launcher) begin(c *service.Context, args []any) (service.Handle, error) {
	if len(args) < 2 {
		return 0, service.Errorf("LAUNCH wants a module and a name, not %d values", len(args))
	}
	module, _ := args[0].(string)
	name, ok := args[1].(string)
	if module != "snlua" || !ok {
		return 0, service.Errorf("LAUNCH: unknown module %v %v", args[0], args[1])
	}
	text := module + " " + service.LaunchLine(name, args[2:]...)
	h, err := c.Launch(name, args[2:]...)
	if err != nil {
		return 0, err
	}
	l.services[h] = text
	l.starting[h] = c.Response()
	return h, nil
}

// logLaunch is launch with a log of the new service's messages, where that can be
// had.
func (l *launcher) logLaunch(c *service.Context, args []any) ([]any, error) {
	h, err := l.begin(c, args)
	if err != nil {
		return nil, err
	}
	if err := c.LogOn(h); err != nil {
		c.Error(err)
	}
	return nil, nil
}

func (l *launcher) launchOK(c *service.Context) error {
	h := c.Message().Source
	if r := l.take(h); r != nil {
		_, err := r.Ret(h)
		return err
	}
	return nil
}

func (l *launcher) failed(c *service.Context, args []any) ([]any, error) {
	h := c.Message().Source
	delete(l.services, h)
	if r := l.take(h); r != nil {
		var err error
		if len(args) > 0 {
			err, _ = args[0].(error)
		}
		_, err = r.Fail(err)
		return nil, err
	}
	return nil, nil
}

// remove is told by a service that exits, or by the one that kills it. A
// service that exits in its start gives its launcher's caller nil.
func (l *launcher) remove(_ *service.Context, h service.Handle, killed bool) error {
	delete(l.services, h)
	r := l.take(h)
	if r == nil {
		return nil
	}
	var err error
	if killed {
		_, err = r.Fail(fmt.Errorf("%w: killed during its start", service.ErrExited))
	} else {
		_, err = r.Ret()
	}
	return err
}

func (l *launcher) take(h service.Handle) *service.Response {
	r := l.starting[h]
	delete(l.starting, h)
	return r
}

// kill answers with what was killed: its address and text, "nil" for a service
// that the launcher does not know.
func (l *launcher) kill(c *service.Context, h service.Handle) (*lualike.Table, error) {
	text, ok := l.services[h]
	if !ok {
		text = "nil"
	}
	if err := l.remove(c, h, true); err != nil {
		return nil, err
	}
	_ = c.Node().Kill(c.Self(), h) // of one that is dead already: the log has it
	return lualike.Map(map[string]any{h.String(): text}), nil
}

func (l *launcher) list(*service.Context) (*lualike.Table, error) {
	m := make(map[string]any, len(l.services))
	for h, text := range l.services {
		m[h.String()] = text
	}
	return lualike.Map(m), nil
}
