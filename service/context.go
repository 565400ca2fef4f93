package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/skynetgo/skynet/actor"
)

// Names of package actor that service code needs.
type (
	// Handle is the address of a service.
	Handle = actor.Handle
	// Session ties an answer to its request.
	Session = actor.Session
	// PType is the type of a message.
	PType = actor.PType
	// Message is one message as it stands in a mailbox.
	Message = actor.Message
	// Node is one node.
	Node = actor.Node
)

// Message types that services define handlers for.
const (
	PTypeText   = actor.PTypeText
	PTypeClient = actor.PTypeClient
	PTypeSystem = actor.PTypeSystem
	PTypeHarbor = actor.PTypeHarbor
	PTypeSocket = actor.PTypeSocket
	PTypeDebug  = actor.PTypeDebug
	PTypeLua    = actor.PTypeLua
	PTypeSnax   = actor.PTypeSnax
)

// Forever as the timeout of a call means none.
const Forever time.Duration = -1

// Context is the view that one coroutine has of its service. It belongs to that
// coroutine: after the coroutine's end, and from any other coroutine of the
// service, its methods give ErrMisuse, until many messages later it serves another
// one; it must not be used from a goroutine
// that is no coroutine of the service. It is no context.Context; see the method
// Context.
type Context struct {
	co      *actor.Coroutine
	inst    *instance
	id      uint64
	timeout time.Duration   // 0: the node's default
	ctx     context.Context // of Run; nil otherwise
}

// check tells whether the caller is entitled to use c.
func (c *Context) check() error {
	if !c.inst.svc.Executes(c.co, c.id) {
		return fmt.Errorf("%w: Context of %s used outside its coroutine", ErrMisuse, c.inst.svc.Handle())
	}
	return nil
}

// mayBlock is check for a method that blocks. It comes before all that could
// make the method return early.
func (c *Context) mayBlock() error {
	if err := c.check(); err != nil {
		return err
	}
	if err := c.co.MayBlock(); err != nil || c.ctx == nil || c.ctx.Err() == nil {
		return err
	}
	_ = c.co.Sleep(0, nil) // or a loop that ignores the error would keep the baton
	return c.ctx.Err()
}

// misused reports a wrong use of a method that has no error to return.
func (c *Context) misused() bool {
	err := c.check()
	if err != nil {
		c.inst.svc.Node().LogAt(slog.LevelError, c.inst.svc.Handle(), err.Error())
	}
	return err != nil
}

// Self returns the handle of the service (skynet.self).
func (c *Context) Self() Handle { return c.inst.svc.Handle() }

// Node returns the node that the service runs on.
func (c *Context) Node() *Node { return c.inst.svc.Node() }

// ServiceName returns the name the service was launched under.
func (c *Context) ServiceName() string { return c.inst.def.name }

// Message returns the message that this coroutine handles; the zero Message in
// a fork or timer. Its Source and Session are what skynet.context returns.
func (c *Context) Message() Message {
	if c.misused() {
		return Message{}
	}
	return c.co.Request()
}

// Error writes its arguments to the log, joined by spaces (skynet.error), at
// level Error.
func (c *Context) Error(args ...any) {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch a := a.(type) {
		case nil:
			b.WriteString("nil")
		case string:
			b.WriteString(a)
		default:
			fmt.Fprint(&b, a)
		}
	}
	if len(args) == 0 {
		b.WriteString("nil")
	}
	c.Node().LogAt(slog.LevelError, c.Self(), b.String())
}

// Logf writes a formatted line to the log, at level Info.
func (c *Context) Logf(format string, args ...any) {
	c.logf(slog.LevelInfo, format, args)
}

// Debugf writes a formatted line to the log at level Debug, which the log takes
// when the config key loglevel says so, or actor.Service.SetLogLevel.
func (c *Context) Debugf(format string, args ...any) {
	c.logf(slog.LevelDebug, format, args)
}

func (c *Context) logf(level slog.Level, format string, args []any) {
	if level >= c.inst.svc.LogLevel() {
		c.Node().LogAt(level, c.Self(), fmt.Sprintf(format, args...))
	}
}

// Getenv returns a value of the node's environment, "" when it is not set
// (skynet.getenv). LookupEnv tells the two apart.
func (c *Context) Getenv(key string) string {
	v, _ := c.Node().Getenv(key)
	return v
}

// LookupEnv returns a value of the node's environment and whether it is set.
func (c *Context) LookupEnv(key string) (string, bool) { return c.Node().Getenv(key) }

// Setenv sets a key of the node's environment, which can be done once
// (skynet.setenv).
func (c *Context) Setenv(key, value string) error { return c.Node().Setenv(key, value) }

// Now returns the time since the node's start (skynet.now).
func (c *Context) Now() time.Duration { return c.Node().Uptime() }

