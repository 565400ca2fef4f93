package cluster

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/skynetgo/skynet/service"
)

// Resolver knows the node table from elsewhere: a file, DNS, a registry of
// services. Any type will do that has this method.
type Resolver interface {
	// Resolve returns the whole table as it is now. It runs outside of any
	// service, once at a time, and must return when ctx ends. A source that
	// tells of changes may block until there is one. A table beside an error is
	// a part: what it says counts, what it leaves out stays.
	Resolve(ctx context.Context) (Table, error)
}

// ResolverFunc is a function as a Resolver.
type ResolverFunc func(ctx context.Context) (Table, error)

// Resolve calls f.
func (f ResolverFunc) Resolve(ctx context.Context) (Table, error) { return f(ctx) }

// Resolve asks r for a table and changes the node table accordingly, now and
// then again each time that every has passed since the answer, until stop is
// called, which only code of this service may do, or the service ends. It
// blocks for the first answer, whose error it returns; also then r is asked
// again, so that who can do without a table for now goes on. Later errors are
// logged when they change, and the node table stays as it is meanwhile. A
// question has the deadline of the calls of c.
//
// What r says counts when it differs from what r said before; other reloads
// keep what they have changed. A node that r named and names no more is down.
func Resolve(c *service.Context, r Resolver, every time.Duration) (stop func(), err error) {
	if every <= 0 {
		return func() {}, fmt.Errorf("cluster.Resolve: %w: the interval is %v", service.ErrMisuse, every)
	}
	s := &resolving{resolver: r, every: every, timeout: c.CallTimeout()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err = s.ask(c); err != nil {
		s.trouble = stable(err)
		err = fmt.Errorf("cluster.Resolve: %w", err)
	}
	s.wait(c)
	return s.stop, err
}

// resolving is one Resolve under way.
type resolving struct {
	resolver Resolver
	every    time.Duration
	timeout  time.Duration
	ctx      context.Context // ends with stop
	cancel   context.CancelFunc
	timer    *service.Timer
	told     Table  // what the node table has from here
	trouble  string // the error that was reported last, "" when all is well
}

func (s *resolving) stop() {
	s.cancel()
	if s.timer != nil {
		s.timer.Cancel()
	}
}

func (s *resolving) wait(c *service.Context) {
	if s.ctx.Err() == nil {
		s.timer = c.Timeout(s.every, s.again)
	}
}

func (s *resolving) again(c *service.Context) {
	defer s.wait(c) // also when the resolver panics
	err := s.ask(c)
	if s.ctx.Err() != nil || stable(err) == s.trouble {
		return
	}
	if s.trouble = stable(err); err != nil {
		c.Logf("cluster.Resolve: %v", err)
	} else {
		c.Logf("cluster.Resolve: all is well again")
	}
}

// ask gets a table and has the node table follow it.
func (s *resolving) ask(c *service.Context) error {
	table, err := service.Await(c, func(ctx context.Context) (Table, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		if s.timeout > 0 {
			ctx, cancel = context.WithTimeout(ctx, s.timeout)
			defer cancel()
		}
		return s.resolver.Resolve(ctx)
	})
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	told, news := maps.Clone(table), Table{}
	if told == nil {
		told = Table{}
	}
	for name, old := range s.told {
		if _, named := told[name]; !named {
			told[name] = false
			if err != nil || strings.HasPrefix(name, "__") {
				told[name] = old
			}
		}
	}
	for name, value := range told {
		if old, known := s.told[name]; !known || !reflect.DeepEqual(old, value) {
			news[name] = value
		}
	}
	if len(news) > 0 {
		if bad := Reload(c, news); bad != nil {
			return bad
		}
		s.told = told
	}
	return err
}

// localPort is in the errors of net, and another one for each connection.
var localPort = regexp.MustCompile(`:[0-9]+->`)

// stable is the text of an error without what changes from one time to the next.
func stable(err error) string {
	if err == nil {
		return ""
	}
	return localPort.ReplaceAllString(err.Error(), "->")
}
