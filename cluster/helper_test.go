package cluster_test

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// sdb is the service that the tests call.
func sdb() *service.Definition {
	return service.Def("sdb", func(c *service.Context, _ ...any) error {
		var notes []any
		var held []*service.Response
		c.Handle("echo", service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) { return args, nil }))
		c.Handle("note", service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
			notes = append(notes, args...)
			return lualike.Args{len(notes)}, nil
		}))
		c.Handle("notes", service.Raw(func(*service.Context, lualike.Args) (lualike.Args, error) { return notes, nil }))
		c.Handle("takenotes", service.Raw(func(*service.Context, lualike.Args) (lualike.Args, error) {
			all := notes
			notes = nil
			return all, nil
		}))
		c.Handle("fail", service.P1(func(_ *service.Context, text string) error { return errors.New(text) }))
		c.Handle("failtext", service.P1(func(_ *service.Context, text string) error { return service.Errorf("%s", text) }))
		c.Handle("number", service.F1(func(_ *service.Context, n int) (int, error) { return n, nil }))
		c.Handle("hold", service.P0(func(c *service.Context) error { held = append(held, c.Response()); return nil }))
		c.Handle("held", service.F0(func(*service.Context) (int, error) { return len(held), nil }))
		c.Handle("release", service.P0(func(*service.Context) error {
			for _, r := range held {
				_, _ = r.Ret("released")
			}
			held = nil
			return nil
		}))
		c.Handle("refuse", service.P0(func(c *service.Context) error { _, err := c.Response().Fail(errors.New("refused")); return err }))
		c.Handle("digest", service.Raw(func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
			text, err := args.Str(0)
			return digest(text), err
		}))
		c.Handle("quit", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
		return nil
	})
}

// digest is the length of a text, and its SHA-1.
func digest(text string) lualike.Args {
	return lualike.Args{len(text), fmt.Sprintf("%x", sha1.Sum([]byte(text)))}
}

// server starts a node that listens and has an sdb registered as "sdb" and
// named ".sdb"; it returns where it listens.
func server(t testing.TB, options ...nodetest.Option) (*nodetest.Node, string, service.Handle) {
	t.Helper()
	n := nodetest.Start(t, append(options, nodetest.Services(sdb()))...)
	addr, h := serve(n, 0)
	return n, addr, h
}

func serve(n *nodetest.Node, where any) (addr string, h service.Handle) {
	n.Run(func(c *service.Context) (err error) {
		if h, err = c.NewService("sdb"); err != nil {
			return err
		}
		if err = c.Name(".sdb", h); err != nil {
			return err
		}
		if err = cluster.Register(c, "sdb", h); err != nil {
			return err
		}
		addr, err = cluster.Open(c, where)
		return err
	})
	return addr, h
}

// client starts a node whose table names the nodes at the addresses.
func client(t *testing.T, table cluster.Table, options ...nodetest.Option) *nodetest.Node {
	t.Helper()
	n := nodetest.Start(t, options...)
	if table != nil {
		n.Run(func(c *service.Context) error { return cluster.Reload(c, table) })
	}
	return n
}

// count counts the services of a name on a node.
func count(n *nodetest.Node, name string) int {
	total := 0
	for _, s := range n.Services() {
		if s.Name() == name {
			total++
		}
	}
	return total
}

// want compares the text of two values.
func want(what string, got, want any) error {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}
