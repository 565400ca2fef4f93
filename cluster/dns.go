package cluster

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
)

// DNS is a Resolver that asks the domain name system. A node keeps its address
// as long as that is among the answers, else it gets the first of them.
type DNS struct {
	// Names says where each node is: "host:port", whose A and AAAA records are
	// looked up, or the full name of an SRV record, "_db._tcp.example.org". Of
	// the SRV records those of the best priority count whose target is found.
	Names map[string]string
	// Lookup answers; nil is net.DefaultResolver.
	Lookup Lookup

	last Table // the addresses given so far
}

// Lookup is what DNS asks, such as a *net.Resolver.
type Lookup interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Resolve looks all names up at once. Those that fail are missing in the table,
// and in the error.
func (d *DNS) Resolve(ctx context.Context) (Table, error) {
	nodes := slices.Sorted(maps.Keys(d.Names))
	found, errs := make([][]string, len(nodes)), make([]error, len(nodes))
	var all sync.WaitGroup
	for i, node := range nodes {
		all.Go(func() { found[i], errs[i] = d.find(ctx, d.Names[node]) })
	}
	all.Wait()
	table := Table{}
	var failed error
	for i, node := range nodes {
		last, _ := d.last[node].(string)
		switch {
		case errs[i] == nil && slices.Contains(found[i], last):
			table[node] = last
		case errs[i] == nil:
			table[node] = found[i][0]
		case failed == nil:
			failed = fmt.Errorf("node %s: %w", node, errs[i])
		default:
			failed = fmt.Errorf("%w; node %s: %w", failed, node, errs[i])
		}
	}
	if d.last == nil {
		d.last = Table{}
	}
	maps.Copy(d.last, table)
	return table, failed
}

// find returns the addresses that a name stands for, at least one.
func (d *DNS) find(ctx context.Context, name string) ([]string, error) {
	lookup := d.Lookup
	if lookup == nil {
		lookup = net.DefaultResolver
	}
	if host, port, err := net.SplitHostPort(name); err == nil {
		return hosts(ctx, lookup, host, port)
	}
	_, records, err := lookup.LookupSRV(ctx, "", "", name)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("lookup %s: no SRV record", name)
	var found []string
	for i, r := range records {
		if len(found) > 0 && r.Priority != records[i-1].Priority {
			break
		}
		addrs, failed := hosts(ctx, lookup, strings.TrimSuffix(r.Target, "."), fmt.Sprint(r.Port))
		if failed != nil {
			err = failed
		}
		found = append(found, addrs...)
	}
	if len(found) == 0 {
		return nil, err
	}
	return found, nil
}

func hosts(ctx context.Context, lookup Lookup, host, port string) ([]string, error) {
	ips, err := lookup.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("lookup %s: no address", host)
	}
	addrs := make([]string, len(ips))
	for i, ip := range ips {
		addrs[i] = net.JoinHostPort(ip, port)
	}
	return addrs, nil
}
