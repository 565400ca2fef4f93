// Package nodefile is a cluster.Resolver that watches a node table in Lua
// syntax, the file that the config key cluster names or another one:
//
//	stop, err := cluster.Resolve(c, nodefile.New("nodes.lua"), time.Second)
package nodefile

import (
	"context"
	"maps"
	"os"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike/luaconf"
)

// File is a node table in a file. It counts as changed when it has been found
// with another content, and with the same one again the next time: an editor
// may have written a part of it only, which is a table too.
type File struct {
	path  string
	text  string // what the table was made of
	next  string // what the file held last
	table cluster.Table
}

// New returns a Resolver for the file at path.
func New(path string) *File { return &File{path: path} }

// Resolve reads the file. It looks at the content, whatever the time of the
// last change is.
func (f *File) Resolve(context.Context) (cluster.Table, error) {
	b, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	text, before := string(b), f.next
	f.next = text
	if f.table != nil && (text == f.text || text != before) {
		return f.table, nil
	}
	lua, err := luaconf.LoadTable(f.path, text)
	if err != nil {
		return nil, err
	}
	f.text, f.table = text, maps.Collect(lua.All())
	return f.table, nil
}
