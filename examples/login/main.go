// Command login is a server that players log in to, and one of them: see
// server.go for the one and play, below, for the other.
//
//	go run ./examples/login
//
// It has two nodes, in one process for this once: players log in at one and are
// sent on to the other. A player that loses the connection finds everything as it
// was.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/login"
)

// worldAddr is where the second node listens for the first, which is a name of it
// in the cluster, too.
const worldAddr = "127.0.0.1:10043"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "login:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	open := service.Def("main", func(c *service.Context, _ ...any) error {
		if _, err := cluster.Open(c, worldAddr); err != nil {
			return err
		}
		_, err := c.NewService(login.Name)
		return err
	})
	for _, node := range []struct {
		start string
		defs  []*service.Definition
	}{
		{"main", []*service.Definition{open, world, agent}},
		{login.Name, []*service.Definition{door}},
	} {
		cfg, err := bootstrap.Parse("login", fmt.Sprintf("start = %q", node.start))
		if err != nil {
			return err
		}
		cfg.LogFile = os.DevNull
		n, err := bootstrap.Start(ctx, cfg, node.defs...)
		if err != nil {
			return err
		}
		defer func() { _ = n.Shutdown(ctx) }()
	}
	return play(ctx, "127.0.0.1:10041")
}

func play(ctx context.Context, addr string) error {
	_, err := login.Dial(ctx, addr, []byte("alice password"))
	fmt.Println(err)
	cl, err := login.Dial(ctx, addr, []byte("alice secret"))
	if err != nil {
		return err
	}
	defer func() { _ = cl.Close() }()
	for _, word := range []string{"one", "two"} {
		if err := say(cl, word); err != nil {
			return err
		}
	}
	if _, err := cl.Resume(ctx); err != nil {
		return err
	}
	if err := hear(cl); err != nil {
		return err
	}
	if err := say(cl, "three"); err != nil {
		return err
	}

	// Alice sits down elsewhere.
	other, err := login.Dial(ctx, addr, []byte("alice secret"))
	if err != nil {
		return err
	}
	defer func() { _ = other.Close() }()
	_, err = cl.Receive()
	fmt.Println(err)
	return say(other, "one")
}

// say sends a packet and prints the answer.
func say(cl *login.Client, packet string) error {
	if err := cl.Send([]byte(packet)); err != nil {
		return err
	}
	return hear(cl)
}

func hear(cl *login.Client) error {
	packet, err := cl.Receive()
	if err == nil {
		fmt.Printf("%s\n", packet)
	}
	return err
}
