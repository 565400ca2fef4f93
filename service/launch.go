package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
)

// Local names of the services that the functions below speak to.
const (
	launcherName   = ".launcher"
	serviceMgrName = ".service"
)

// snaxd is the name that unique snax services share; which one is meant says the
// first argument.
const snaxd = "snaxd"

// Commands of the service manager.
const (
	cmdLaunch = "LAUNCH"
	cmdQuery  = "QUERY"
	// CmdInStart goes in front of a command of a start function that waits for the
	// answer, with the Uptime in nanoseconds at which the wait ends, 0 for never.
	// The manager finds by it the start functions that wait for each other.
	CmdInStart = "INSTART"
)

// Launch starts the service called name on n, from outside of any service. It
// returns before the start function has run; Start waits.
func Launch(n *Node, name string, args ...any) (Handle, error) {
	inst, err := newInstance(n, name, args)
	if err != nil {
		return 0, fmt.Errorf("launch %s: %w", name, err)
	}
	return n.Launch(inst.spec())
}

// newInstance makes what runs the service called name.
func newInstance(n *Node, name string, args []any) (*instance, error) {
	def, err := lookup(n, name)
	if err != nil {
		return nil, err
	}
	if args, err = launchArgs(n, args); err != nil {
		return nil, err
	}
	return &instance{def: def, args: args}, nil
}

// launchArgs are the arguments of a launch for the new service: where services
// share no memory they do not share these.
func launchArgs(n *Node, args []any) ([]any, error) {
	isolate := n.Config().Isolate
	if isolate == nil || len(args) == 0 {
		return args, nil
	}
	m, err := isolate(Message{Type: PTypeLua, Data: lualike.Args(args)})
	if copied, ok := m.Data.(lualike.Args); ok {
		args = copied
	}
	return args, err
}

// Start is Launch that blocks until the start function has returned, and
// returns its error, or until ctx ends; it needs no launcher. A service that
// exits in its start is handle 0 without an error.
func Start(ctx context.Context, n *Node, name string, args ...any) (Handle, error) {
	inst, err := newInstance(n, name, args)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", name, err)
	}
	started := make(chan error, 1)
	inst.started = started
	h, err := n.Launch(inst.spec())
	if err != nil {
		return 0, err
	}
	select {
	case err = <-started:
	case <-ctx.Done():
		err = ctx.Err()
	case <-done(n, h):
		select {
		case err = <-started:
		default:
			err = errStartKilled // before its start
		}
	}
	switch {
	case err == errStartExited:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("start %s: %w", name, err)
	}
	return h, nil
}

// done returns a channel that is closed once the service h has ended.
func done(n *Node, h Handle) <-chan struct{} {
	if svc := n.Find(h); svc != nil {
		return svc.Done()
	}
	c := make(chan struct{})
	close(c)
	return c
}

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
// handle 0 without an error. After ErrTimeout the start goes on, and the service
// lives: what it is for must not depend on its caller.
func (c *Context) NewService(name string, args ...any) (Handle, error) {
	return c.launched(launcherName, []any{cmdLaunch, "snlua", name}, args, "newservice", name)
}

// UniqueService returns the one service called name of this node, which it
// starts when it does not run (skynet.uniqueservice); it blocks until the start
// function has returned. Every caller gets the same handle, concurrent callers
// share one launch, a failed launch is remembered. The arguments of the first
// caller count. ErrDeadlock when the caller is itself being started as a unique
// service that the start of this one waits for.
func (c *Context) UniqueService(name string, args ...any) (Handle, error) {
	return c.unique([]any{cmdLaunch, name}, args, "uniqueservice", name)
}

// QueryService is UniqueService that starts nothing: it blocks until somebody
// has started the service (skynet.queryservice).
func (c *Context) QueryService(name string) (Handle, error) {
	return c.unique([]any{cmdQuery, name}, nil, "queryservice", name)
}

// uniqueServices are the answers of the service manager that will not change: it
// gives a service that runs, or did, the same handle for ever.
type uniqueServices struct{ handles sync.Map }

