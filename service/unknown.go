package service

import "github.com/skynetgo/skynet/lualike"

// HandleUnknown handles the commands that no handler was defined for; without
// it their callers get ErrUnknownCommand.
func (c *Context) HandleUnknown(f func(c *Context, cmd string, args lualike.Args) (lualike.Args, error)) {
	if c.misused() {
		return
	}
	c.inst.fallback = func(cmd string) Handler {
		return Raw(func(c *Context, args lualike.Args) (lualike.Args, error) { return f(c, cmd, args) })
	}
}
