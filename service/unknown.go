package service

import "github.com/skynetgo/skynet/lualike"

// HandleUnknown handles the commands that no handler was defined for; without
// it their callers get ErrUnknownCommand. A command is a string: a message that
// begins with anything else, or is empty, is for HandleFirst.
func (c *Context) HandleUnknown(f func(c *Context, cmd string, args lualike.Args) (lualike.Args, error)) {
	if c.misused() {
		return
	}
	c.inst.version++
	c.inst.fallback = func(cmd string) Handler {
		return Raw(func(c *Context, args lualike.Args) (lualike.Args, error) { return f(c, cmd, args) })
	}
}

// HandleFirst returns a function for Dispatch or RegisterProtocol: the first
// value of a message, in its Lua shape (nil in an empty one), chooses the Handler,
// which gets the others. So commands may be numbers, as the methods of snax are,
// or be written in any case.
func HandleFirst(choose func(c *Context, first any) (Handler, error)) func(*Context, Message) {
	return func(c *Context, m Message) {
		var h Handler
		var out any
		in := c.input()
		first, err := in.first(&m)
		if err == nil {
			h, err = choose(c, first)
		}
		if err == nil {
			out, err = h.run(c, in)
		}
		c.inst.reply(c, &m, out, err)
	}
}
