// Package clusterd is the service that keeps a node's part in the cluster
// (service/clusterd.lua), one a node: the node table, the gates it listens
// with, a sender for each node spoken to, the names registered for others.
package clusterd

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// Definition returns the definition of the service. It is a unique service,
// started by the first use of package cluster.
func Definition() *service.Definition { return service.Def("clusterd", start) }

type clusterd struct {
	nodename string
	table    nodeTable
	links    links
	agents   agents
	names    names
	proxies  map[string]service.Handle
	gates    map[service.Handle]struct{} // those that listen, or are about to
	allow    []string                    // networks that may connect
}

func start(c *service.Context, _ ...any) error {
	d := &clusterd{
		nodename: wire.NodeName(),
		table:    nodeTable{path: c.Getenv("cluster"), addresses: make(map[string]address), settings: cluster.DefaultSettings()},
		agents:   agents{byFD: make(map[int64]*agent)},
		names:    names{byName: make(map[string]service.Handle), byHandle: make(map[service.Handle]string), askers: make(map[service.Handle]struct{})},
		proxies:  make(map[string]service.Handle),
		gates:    make(map[service.Handle]struct{}),
	}
	d.links.init()
	if err := d.reload(c, cluster.ReloadRequest{}); err != nil {
		return err
	}
	cluster.ReloadCmd.Handle(c, func(c *service.Context, r cluster.ReloadRequest) (any, error) { return nil, d.reload(c, r) })
	cluster.ListenCmd.Handle(c, d.listen)
	c.Handle(string(cluster.SenderCmd), service.P1(d.sender))
	c.Handle("senders", service.F0(d.senders))
	cluster.ProxyCmd.Handle(c, d.proxy)
	cluster.RegisterCmd.Handle(c, d.register)
	cluster.UnregisterCmd.Handle(c, d.unregister)
	cluster.QueryNameCmd.Handle(c, d.queryName)
	cluster.OptionsCmd.Handle(c, func(*service.Context, any) (cluster.Settings, error) { return d.table.settings, nil })
	c.Handle("socket", service.P3(d.socket))
	return nil
}

// listen opens a gate of its own for the address.
func (d *clusterd) listen(c *service.Context, l cluster.Listen) (string, error) {
	s := d.table.settings
	conf := gate.OpenConfig{Address: l.Addr, Port: &l.Port, Silence: s.Socket(nil).Silence, Cert: s.Cert, Key: s.Key, CA: s.CA}
	if l.Node != "" {
		a := d.table.lookup(l.Node)
		switch {
		case a.down:
			return "", fmt.Errorf("%w: %s is down", cluster.ErrNodeDown, l.Node)
		case !a.known():
			return "", fmt.Errorf("%w: %s is down: it is not in the node table (config key cluster)", cluster.ErrNodeDown, l.Node)
		}
		conf.Address, conf.Port = a.text, nil
	}
	if l.MaxClient > 0 {
		conf.MaxClient = &l.MaxClient
	}
	g, err := c.NewService("gate")
	if err != nil {
		return "", err
	}
	d.gates[g] = struct{}{}
	conf.Allow = d.allow // of now: a reload may have come meanwhile
	opened, err := c.Call(g, gate.CmdOpen, conf)
	if err != nil {
		delete(d.gates, g)
		_ = c.Kill(g)
		return "", err
	}
	host, err := opened.Str(0)
	if err != nil {
		return "", err
	}
	port, err := opened.Int(1)
	at := net.JoinHostPort(host, strconv.FormatInt(port, 10))
	if strings.HasPrefix(conf.Address, socket.TLSScheme) {
		at = socket.TLSScheme + at
	}
	return at, err
}

// senders gives the sender of each node that has one.
func (d *clusterd) senders(*service.Context) (*lualike.Table, error) {
	all := make(map[string]any, len(d.links.senders))
	for node, s := range d.links.senders {
		all[node] = s.handle
	}
	return lualike.Map(all), nil
}

// nodeAndName divides "node@name" and "node.name", where an address as the node
// has dots of its own.
var nodeAndName = regexp.MustCompile(`(?s)^((?:\[[^]@]+\]|[^@:]*):[0-9]+|[^@.]+)([@.].+)$`)

// proxy gives the one proxy of a remote service, started when first asked for.
func (d *clusterd) proxy(c *service.Context, r cluster.ProxyRequest) (service.Handle, error) {
	if r.Name == "" && r.Handle == 0 {
		parts := nodeAndName.FindStringSubmatch(r.Node)
		if parts == nil || isAddress(r.Node) {
			return 0, service.Errorf("Invalid name %s", r.Node)
		}
		r.Node, r.Name = parts[1], parts[2]
	}
	key := r.Node + "." + cluster.Request{Name: r.Name, Handle: r.Handle}.Address()
	var target any = r.Name
	if r.Name == "" {
		target = r.Handle
	}
	if p := d.proxies[key]; p != 0 {
		return p, nil
	}
	p, err := c.NewService("clusterproxy", r.Node, target)
	if err != nil {
		return 0, err
	}
	if other := d.proxies[key]; other != 0 { // started meanwhile for another caller
		return other, c.Kill(p)
	}
	d.proxies[key] = p
	return p, nil
}
