package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/skynetgo/skynet/actor"
)

// Local names of the services that the functions below speak to.
const (
	launcherName   = ".launcher"
	serviceMgrName = ".service"
)

// Commands of the service manager.
const (
	cmdLaunch = "LAUNCH"
	cmdQuery  = "QUERY"
)

// Launch starts the service called name on n, from outside of any service. It
// returns before the start function has run; Start waits.
func Launch(n *Node, name string, args ...any) (Handle, error) {
	def, err := lookup(n, name)
	if err != nil {
		return 0, fmt.Errorf("launch %s: %w", name, err)
	}
	return n.Launch(name, &instance{def: def, args: args})
}

// Start is Launch that blocks until the start function has returned, and
// returns its error, or until ctx ends; it needs no launcher. A service that
// exits in its start is handle 0 without an error.
func Start(ctx context.Context, n *Node, name string, args ...any) (Handle, error) {
	def, err := lookup(n, name)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", name, err)
	}
	inst := &instance{def: def, args: args, started: make(chan error, 1)}
	h, err := n.Launch(name, inst)
	if err != nil {
		return 0, err
	}
	select {
	case err = <-inst.started:
	case <-ctx.Done():
		err = ctx.Err()
	}
	switch {
	case err == errLeft:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("start %s: %w", name, err)
	}
	return h, nil
}

// errLeft stands for a start function that did not return.
var errLeft = errors.New("service: left in its start")

// Launch starts the service called name and returns before its start function
// has run (skynet.launch). Use NewService unless you are a launcher.
func (c *Context) Launch(name string, args ...any) (Handle, error) {
	if err := c.check(); err != nil {
		return 0, err
	}
	return Launch(c.Node(), name, args...)
}

// NewService starts the service called name and blocks until its start function
// has returned (skynet.newservice). The arguments go to that function as they
// are. The error is the start function's; a service that exits in its start is
// handle 0 without an error.
func (c *Context) NewService(name string, args ...any) (Handle, error) {
	return c.launched(launcherName, append([]any{cmdLaunch, "snlua", name}, args...), "newservice", name)
}

// UniqueService returns the one service called name of this node, which it
// starts when it does not run (skynet.uniqueservice); it blocks until the start
// function has returned. Every caller gets the same handle, concurrent callers
// share one launch, a failed launch is remembered. The arguments of the first
// caller count.
func (c *Context) UniqueService(name string, args ...any) (Handle, error) {
	return c.launched(serviceMgrName, append([]any{cmdLaunch, name}, args...), "uniqueservice", name)
}

// QueryService is UniqueService that starts nothing: it blocks until somebody
// has started the service (skynet.queryservice).
func (c *Context) QueryService(name string) (Handle, error) {
	return c.launched(serviceMgrName, []any{cmdQuery, name}, "queryservice", name)
}

func (c *Context) launched(by string, args []any, what, name string) (Handle, error) {
	h, err := Call[Handle](c, by, args...)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", what, name, err)
	}
	return h, nil
}

// Exit ends the service (skynet.exit). Nothing after it runs but defers, in
// which Send works and blocking calls return ErrExited at once. Everyone who
// waits for the service gets ErrExited.
func (c *Context) Exit() {
	if c.misused() {
		return
	}
	_ = c.Send(launcherName, "REMOVE", c.Self(), false)
	c.Node().Log(c.Self(), "KILL self")
	c.co.Exit()
}

// Kill ends another service, or the own one at its next blocking call
// (skynet.kill). Everyone who waits for it gets ErrExited. addr is a Handle,
// ".name" or ":HEX"; ErrNoService when it is nobody.
func (c *Context) Kill(addr any) error {
	if err := c.check(); err != nil {
		return err
	}
	h, err := c.resolve(addr)
	if err != nil {
		return fmt.Errorf("kill %s: %w", addressText(addr), err)
	}
	_ = c.Send(launcherName, "REMOVE", h, true)
	return c.Node().Kill(c.Self(), h)
}

// Abort asks for the end of the whole node (skynet.abort); it does not wait.
func (c *Context) Abort() { c.Node().Abort() }

// words is args as the text of a LAUNCH line: joined by spaces, as Skynet
// passes them.
func words(args []any) string {
	list := make([]string, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case string:
			list[i] = a
		case bool, int, int64, uint32, float64:
			list[i] = fmt.Sprint(a)
		case actor.Handle:
			list[i] = fmt.Sprint(uint32(a))
		default:
			list[i] = fmt.Sprintf("%T", a)
		}
	}
	return strings.Join(list, " ")
}
