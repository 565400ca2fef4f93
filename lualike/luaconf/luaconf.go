// Package luaconf evaluates configuration files written in Lua: the bootstrap
// config of a node and the cluster's node table.
//
// Skynet's config files are Lua programs run in an environment without a
// library. They are run here by gopher-lua, which is Lua 5.1, so a few things
// of Skynet's Lua 5.5 are missing. What gopher-lua would refuse obscurely or
// read wrongly is refused by name, with file and line: the operators // & | ~
// << >>, the attributes <const> and <close>, the escapes \x \u \z and unknown
// ones, hexadecimal floats, integers that float64 cannot hold, and a local or
// an assignment named _ENV.
//
// Two differences remain. There are no string methods: Skynet's
// ("x"):upper() is an error. And there is one kind of number: a whole value
// within ±2^53 is an integer, so 1.0, 1e3 and 4/2 give 1, 1000 and 2 where
// Skynet gives 1.0, 1000.0 and 2.0; and 5 % 0 is nan, not an error.
//
// Evaluation is bounded in time and in memory. Whatever can make memory grow is
// counted: strings and array slots before they are made, a table or a function
// as soon as it is. So the bound does not depend on what else the process does.
// There are bounds on shape too: 1 MiB of text a file, 1000 levels of nesting,
// 64 files deep, about 250 calls deep; 50,000 expressions in a file that has a
// local or a block at its top level (a flat file is compiled piece by piece);
// and {…, f()} after a multiple of 50 other values is refused.
//
// Nothing in this package is shared: the functions may be called from any
// goroutine at any time, and what they return is immutable.
package luaconf

import (
	"os"
	"path/filepath"
	"time"
)

const (
	defaultMaxTime  = 10 * time.Second
	defaultMaxBytes = 64 << 20
)

// Options changes how files are evaluated. The zero value means the defaults.
type Options struct {
	// Getenv looks up the variables that $NAME stands for; default os.LookupEnv.
	Getenv func(name string) (string, bool)
	// MaxTime bounds one evaluation, included files and all; default 10 s, so that a busy machine does not refuse a long file.
	MaxTime time.Duration
	// MaxBytes bounds what one evaluation may allocate in its whole course,
	// not only at one moment; default 64 MiB. A token of source counts as
	// 512 bytes, a table or a function as 4 KiB.
	MaxBytes int64
}

// LoadFile evaluates a bootstrap config with the default options.
func LoadFile(path string) (*Config, error) { return Options{}.LoadFile(path) }

// LoadString evaluates the text of a bootstrap config with the default options.
func LoadString(name, text string) (*Config, error) { return Options{}.LoadString(name, text) }

// LoadTableFile evaluates a cluster node table with the default options.
func LoadTableFile(path string) (*Table, error) { return Options{}.LoadTableFile(path) }

// LoadTable evaluates the text of a cluster node table with the default options.
func LoadTable(name, text string) (*Table, error) { return Options{}.LoadTable(name, text) }

// LoadFile evaluates a bootstrap config: $NAME is replaced in the text, the
// only global is include, and each global it leaves behind is one key.
// Errors are of type *Error.
func (o Options) LoadFile(path string) (*Config, error) {
	r := newRunner(o, true)
	defer r.close()
	text, err := readSource(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	return r.config(path, text)
}

// LoadString is LoadFile for a text at hand. The name stands in errors and
// positions, and its folder is where include starts from.
func (o Options) LoadString(name, text string) (*Config, error) {
	r := newRunner(o, true)
	defer r.close()
	return r.config(name, text)
}

// LoadTableFile evaluates a cluster node table: an empty environment, without
// include and without $NAME. Errors are of type *Error.
func (o Options) LoadTableFile(path string) (*Table, error) {
	r := newRunner(o, false)
	defer r.close()
	text, err := readSource(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	return r.table(path, text)
}

// LoadTable is LoadTableFile for a text at hand, as cluster.reload gets it.
func (o Options) LoadTable(name, text string) (*Table, error) {
	r := newRunner(o, false)
	defer r.close()
	return r.table(name, text)
}

func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = os.LookupEnv
	}
	if o.MaxTime <= 0 {
		o.MaxTime = defaultMaxTime
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	return o
}

// resolve gives the path of a file named by an include in dir.
func resolve(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}