type (
	uniqueServicesKey struct{}
	uniqueKey         struct {
		manager Handle
		name    string
	}
)

// unique asks the service manager, unless it has answered before.
func (c *Context) unique(command, args []any, what, name string) (Handle, error) {
	known := c.Node().Attach(uniqueServicesKey{}, func() any { return new(uniqueServices) }).(*uniqueServices)
	key := uniqueKey{c.LocalName(serviceMgrName), name}
	if h, ok := known.handles.Load(key); ok {
		if err := c.mayBlock(); err != nil {
			return 0, fmt.Errorf("%s %s: %w", what, name, err)
		}
		return h.(Handle), nil
	}
	h, err := c.launched(serviceMgrName, command, args, what, name)
	if err == nil && h != 0 && key.manager != 0 && name != snaxd {
		known.handles.Store(key, h)
	}
	return h, err
}

// launched sends a command, with args for the new service behind it, to the
// service that launches.
func (c *Context) launched(by string, command, args []any, what, name string) (Handle, error) {
	args, err := launchArgs(c.Node(), args)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", what, name, err)
	}
	var h Handle
	request := command
	if by == serviceMgrName && c.co == c.inst.starter {
		var until time.Duration
		if d := c.CallTimeout(); d > 0 {
			until = max(c.Now()+d, d) // not over the end of time
		}
		request = append([]any{CmdInStart, int64(until)}, command...)
	}
	reply, err := c.request(by, &Message{Type: PTypeLua, Data: append(lualike.Args(request), args...)})
	if err == nil {
		h, err = dataAs[Handle](reply.Data)
	}
	if errors.Is(err, ErrTimeout) {
		err = callError(by, command, err) // who has taken the request is not the new service
	}
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", what, name, err)
	}
	return h, nil
}

// tellLauncher sends the launcher a command, if there is one.
func (c *Context) tellLauncher(cmd string, args ...any) {
	if h := c.LocalName(launcherName); h != 0 {
		m := Message{Type: PTypeLua, Cmd: cmd}
		if len(args) > 0 {
			m.Data = lualike.Args(args)
		}
		_ = c.post(h, &m)
	}
}

// Exit ends the service (skynet.exit). Nothing after it runs but defers, in
// which Send works and blocking calls return ErrExited at once. Everyone who
// waits for the service gets ErrExited.
func (c *Context) Exit() {
	if !c.misused() {
		c.exit(nil)
	}
}

func (c *Context) exit(cause error) {
	c.inst.exited = true
	c.tellLauncher("REMOVE", c.Self(), false)
	if !c.inst.def.quiet {
		c.Node().Log(c.Self(), "KILL self")
	}
	c.co.ExitFor(cause)
}

// Kill ends another service, or the own one at its next blocking call
// (skynet.kill). Its handle and its names are free at once; everyone who waits for
// it gets ErrExited. addr is a Handle, ".name" or ":HEX"; ErrNoService when it is
// nobody.
func (c *Context) Kill(addr any) error {
	if err := c.check(); err != nil {
		return err
	}
	h, err := c.convert(addr)
	if err != nil {
		return fmt.Errorf("kill %s: %w", addressText(addr), err)
	}
	c.tellLauncher("REMOVE", h, true)
	return c.Node().Kill(c.Self(), h)
}

// Abort asks for the end of the whole node (skynet.abort); it does not wait.
func (c *Context) Abort() { c.Node().Abort() }

// LaunchLine is the text of a launch in the log and in lists: the name and the
// arguments, joined by spaces as Skynet passes them. Of values that are neither
// text nor scalars it has the type only, since they belong to the new service.
func LaunchLine(name string, args ...any) string {
	words := []string{name}
	for _, a := range args {
		switch a := a.(type) {
		case actor.Handle:
			words = append(words, fmt.Sprint(uint32(a)))
		case string, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64:
			words = append(words, fmt.Sprint(a))
		default:
			words = append(words, fmt.Sprintf("%T", a))
		}
	}
	return strings.Join(words, " ")
}
