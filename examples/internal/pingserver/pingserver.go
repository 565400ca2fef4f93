// Package pingserver is a port of the snax service of that name in Skynet's
// tests.
package pingserver

import (
	"errors"
	"fmt"
	"time"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/snax"
)

// Interface names the methods in the order of the Lua file.
var Interface = snax.NewInterface("pingserver",
	"response.ping", "accept.sleep", "accept.hello", "accept.exit", "response.error")

// Definition returns the definition of the service.
func Definition() *service.Definition { return snax.Def(Interface, start) }

type pingserver struct {
	greetings int
	lock      service.Queue // sleep and hello share it
}

func start(c *service.Context, args ...any) (snax.Methods, error) {
	fmt.Println(append([]any{"ping server start:"}, args...)...)
	snax.EnableCluster(c)
	snax.OnExit(c, func(_ *service.Context, args ...any) error {
		fmt.Println(append([]any{"ping server exit:"}, args...)...)
		return nil
	})
	p := &pingserver{}
	return snax.Methods{
		"response.ping":  service.F1(p.ping),
		"accept.sleep":   service.P2(p.sleep),
		"accept.hello":   service.P0(p.hello),
		"accept.exit":    service.P0(func(c *service.Context) error { return snax.Exit(c) }),
		"response.error": service.P0(func(*service.Context) error { return errors.New("throw an error") }),
	}, nil
}

func (p *pingserver) ping(c *service.Context, text string) (string, error) {
	return text, c.Sleep(time.Second)
}

func (p *pingserver) sleep(c *service.Context, queued bool, centiseconds int) error {
	sleep := func() error {
		fmt.Println("queue=", queued, centiseconds)
		return c.Sleep(time.Duration(centiseconds) * 10 * time.Millisecond)
	}
	if queued {
		return p.lock.Do(c, sleep)
	}
	return sleep()
}

func (p *pingserver) hello(c *service.Context) error {
	return p.lock.Do(c, func() error {
		p.greetings++
		fmt.Println(p.greetings, "hello")
		return nil
	})
}
