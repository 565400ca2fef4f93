// Package console is a service that takes commands from standard input: what
// an operator would type, and what the demo sends.
package console

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Status is what a node has of the cluster.
type Status struct {
	Node                              string
	Opened, Senders, Accepted, Agents int
}

const statusFormat = "STATUS %s opened=%d senders=%d accepted=%d agents=%d\n"

// Read reads the line that the command "status" prints.
func (s *Status) Read(line string) bool {
	n, _ := fmt.Sscanf(line+"\n", statusFormat, &s.Node, &s.Opened, &s.Senders, &s.Accepted, &s.Agents)
	return n == 5
}

// Definition returns the definition of the service; its argument is the name
// of the node. It prints "READY node" when it takes commands:
//
//	login NAME   let a player in
//	status       print what the node has of the cluster
//	quit         stop the node
func Definition() *service.Definition {
	return service.Def("console", func(c *service.Context, args ...any) error {
		return start(c, fmt.Sprint(args...), os.Stdin, os.Stdout)
	})
}

func start(c *service.Context, node string, in io.Reader, out io.Writer) error {
	c.Dispatch(service.PTypeText, func(c *service.Context, m service.Message) {
		line, _ := m.Data.(string)
		if err := run(c, node, strings.Fields(line), out); err != nil {
			_, _ = fmt.Fprintln(out, "ERROR", node, err)
		}
	})
	n, self := c.Node(), c.Self()
	go func() { // a read of standard input can not be ended, so nothing waits for it
		for lines := bufio.NewScanner(in); lines.Scan(); {
			if n.Send(self, service.Message{Type: service.PTypeText, Data: lines.Text()}) != nil {
				return
			}
		}
	}()
	_, err := fmt.Fprintln(out, "READY", node)
	return err
}

func run(c *service.Context, node string, words []string, out io.Writer) error {
	switch {
	case len(words) == 0:
		return nil
	case words[0] == "login" && len(words) == 2:
		h, err := c.QueryService("login")
		if err != nil {
			return err
		}
		if _, err := service.Call[int](c, h, "LOGIN", words[1]); err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, "DONE", node)
		return err
	case words[0] == "status":
		s, err := status(c, node)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, statusFormat, s.Node, s.Opened, s.Senders, s.Accepted, s.Agents)
		return err
	case words[0] == "quit":
		c.Abort()
		return nil
	}
	return fmt.Errorf("unknown command %s", strings.Join(words, " "))
}

// status counts the sockets of the node and the services that the launcher
// knows.
func status(c *service.Context, node string) (Status, error) {
	s := Status{Node: node}
	list, err := service.Call[*lualike.Table](c, ".launcher", "LIST")
	if err != nil {
		return s, err
	}
	for _, text := range list.All() {
		switch words := strings.Fields(fmt.Sprint(text)); words[1] {
		case "clustersender":
			s.Senders++
		case "clusteragent":
			s.Agents++
		}
	}
	for _, stat := range socket.Info(c.Node()) {
		owner := c.Node().Find(stat.Owner)
		switch {
		case owner == nil || stat.Type != "TCP":
		case owner.Name() == "clustersender":
			s.Opened++
		case owner.Name() == "gate":
			s.Accepted++
		}
	}
	return s, nil
}
