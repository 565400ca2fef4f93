// Package snax is Skynet's snax (lualib/skynet/snax.lua, service/snaxd.lua): a
// service whose methods have numbers, which callers know from its interface.
//
// An Interface names the methods as the Lua file does that defines them in
// Skynet, and in the same order. It is all that callers need:
//
//	var Interface = snax.NewInterface("pingserver", "response.ping", "accept.hello")
//
//	ping, err := snax.UniqueService(c, Interface)
//	text, err := snax.Req[string](c, ping, "ping", "hello")
//	err = ping.Post(c, "hello")
//
// Def makes the service itself. One of another node, Skynet's too, is reached
// with cluster.Snax.
package snax

import (
	"fmt"
	"strings"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// snaxd is the service that runs the snax services of Skynet.
const snaxd = "snaxd"

// Numbers of methods (lualib/snax/interface.lua).
const (
	systemInit int64 = iota + 1
	systemExit
	systemHotfix
	systemProfile
	firstMethod
)

// Groups of methods.
const (
	response = "response."
	accept   = "accept."
)

// Interface is the name of a snax service and its methods. It never changes.
type Interface struct {
	name    string
	methods []string // numbered from firstMethod on
	numbers map[string]int64
}

// NewInterface describes the snax service called name. methods are
// "response.NAME" and "accept.NAME", all that the Lua file defines and in its
// order, which is what gives them their numbers. It panics on any other text
// and on one that is there twice.
func NewInterface(name string, methods ...string) *Interface {
	i := &Interface{name: name, methods: methods, numbers: make(map[string]int64)}
	for n, m := range methods {
		if !strings.HasPrefix(m, response) && !strings.HasPrefix(m, accept) {
			panic(fmt.Sprintf("snax: %s: %q is neither response.NAME nor accept.NAME", name, m))
		}
		if i.numbers[m] != 0 {
			panic(fmt.Sprintf("snax: %s: %s duplicate definition", name, m))
		}
		i.numbers[m] = firstMethod + int64(n)
	}
	return i
}

// Name returns the name of the service.
func (i *Interface) Name() string { return i.name }

// Object is a running snax service as its callers see it. It may be used by
// all services of the node.
type Object struct {
	iface  *Interface
	handle service.Handle
}

// Bind makes an Object of a handle (snax.bind).
func Bind(h service.Handle, i *Interface) Object { return Object{i, h} }

// NewService starts a snax service and blocks until its init has returned
// (snax.newservice).
func NewService(c *service.Context, i *Interface, args ...any) (Object, error) {
	h, err := c.NewService(definitionName(i.name), args...)
	if err == nil && h == 0 {
		err = fmt.Errorf("snax.NewService %s: %w in its init", i.name, service.ErrExited)
	}
	return Bind(h, i), err
}

// UniqueService returns the one snax service of its name on this node, which it
// starts when it does not run (snax.uniqueservice). See
// service.Context.UniqueService.
func UniqueService(c *service.Context, i *Interface, args ...any) (Object, error) {
	h, err := c.UniqueService(snaxd, append([]any{i.name}, args...)...)
	return Bind(h, i), err
}

// QueryService is UniqueService that starts nothing: it blocks until somebody
// has started the service (snax.queryservice).
func QueryService(c *service.Context, i *Interface) (Object, error) {
	h, err := c.QueryService(definitionName(i.name))
	return Bind(h, i), err
}

// Handle returns the handle of the service, of its proxy when it runs on
// another node.
func (o Object) Handle() service.Handle { return o.handle }

// String returns the text that Skynet gives such an object.
func (o Object) String() string { return fmt.Sprintf("[%s:%x]", o.iface.name, uint32(o.handle)) }

// Req calls a response method and blocks until the answer comes; see
// service.Context.Call. A method that the interface does not have is
// service.ErrUnknownCommand.
func (o Object) Req(c *service.Context, method string, args ...any) (lualike.Args, error) {
	return Req[lualike.Args](c, o, method, args...)
}

// Req is Object.Req with one result, as an R.
func Req[R any](c *service.Context, o Object, method string, args ...any) (R, error) {
	n := o.iface.numbers[response+method]
	if n == 0 {
		var zero R
		return zero, fmt.Errorf("request %s:%s no exist: %w", o.iface.name, method, service.ErrUnknownCommand)
	}
	r, err := call[R](c, o, n, args)
	if err != nil {
		err = fmt.Errorf("request %s:%s: %w", o.iface.name, method, err)
	}
	return r, err
}

// Post sends to an accept method; it does not block.
func (o Object) Post(c *service.Context, method string, args ...any) error {
	n := o.iface.numbers[accept+method]
	if n == 0 {
		return fmt.Errorf("post %s:%s no exist: %w", o.iface.name, method, service.ErrUnknownCommand)
	}
	if err := c.RawSend(o.handle, service.PTypeSnax, message(n, args)); err != nil {
		return fmt.Errorf("post %s:%s: %w", o.iface.name, method, err)
	}
	return nil
}

// Kill has the service run its exit function and end, and blocks until the
// function has returned (snax.kill).
func (o Object) Kill(c *service.Context, args ...any) error {
	if _, err := call[any](c, o, systemExit, args); err != nil {
		return fmt.Errorf("kill %s: %w", o, err)
	}
	return nil
}

func call[R any](c *service.Context, o Object, n int64, args []any) (R, error) {
	answer, err := c.RawCall(o.handle, service.PTypeSnax, message(n, args))
	if err != nil {
		var zero R
		return zero, err
	}
	return service.Result[R](answer)
}

// message is what goes to a snax service: the method's number and its arguments.
func message(n int64, args []any) lualike.Args {
	return append(append(make(lualike.Args, 0, 1+len(args)), n), args...)
}

// definitionName is what a launch of the service is called in Skynet's log.
func definitionName(name string) string { return snaxd + " " + name }
