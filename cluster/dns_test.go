package cluster_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/cluster"
)

// records answers as a name server would: "host" -> addresses, "_srv" -> "priority
// target:port" lines.
type records map[string][]string

func (r records) LookupHost(_ context.Context, host string) ([]string, error) {
	if found := r[host]; found != nil {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (r records) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if service != "" || proto != "" {
		return "", nil, fmt.Errorf("the name is %s whole", name)
	}
	var out []*net.SRV
	for _, line := range r[name] {
		s := new(net.SRV)
		target := strings.NewReplacer(":", " ").Replace(line)
		if _, err := fmt.Sscan(target, &s.Priority, &s.Target, &s.Port); err != nil {
			return "", nil, err
		}
		out = append(out, s)
	}
	return name, out, nil
}

func TestDNS(t *testing.T) {
	const srv = "_db._tcp.example.org"
	answers := records{}
	d := &cluster.DNS{Lookup: answers}
	for _, step := range []struct {
		what  string
		where string
		set   records
		want  string
		err   string
	}{
		{"the first of several", "a.org:1", records{"a.org": {"10.0.0.1", "10.0.0.2"}}, "10.0.0.1:1", ""},
		{"the same in another order", "a.org:1", records{"a.org": {"10.0.0.2", "10.0.0.1"}}, "10.0.0.1:1", ""},
		{"failing", "a.org:1", records{"a.org": nil}, "", "lookup a.org: no such host"},
		{"back, the one from before", "a.org:1", records{"a.org": {"10.0.0.2", "10.0.0.1"}}, "10.0.0.1:1", ""},
		{"moved", "a.org:1", records{"a.org": {"10.0.0.3", "10.0.0.2"}}, "10.0.0.3:1", ""},
		{"IPv6", "a.org:1", records{"a.org": {"2001:db8::1"}}, "[2001:db8::1]:1", ""},
		{"no address and no error", "a.org:1", records{"a.org": {}}, "", "lookup a.org: no address"},
		{"SRV", srv, records{"a.org": {"10.0.0.1"}, srv: {"1 a.org.:7"}}, "10.0.0.1:7", ""},
		{"another port", srv, records{srv: {"1 a.org.:8"}}, "10.0.0.1:8", ""},
		{"another target before it", srv, records{"b.org": {"10.0.0.2"}, srv: {"1 b.org.:8", "1 a.org.:8"}}, "10.0.0.1:8", ""},
		{"it has another priority now", srv, records{srv: {"1 b.org.:8", "2 a.org.:8"}}, "10.0.0.2:8", ""},
		{"the best is not found", srv, records{"b.org": nil}, "10.0.0.1:8", ""},
		{"none is found", srv, records{"a.org": nil}, "", "lookup a.org: no such host"},
		{"no record", srv, records{srv: nil}, "", "lookup " + srv + ": no SRV record"},
	} {
		for name, found := range step.set {
			answers[name] = found
		}
		d.Names = map[string]string{"db": step.where}
		table, err := d.Resolve(t.Context())
		if got := fmt.Sprint(table["db"]); got != step.want && (step.want != "" || len(table) != 0) {
			t.Errorf("%s: got %s, want %q", step.what, got, step.want)
		}
		switch {
		case step.err == "" && err != nil, step.err != "" && (err == nil || err.Error() != "node db: "+step.err):
			t.Errorf("%s: got error %v, want %q", step.what, err, step.err)
		}
	}
}

// A name that fails, or is slow, does not keep the others from being found.
func TestDNSNamesAreIndependent(t *testing.T) {
	d := &cluster.DNS{
		Lookup: records{"b.org": {"10.0.0.1"}},
		Names:  map[string]string{"a": "a.org:1", "b": "b.org:1", "c": "c.org:1"},
	}
	table, err := d.Resolve(t.Context())
	if fmt.Sprint(table) != "map[b:10.0.0.1:1]" {
		t.Errorf("got %v", table)
	}
	if err == nil || err.Error() != "node a: lookup a.org: no such host; node c: lookup c.org: no such host" {
		t.Errorf("got error %v", err)
	}
}

// What the standard library's resolver answers without a network.
func TestDNSAsksTheSystem(t *testing.T) {
	d := &cluster.DNS{Names: map[string]string{"db": "127.0.0.1:2528"}}
	table, err := d.Resolve(t.Context())
	if fmt.Sprint(table) != "map[db:127.0.0.1:2528]" || err != nil {
		t.Errorf("got %v, %v", table, err)
	}
}
