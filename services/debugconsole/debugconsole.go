// Package debugconsole is the service "debug_console": it shows an operator what
// happens in its node (service/debug_console.lua). On one port it speaks Skynet's
// console, lines of text as with telnet, and HTTP: the same commands, profiles,
// metrics, and the state of the node as JSON.
//
//	c.NewService("debug_console", 8000)            // on loopback
//	c.NewService("debug_console", "10.0.0.1", 8000)
//
// Whoever reaches the port has the node in his hands. Keep it on loopback.
package debugconsole

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skynetgo/skynet/service"
)

// Name is the name the service is launched by.
const Name = "debug_console"

// defaultHost is where a console listens that is given a port only.
const defaultHost = "127.0.0.1"

// patience is how long the greeting waits for a request of HTTP: a browser does
// not want to be greeted, and a person does not notice.
const patience = 300 * time.Millisecond

// Definition returns the definition of the service. Its arguments are an address,
// which may be left out, and a port; 0 is any free one.
func Definition() *service.Definition { return definition(patience) }

func definition(patience time.Duration) *service.Definition {
	return service.Def(Name, func(c *service.Context, args ...any) error { return start(c, patience, args) })
}

// console is the state of one service. Other goroutines see only what never
// changes.
type console struct {
	node     *service.Node
	self     service.Handle
	patience time.Duration
	commands map[string]command
	tail     *tail
	web      *http.Server
	listener net.Listener
	clients  map[*client]struct{}
}

func start(c *service.Context, patience time.Duration, args []any) error {
	addr, err := listenAddress(args)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr) // may look a name up, while nobody else waits for this service
	if err != nil {
		return err
	}
	s := &console{
		node: c.Node(), self: c.Self(), patience: patience, commands: commands(), tail: tailOf(c.Node()),
		listener: ln, clients: make(map[*client]struct{}),
	}
	s.web = s.server()
	c.AtServiceEnd(s.close)
	c.Logf("Start debug console at %s", ln.Addr())
	c.Fork(s.accept)
	return nil
}

// listenAddress reads "[ip,] port", where the port may be a text too.
func listenAddress(args []any) (string, error) {
	host := defaultHost
	switch len(args) {
	case 1:
	case 2:
		host = fmt.Sprint(args[0])
	default:
		return "", fmt.Errorf("debugconsole: want [address,] port, not %d arguments", len(args))
	}
	port := fmt.Sprint(args[len(args)-1])
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("debugconsole: %q is no port", port)
	}
	return net.JoinHostPort(host, port), nil
}

// close ends whatever the service has open, and thereby its coroutines.
func (s *console) close() {
	s.listener.Close()
	for k := range s.clients {
		k.Close()
	}
	_ = s.web.Close() // its connections are all that there is to close
}

func (s *console) accept(c *service.Context) {
	for {
		conn, err := service.Await(c, func(ctx context.Context) (net.Conn, error) {
			conn, err := s.listener.Accept()
			if err == nil && ctx.Err() != nil {
				conn.Close() // nobody waits for it any more
			}
			return conn, err
		})
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // too many files, most likely
			c.Error("debugconsole accept error:", err)
			if c.Sleep(time.Second) != nil {
				return
			}
			continue
		}
		k := newClient(conn, s.patience)
		s.clients[k] = struct{}{}
		c.Fork(func(c *service.Context) { s.serve(c, k) })
	}
}

// serve is one connection: lines until the peer leaves, or until one of them
// begins a request of HTTP.
func (s *console) serve(c *service.Context, k *client) {
	taken := false
	defer func() {
		delete(s.clients, k)
		if !taken {
			k.Close()
		}
	}()
	line, err := service.Await(c, func(context.Context) (string, error) { return k.first() })
	if k.greeted {
		c.Logf("%s connected", k.RemoteAddr())
		defer c.Logf("%s disconnect", k.RemoteAddr())
	}
	var answer []byte
	for err == nil {
		if isRequest(line) {
			taken = true
			k.handOver(s.web, line)
			return
		}
		if answer = nil; strings.TrimSpace(line) != "" {
			answer = s.execute(c, line)
		}
		line, err = service.Await(c, func(context.Context) (string, error) { return k.next(answer) })
	}
}
