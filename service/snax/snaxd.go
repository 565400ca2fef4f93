package snax

import (
	"fmt"
	"strings"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// Methods are what the methods of an Interface do, by the same texts:
// "response.NAME" and "accept.NAME". An accept method gives no answer, so its
// handler is best a service.P0 to P4.
type Methods map[string]service.Handler

// Init sets a snax service up (the function init of the Lua file) and returns
// all of its methods. It may block; none of them is called before it has
// returned. An error ends the service and is what who starts it gets.
type Init func(c *service.Context, args ...any) (Methods, error)

// Def defines a snax service. Launched from elsewhere its name is "snaxd NAME".
func Def(i *Interface, init Init, options ...service.Option) *service.Definition {
	start := func(c *service.Context, args ...any) error {
		s := serverOf(c)
		if err := c.RegisterProtocol(service.Protocol{
			Name: "snax", Type: service.PTypeSnax, Dispatch: service.HandleFirst(s.method),
		}); err != nil {
			return err
		}
		methods, err := init(c, args...)
		if err != nil {
			return err
		}
		return s.use(i, methods)
	}
	return service.Def(definitionName(i.name), start, options...)
}

// EnableCluster lets other nodes call the methods of this snax service
// (snax.enablecluster). It is for Init.
func EnableCluster(c *service.Context) {
	c.Dispatch(service.PTypeLua, service.HandleFirst(serverOf(c).method))
}

// OnExit sets what Kill and Exit have this snax service do before it ends (the
// function exit of the Lua file), with the arguments they are given. When f
// returns an error the service goes on. It is for Init.
func OnExit(c *service.Context, f func(c *service.Context, args ...any) error) { serverOf(c).exit = f }

// Exit ends this snax service after the function of OnExit (snax.exit).
func Exit(c *service.Context, args ...any) error {
	if err := serverOf(c).exit(c, args...); err != nil {
		return err
	}
	c.Exit()
	return nil
}

// server is a snax service as it sees itself.
type server struct {
	iface    *Interface // nil until init has returned
	handlers []service.Handler
	exit     func(c *service.Context, args ...any) error
}

type serverKey struct{}

func serverOf(c *service.Context) *server {
	return service.Local(c, serverKey{}, func() *server {
		return &server{exit: func(*service.Context, ...any) error { return nil }}
	})
}

// use takes the methods that init has made.
func (s *server) use(i *Interface, methods Methods) error {
	for _, name := range i.methods {
		h, ok := methods[name]
		if !ok {
			return fmt.Errorf("snax: %s has no %s", i.name, name)
		}
		s.handlers = append(s.handlers, h)
	}
	for name := range methods {
		if i.numbers[name] == 0 {
			return fmt.Errorf("snax: the interface of %s has no %s", i.name, name)
		}
	}
	s.iface = i
	return nil
}

// method chooses the handler of a message.
func (s *server) method(c *service.Context, first any) (service.Handler, error) {
	number, _ := lualike.As[int64](first) // 0 for what is no integer
	switch {
	case number == systemHotfix, number == systemProfile:
		return service.Handler{}, service.Errorf("hotfix and profile are not in Go")
	case s.iface == nil:
		return service.Handler{}, fmt.Errorf("%w: Init first", service.ErrMisuse)
	case number == systemInit:
		return service.Handler{}, fmt.Errorf("%w: Already init", service.ErrMisuse)
	case number == systemExit:
		return service.Values(s.leave), nil
	case number < firstMethod || number >= firstMethod+int64(len(s.handlers)):
		return service.Handler{}, fmt.Errorf("%w: snax %s, method %v", service.ErrUnknownCommand, s.iface.name, first)
	}
	name := s.iface.methods[number-firstMethod]
	if c.Message().Session != 0 && strings.HasPrefix(name, accept) {
		return service.Handler{}, fmt.Errorf("%w: %s of snax %s gives no answer", service.ErrMisuse, name, s.iface.name)
	}
	return s.handlers[number-firstMethod], nil
}

// leave answers before the service ends.
func (s *server) leave(c *service.Context, args []any) ([]any, error) {
	if err := s.exit(c, args...); err != nil {
		return nil, err
	}
	_, _ = c.Ret() // nobody may wait for it
	c.Exit()
	return nil, nil
}
