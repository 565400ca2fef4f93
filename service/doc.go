// Package service is what service code is written with: a Context for each
// running coroutine, calls and replies, coroutines, commands, launching. It is
// Skynet's lualib/skynet.lua, manager.lua and queue.lua in Go.
//
// A service is a Definition: a name and a start function, which sets up state
// and names the commands that other services may send:
//
//	func Start(c *service.Context, args ...any) error {
//		db := &simpledb{kv: map[string]string{}}
//		c.Handle("GET", service.F1(db.get))
//		c.Handle("SET", service.F2(db.set))
//		return nil
//	}
//
// All code of a service runs under its baton, one coroutine at a time, so its
// state needs no lock. A blocking method of Context parks the coroutine, not
// the service: other messages are handled meanwhile, and state may have changed
// when the method returns. Methods that block say so.
//
// Arguments and results go by reference inside a node and belong to the
// receiver once sent.
package service
