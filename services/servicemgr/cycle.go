package servicemgr

import (
	"fmt"
	"strings"

	"github.com/skynetgo/skynet/service"
)

// refused answers a request to wait for e with an error when it would never
// end.
func (m *manager) refused(c *service.Context, e *entry, name string) bool {
	if e.handle != 0 || e.err != nil {
		return false
	}
	err := m.need(c, name)
	if err != nil {
		c.Fail(err)
	}
	return err != nil
}

// need notes that the start function of the asking service, if it is one that
// is being started here, waits for name. When that one's start waits for the
// asker in turn, it notes nothing and returns ErrDeadlock with the circle: one
// of them has to be told, or all would wait for their deadlines.
func (m *manager) need(c *service.Context, name string) error {
	msg := c.Message()
	asker := c.Node().Find(msg.Source)
	if _, ok := msg.Op.(service.InStart); !ok || asker == nil {
		return nil
	}
	e := m.services[asker.Name()]
	if e == nil || !e.launching {
		return nil
	}
	if path := m.path(name, asker.Name(), nil); path != nil {
		return fmt.Errorf("servicemgr: cycle: %s -> %s: %w", asker.Name(), strings.Join(path, " -> "), service.ErrDeadlock)
	}
	e.needs = append(e.needs, name)
	return nil
}

// path returns the names from one service to another along which start
// functions wait, nil when there is no such path; seen are those looked at.
func (m *manager) path(from, to string, seen map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	e := m.services[from]
	if e == nil || !e.launching || seen[from] {
		return nil
	}
	if seen == nil {
		seen = make(map[string]bool)
	}
	seen[from] = true
	for _, next := range e.needs {
		if rest := m.path(next, to, seen); rest != nil {
			return append([]string{from}, rest...)
		}
	}
	return nil
}
