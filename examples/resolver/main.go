// Command resolver keeps the node table of a node as an HTTP endpoint says, as
// etcd, Consul or a service of one's own would: see endpoint.go, which is all
// that such a source needs. For files and DNS there are nodefile.New and
// cluster.DNS.
//
//	go run ./examples/resolver
//
// It starts everything itself: two nodes that are called, the endpoint, and the
// node that follows it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

const every = 50 * time.Millisecond // a second or more in earnest

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "resolver:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx := context.Background()
	one, addr1, err := startDB(ctx, "one")
	if err != nil {
		return err
	}
	defer func() { _ = one.Shutdown(ctx) }()
	two, addr2, err := startDB(ctx, "two")
	if err != nil {
		return err
	}
	defer func() { _ = two.Shutdown(ctx) }()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	reg := new(registry)
	srv := &http.Server{Handler: reg, ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(l) }()
	defer func() { _ = srv.Close() }()

	cfg, err := bootstrap.Parse("resolver", `start = "main"`)
	if err != nil {
		return err
	}
	return bootstrap.Run(ctx, cfg, service.Def("main", func(c *service.Context, _ ...any) error {
		defer c.Abort() // stops the node when all has been shown
		reg.text.Store(fmt.Sprintf(`{"db": %q, "__nowaiting": true}`, addr1))
		stop, err := cluster.Resolve(c, endpoint("http://"+l.Addr().String()), every)
		if err != nil {
			return err
		}
		defer stop()
		for _, step := range []struct{ what, text, answer string }{
			{"db is node one", fmt.Sprintf(`{"db": %q}`, addr1), "one"},
			{"db is node two", fmt.Sprintf(`{"db": %q}`, addr2), "two"},
			{"nothing, it fails", "", "two"},
			{"there is no db", "{}", "node is down"},
			{"db is node one", fmt.Sprintf(`{"db": %q}`, addr1), "one"},
		} {
			if err := show(c, reg, step.what, step.text, step.answer); err != nil {
				return err
			}
		}
		return nil
	}))
}

// show changes the endpoint and waits until calls are answered accordingly.
func show(c *service.Context, reg *registry, what, text, want string) error {
	before := reg.asked.Load()
	reg.text.Store(text)
	answer := ""
	for end := c.Now() + 10*time.Second; reg.asked.Load() < before+2 || answer != want; {
		if c.Now() > end {
			return fmt.Errorf("%s, but the answer is %s", what, answer)
		}
		if err := c.Sleep(every); err != nil {
			return err
		}
		name, err := cluster.CallAs[string](c, "db", "@db", "NAME")
		if answer = name; errors.Is(err, cluster.ErrNodeDown) {
			answer = "node is down"
		}
	}
	fmt.Printf("the endpoint says: %-20s a call of db: %s\n", what, answer)
	return nil
}

// startDB starts a node whose service "@db" says its name, and returns where it
// listens.
func startDB(ctx context.Context, name string) (n *service.Node, addr string, err error) {
	cfg, err := bootstrap.Parse(name, `start = "db"`)
	if err != nil {
		return nil, "", err
	}
	cfg.LogFile = os.DevNull
	n, err = bootstrap.Start(ctx, cfg, service.Def("db", func(c *service.Context, _ ...any) (err error) {
		c.Handle("NAME", service.F0(func(*service.Context) (string, error) { return name, nil }))
		if err = cluster.Register(c, "db", 0); err == nil {
			addr, err = cluster.Open(c, 0)
		}
		return err
	}))
	return n, addr, err
}
