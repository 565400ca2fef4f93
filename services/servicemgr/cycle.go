package servicemgr

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	in, ok := msg.Op.(service.InStart)
	if !ok || asker == nil {
		return nil
	}
	e := m.services[asker.Name()]
	if e == nil || !e.launching {
		return nil
	}
	if path := m.path(c.Now(), name, asker.Name(), nil); path != nil {
		return fmt.Errorf("servicemgr: cycle: %s -> %s: %w", asker.Name(), strings.Join(path, " -> "), service.ErrDeadlock)
	}
	e.needs = need{name, in.Until}
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
