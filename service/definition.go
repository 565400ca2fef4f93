package service

import (
	"fmt"
	"sync"

	"github.com/skynetgo/skynet/actor"
)

// StartFunc sets a service up, as the function given to skynet.start. It may
// block. NewService returns to its caller once it has returned; an error ends
// the service and is what the caller gets.
type StartFunc func(c *Context, args ...any) error

// Definition is one kind of service. Give it to nodes with Install or
// bootstrap.Main; many nodes may share it.
type Definition struct {
	name     string
	start    StartFunc
	commands Commands
	quiet    bool
	serial   bool
	inline   bool
	mailbox  int
}

// Option is something more that a Definition says.
type Option interface{ apply(*Definition) }

type optionFunc func(*Definition)

func (f optionFunc) apply(d *Definition) { f(d) }

// Commands is an Option: commands that all instances of the definition share,
// which then need no table of their own. It must not change afterwards.
type Commands map[string]Handler

func (t Commands) apply(d *Definition) { d.commands = t }

// Quiet is an Option: the log says nothing of launches, failures and exits. The
// logger has it, which can not log before it runs.
var Quiet Option = optionFunc(func(d *Definition) { d.quiet = true })

// Serial is an Option: the service handles one request after the other. The
// next begins when the handler of the one before has ended, not when it blocks;
// answers, timers and forks still run meanwhile. A call that would make serial
// services wait for each other in a circle fails at once with ErrDeadlock.
var Serial Option = optionFunc(func(d *Definition) { d.serial = true })

// Inline is an Option for a service whose handlers are short and never block, as
// one that keeps a table or passes things on: a call, or the answer to a
// RawCallThen, that finds it idle is handled on the goroutine of whoever calls or
// answers, so that none has to wake up for it, and takes a third of the time. What
// blocks is ErrMisuse in such handlers; it goes into Context.Fork. Context.Exit
// returns in them and ends the service when they have.
var Inline Option = optionFunc(func(d *Definition) { d.inline = true })

// Mailbox is an Option: at most n requests wait; the Call or Send of one more
// fails with ErrOverload. Without it there is no bound, and Skynet's warnings.
func Mailbox(n int) Option { return optionFunc(func(d *Definition) { d.mailbox = n }) }

// Def defines a service. The name is what NewService launches it by.
func Def(name string, start StartFunc, options ...Option) *Definition {
	d := &Definition{name: name, start: start}
	for _, o := range options {
		o.apply(d)
	}
	return d
}

// Name returns the name that NewService launches the service by.
func (d *Definition) Name() string { return d.name }

// definitions are those that a node knows.
type definitions struct {
	mu     sync.RWMutex
	byName map[string]*Definition
}

type definitionsKey struct{}

func definitionsOf(n *actor.Node) *definitions {
	return n.Attach(definitionsKey{}, func() any {
		return &definitions{byName: make(map[string]*Definition)}
	}).(*definitions)
}

// Install makes definitions known to a node. A later one of the same name
// replaces the earlier for launches from then on.
func Install(n *Node, defs ...*Definition) {
	d := definitionsOf(n)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, def := range defs {
		d.byName[def.name] = def
	}
}

func lookup(n *Node, name string) (*Definition, error) {
	d := definitionsOf(n)
	d.mu.RLock()
	defer d.mu.RUnlock()
	if def := d.byName[name]; def != nil {
		return def, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrNoDefinition, name)
}
