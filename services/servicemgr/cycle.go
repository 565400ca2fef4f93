package servicemgr

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// inStart is what service.CmdInStart says of a request.
type inStart struct{ until time.Duration }

// inStart handles service.CmdInStart.
func (m *manager) inStart(c *service.Context, args []any) ([]any, error) {
	if len(args) < 2 {
		return nil, service.Errorf("%s wants a time and a command, not %d values", service.CmdInStart, len(args))
	}
	until, err := lualike.As[int64](args[0])
	if err != nil {
		return nil, err
	}
	in := &inStart{time.Duration(until)}
	switch args[1] {
	case "LAUNCH":
		return m.launch(c, args[2:], in)
	case "QUERY":
		return m.query(c, args[2:], in)
	}
	return nil, service.Errorf("%s: Invalid command %v", service.CmdInStart, args[1])
}

// refused answers a request to wait for e with an error when it would never
// end.
func (m *manager) refused(c *service.Context, e *entry, name string, in *inStart) bool {
	if e.handle != 0 || e.err != nil {
		return false
	}
	err := m.need(c, name, in)
	if err != nil {
		c.Fail(err)
	}
	return err != nil
}

// need notes that the start function of the asking service, if that is what asks
// and is being started here, waits for name. When that one's start waits for the
// asker in turn, it notes nothing and returns ErrDeadlock with the circle: one
// of them has to be told, or all would wait for their deadlines.
func (m *manager) need(c *service.Context, name string, in *inStart) error {
	asker := c.Node().Find(c.Message().Source)
	if in == nil || asker == nil {
		return nil
	}
	e := m.services[asker.Name()]
	if e == nil || !e.launching {
		return nil
	}
	if path := m.path(c.Now(), name, asker.Name(), nil); path != nil {
		return fmt.Errorf("servicemgr: cycle: %s -> %s: %w", asker.Name(), strings.Join(path, " -> "), service.ErrDeadlock)
	}
	e.needs = need{name, in.until}
	return nil
}

// need is what a start function waits for, one thing at a time.
type need struct {
	name  string
	until time.Duration // 0: without end
}

// path returns the names from one service to another along which start
// functions wait now, nil when there is no such path; seen are those looked at.
func (m *manager) path(now time.Duration, from, to string, seen []string) []string {
	seen = append(seen, from)
	if from == to {
		return seen
	}
	e := m.services[from]
	if e == nil || !e.launching || e.needs.name == "" || e.needs.until != 0 && e.needs.until <= now || slices.Contains(seen, e.needs.name) {
		return nil
	}
	return m.path(now, e.needs.name, to, seen)
}
