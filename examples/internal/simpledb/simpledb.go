// Package simpledb is a port of the service of that name in Skynet's examples.
package simpledb

import (
	"fmt"

	"github.com/skynetgo/skynet/service"
)

// Definition returns the definition of the service.
func Definition() *service.Definition { return service.Def("simpledb", start) }

type simpledb struct{ kv map[string]string }

func start(c *service.Context, _ ...any) error {
	db := &simpledb{kv: make(map[string]string)}
	c.Handle("GET", service.F1(db.get))
	c.Handle("SET", service.F2(db.set))
	c.Handle("PING", service.P1(db.ping))
	return nil
}

// get returns nil, as Lua does, for a key that was never set.
func (db *simpledb) get(_ *service.Context, key string) (*string, error) {
	if v, ok := db.kv[key]; ok {
		return &v, nil
	}
	return nil, nil
}

// set returns the value that the key had before.
func (db *simpledb) set(c *service.Context, key, value string) (*string, error) {
	last, err := db.get(c, key)
	db.kv[key] = value
	return last, err
}

// ping logs who sent it. It is a message to be sent, not called.
func (db *simpledb) ping(c *service.Context, text string) error {
	m := c.Message()
	if m.Session != 0 {
		return service.Errorf("PING wants no answer")
	}
	if len(text) > 20 {
		text = fmt.Sprintf("%s...(%d)", text[:20], len(text))
	}
	c.Logf("%s ping %s", m.Source, text)
	return nil
}
