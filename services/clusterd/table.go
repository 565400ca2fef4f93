package clusterd

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike/luaconf"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// nodeTable is name -> address, and the options.
type nodeTable struct {
	path      string // the configured file; "" for none
	addresses map[string]address
	settings  cluster.Settings
}

// address of a node: a text, or down when the table says false. The zero
// address is that of an unknown node.
type address struct {
	text string
	down bool
}

func (a address) known() bool { return a.down || a.text != "" }

// lookup returns the address of a node. A node that has no line in the table may
// be named by its address. One with a bad port is an address too: the dialler
// refuses it at once.
func (t *nodeTable) lookup(node string) address {
	a := t.addresses[node]
	if !a.known() && isAddress(node) {
		a.text = node
	}
	return a
}

func isAddress(node string) bool {
	_, port, err := net.SplitHostPort(strings.TrimPrefix(node, socket.TLSScheme))
	return err == nil && !strings.ContainsAny(port, "@.")
}

// setting is one line of a table that is being loaded.
type setting struct {
	name  string
	value any
	fail  func(format string, args ...any) error
	note  string // what the log says of it beside the value
}

// reload takes a table in whole, or not at all when a line of it is wrong. It
// changes what is there and starts what follows from that, without waiting for
// any connection.
func (d *clusterd) reload(c *service.Context, r cluster.ReloadRequest) error {
	settings, err := d.table.load(r)
	if err != nil {
		return err
	}
	addresses := make(map[string]address, len(settings))
	options := d.table.settings
	for i, s := range settings {
		if option, ok := strings.CutPrefix(s.name, "__"); ok {
			known, err := options.Set(option, s.value)
			if err != nil {
				return s.fail("%v", err)
			}
			if !known {
				settings[i].note = ", which is no option here"
			}
			continue
		}
		if addresses[s.name], err = s.address(); err != nil {
			return err
		}
	}
	if err := d.table.check(options); err != nil {
		return err
	}
	if options != d.table.settings {
		if err := d.configure(c, options); err != nil {
			return err
		}
	}
	var moved []string
	for _, s := range settings {
		if option, ok := strings.CutPrefix(s.name, "__"); ok {
			c.Logf("Config %s = %v%s", option, s.value, s.note)
			continue
		}
		a := addresses[s.name]
		if d.table.addresses[s.name] != a {
			d.table.addresses[s.name] = a
			d.moved(c, s.name, a)
			if sender := d.links.senders[s.name]; sender != nil {
				delete(d.links.ready, s.name)
				moved = append(moved, s.name)
				// Whoever has asked for the reload may use the node at once.
				_ = cluster.ChangeNodeCmd.Send(c, sender.handle, cluster.NodeChange{Addr: a.text, Settings: options})
				sender.closed = a.down
			}
		}
		d.links.named(c, s.name, s.value)
	}
	if d.table.settings.NoWaiting {
		d.links.wakeAll(c)
	}
	for _, node := range moved {
		c.Fork(func(c *service.Context) {
			if _, err := d.connect(c, node); err != nil {
				c.Error(err)
			}
		})
	}
	return nil
}

// moved tells the link of a node of its new address.
func (d *clusterd) moved(c *service.Context, node string, a address) {
	delete(d.links.absent, node)
	link := cluster.LinkTo(c.Node(), node)
	if a.down {
		link.Happened(cluster.LinkRemoved, "", nil, 0)
		return
	}
	change, _ := link.Happened(cluster.LinkMoved, a.text, nil, 0)
	if change.From != cluster.LinkUnknown {
		c.Logf("Cluster node [%s] moved : %s", node, a.text)
	}
}

// configure passes changed options on to the senders, and to the gates whom they
// let in. Agents keep those that they were started with.
func (d *clusterd) configure(c *service.Context, options cluster.Settings) error {
	networks, err := cluster.ParseNetworks(options.Allow)
	if err != nil {
		return err
	}
	d.allow = nil
	for _, p := range networks {
		d.allow = append(d.allow, p.String())
	}
	for g := range d.gates {
		_ = c.Send(g, gate.CmdAllow, d.allow)
	}
	d.table.settings = options
	cluster.Limit(c.Node(), options)
	if !options.NoWaiting {
		d.links.readmit(c)
	}
	for _, s := range d.links.senders {
		_ = cluster.SettingsCmd.Send(c, s.handle, options)
	}
	return nil
}

func (s setting) address() (address, error) {
	switch v := s.value.(type) {
	case bool:
		if !v {
			return address{down: true}, nil
		}
	case string:
		if _, port, err := net.SplitHostPort(strings.TrimPrefix(v, socket.TLSScheme)); err != nil || port == "" {
			return address{}, s.fail("is not host:port: %q", v)
		}
		return address{text: v}, nil
	}
	return address{}, s.fail("is neither false nor a string: %v", s.value)
}

// check reads the certificates that options name, unless those in force name
// the same: broken ones do no harm to them.
func (t *nodeTable) check(options cluster.Settings) error {
	old, fresh := t.settings, options
	if fresh.Cert+fresh.Key+fresh.CA == "" || fresh.Cert == old.Cert && fresh.Key == old.Key && fresh.CA == old.CA {
		return nil
	}
	if _, err := fresh.Socket(nil).TLS(); err != nil {
		return fmt.Errorf("node table: %w", err)
	}
	return nil
}

// load reads the lines of a table, in its order.
func (t *nodeTable) load(r cluster.ReloadRequest) ([]setting, error) {
	var lua *luaconf.Table
	var err error
	switch r.Kind {
	case "table":
		return fromMap(r.Table), nil
	case "text":
		lua, err = luaconf.LoadTable("node table", r.Text)
	case "file":
		lua, err = luaconf.LoadTableFile(r.Text)
	case "":
		if t.path == "" {
			return nil, nil
		}
		lua, err = luaconf.LoadTableFile(t.path)
	default:
		return nil, fmt.Errorf("reload: unknown kind of node table %q", r.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("node table: %w", err)
	}
	var out []setting
	for name, value := range lua.All() {
		out = append(out, setting{name: name, value: value, fail: func(format string, args ...any) error {
			return fmt.Errorf("node table: %w", lua.Errorf(name, format, args...))
		}})
	}
	return out, nil
}

func fromMap(m map[string]any) []setting {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	out := make([]setting, len(names))
	for i, name := range names {
		out[i] = setting{name: name, value: m[name], fail: func(format string, args ...any) error {
			return fmt.Errorf("node table: %s "+format, append([]any{name}, args...)...)
		}}
	}
	return out
}
