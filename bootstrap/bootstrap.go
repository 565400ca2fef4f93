// Package bootstrap makes a running node of a config file (skynet_main.c,
// skynet_start.c, service/bootstrap.lua): it loads the file, starts the logger,
// the launcher, the service manager and the start service in Skynet's order,
// and stops them in the reverse one.
//
//	func main() { bootstrap.Main(service.Def("main", Main)) } // ./prog path/to/config
package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services"
	"github.com/skynetgo/skynet/services/launcher"
)

// Start makes a node of cfg that knows the built-in services and defs, and
// blocks until the start service's start function has returned. When anything
// fails, or ctx ends, nothing of the node is left running. The caller ends the
// node with Shutdown.
func Start(ctx context.Context, cfg *Config, defs ...*service.Definition) (*actor.Node, error) {
	if cfg.Threads > 0 {
		runtime.GOMAXPROCS(cfg.Threads)
	}
	n, err := actor.NewNode(cfg.Node)
	if err != nil {
		return nil, err
	}
	if err := start(ctx, n, cfg, defs); err != nil {
		return nil, errors.Join(err, n.Shutdown(context.WithoutCancel(ctx)))
	}
	return n, nil
}

func start(ctx context.Context, n *actor.Node, cfg *Config, defs []*service.Definition) error {
	service.Install(n, services.All()...)
	service.Install(n, service.Def("bootstrap", cfg.boot))
	service.Install(n, defs...)
	for key, value := range cfg.Env {
		if err := n.Setenv(key, value); err != nil {
			return err
		}
	}
	var file []any
	if cfg.LogFile != "" {
		file = []any{cfg.LogFile}
	}
	if _, err := service.Start(ctx, n, cfg.LogService, file...); err != nil {
		return cfg.wrap(keyLogger, "Can't launch logger service", err)
	}
	name, args := words(cfg.Bootstrap)
	if _, err := service.Start(ctx, n, name, args...); err != nil {
		return cfg.wrap(keyBootstrap, "Bootstrap error", err)
	}
	return nil
}

// boot is the start function of the bootstrap service (service/bootstrap.lua).
func (cfg *Config) boot(c *service.Context, _ ...any) error {
	h, err := c.Launch("launcher")
	if err != nil {
		return err
	}
	if err := c.Name(launcher.Name, h); err != nil {
		return err
	}
	if _, err := c.NewService("service_mgr"); err != nil {
		return err
	}
	if _, ok := cfg.Env[keyCluster]; ok {
		if _, err := c.UniqueService("clusterd"); err != nil {
			return err
		}
	}
	name, args := words(cfg.Start)
	if _, err := c.WithTimeout(service.Forever).NewService(name, args...); err != nil {
		if errors.Is(err, service.ErrNoDefinition) {
			return cfg.wrap(keyStart, "", err)
		}
		return err
	}
	c.Fork((*service.Context).Exit)
	return nil
}

// wrap names the key of the file that an error comes from, when it has one.
func (cfg *Config) wrap(key, what string, err error) error {
	if what != "" {
		err = fmt.Errorf("%s: %w", what, err)
	}
	if _, ok := cfg.Env[key]; ok && cfg.where != nil {
		return fmt.Errorf("%w: %w", cfg.where(key, "%s", cfg.Env[key]), err)
	}
	return err
}

// words splits "name arg arg" as Skynet does.
func words(text string) (string, []any) {
	list := strings.Fields(text)
	args := make([]any, len(list)-1)
	for i, w := range list[1:] {
		args[i] = w
	}
	return list[0], args
}