// Time returns the wall clock, which never goes back while the node lives
// (skynet.time).
func (c *Context) Time() time.Time { return c.Node().StartTime().Add(c.Node().Uptime()) }

// Address returns the text form of a handle, ":%08x" (skynet.address).
func (c *Context) Address(h Handle) string { return h.String() }

// LocalName returns the owner of a local name, 0 when there is none
// (skynet.localname).
func (c *Context) LocalName(name string) Handle {
	h, _ := c.Node().Query(name)
	return h
}

// Name gives h a local name, which begins with a dot (skynet.name). A service
// may have several; a taken name is ErrNameTaken.
func (c *Context) Name(name string, h Handle) error { return c.Node().SetName(name, h) }

// Register gives the own service a local name (skynet.register).
func (c *Context) Register(name string) error { return c.Name(name, c.Self()) }

// WithTimeout returns a Context of the same coroutine whose calls may take d;
// Forever for as long as it takes. With any other d that is not positive, which
// was left of somebody's time, they are sent and end with ErrTimeout, but for
// those whose answer is there before the clock was read.
func (c *Context) WithTimeout(d time.Duration) *Context {
	with := *c
	with.timeout = d
	if d <= 0 && d != Forever {
		with.timeout = 1
	}
	return &with
}

// CallTimeout returns how long calls made with c may take, 0 or less for as long
// as it takes.
func (c *Context) CallTimeout() time.Duration {
	if c.timeout != 0 {
		return c.timeout
	}
	return c.Node().Config().CallTimeout
}

// Context returns a context.Context that ends when this coroutine ends, the
// service's end included, and no later than the ctx of Run. It may go to any
// goroutine.
func (c *Context) Context() context.Context {
	parent := c.ctx
	if parent == nil {
		parent = context.Background()
	}
	if c.check() != nil {
		ctx, cancel := context.WithCancel(parent)
		cancel()
		return ctx
	}
	return c.co.Context(parent)
}

// resolve returns the handle that an address means: a Handle, another integer,
// ".name" or ":HEX".
func (c *Context) resolve(addr any) (Handle, error) {
	switch a := addr.(type) {
	case Handle:
		if a == 0 {
			return 0, fmt.Errorf("%w: Invalid service address 0", ErrMisuse)
		}
		return a, nil
	case string:
		if strings.HasPrefix(a, ":") {
			return actor.ParseHandle(a)
		}
		if h := c.LocalName(a); h != 0 {
			return h, nil
		}
		return 0, fmt.Errorf("%w: %s", ErrNoService, a)
	case int:
		return c.resolve(int64(a))
	case int64:
		if a < 0 || a > math.MaxUint32 {
			return 0, fmt.Errorf("%w: %d", ErrNoService, a)
		}
		return c.resolve(Handle(a))
	case uint32:
		return c.resolve(Handle(a))
	}
	return 0, fmt.Errorf("%w: dest address type (%T) must be a Handle or string", ErrMisuse, addr)
}

// convert is resolve for a command of the core, which logs what is no address.
func (c *Context) convert(addr any) (Handle, error) {
	if text, ok := addr.(string); ok && !strings.HasPrefix(text, ":") && !strings.HasPrefix(text, ".") {
		c.Error("error: Can't convert " + text + " to handle")
	}
	return c.resolve(addr)
}

// target is resolve for the address of a message, which counts as lost when that
// is nobody's.
func (c *Context) target(addr any) (Handle, error) {
	if h, ok := addr.(Handle); ok && h != 0 {
		return h, nil
	}
	h, err := c.resolve(addr)
	if errors.Is(err, ErrNoService) {
		c.co.Missed()
	}
	return h, err
}

// addressText is how errors name an address that may not resolve.
func addressText(addr any) string {
	switch a := addr.(type) {
	case Handle:
		return a.String()
	case string:
		return a
	case int:
		return addressText(int64(a))
	case int64:
		if a < 0 || a > math.MaxUint32 {
			return strconv.FormatInt(a, 10)
		}
		return Handle(a).String()
	case uint32:
		return Handle(a).String()
	}
	return "?"
}

// Progress returns a number that changes whenever the service handles another
// message, runs another coroutine or gets an answer.
func (c *Context) Progress() uint64 { return c.inst.svc.Progress() }

// Local returns the value of type T that the service keeps under key, made by
// mk the first time. Packages use it for state of theirs in each service, with
// a key of an unexported type.
func Local[T any](c *Context, key any, mk func() T) T {
	return c.inst.svc.Local(key, func() any { return mk() }).(T)
}

// AtServiceEnd has f called once the service has ended and runs nothing more.
// f must not block.
func (c *Context) AtServiceEnd(f func()) { c.inst.svc.AtEnd(f) }
