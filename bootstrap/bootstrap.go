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
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services"
	"github.com/skynetgo/skynet/services/launcher"
)

// stopTimeout is how much longer than Config.Node.StopTimeout an ordered stop may
// take before what is left is abandoned.
const stopTimeout = 10 * time.Second

// Start makes a node of cfg that knows the built-in services and defs, and
// blocks until the start service's start function has returned. When anything
// fails, or ctx ends, nothing of the node is left running. The caller ends the
// node with Shutdown.
func Start(ctx context.Context, cfg *Config, defs ...*service.Definition) (*actor.Node, error) {
	n, err := newNode(cfg)
	if err != nil {
		return nil, err
	}
	if err := start(ctx, n, cfg, defs); err != nil {
		return nil, both(err, stop(n))
	}
	return n, nil
}

func newNode(cfg *Config) (*actor.Node, error) {
	if cfg.Threads > 0 {
		runtime.GOMAXPROCS(cfg.Threads)
	}
	n, err := actor.NewNode(cfg.Node)
	if err == nil && cfg.HeapFloor > 0 {
		// Memory that is never touched takes none of the system's.
		n.Attach(heapFloor{}, func() any { return make([]byte, cfg.HeapFloor<<20) })
	}
	return n, err
}

// heapFloor is the key of what a node holds only to make the heap count for
// more.
type heapFloor struct{}

func start(ctx context.Context, n *actor.Node, cfg *Config, defs []*service.Definition) error {
	b := &boot{cfg: cfg, defs: defs}
	service.Install(n, services.All()...)
	service.Install(n, service.Def("bootstrap", b.start))
	service.Install(n, defs...)
	for key, value := range cfg.Env {
		if err := n.Setenv(key, value); err != nil {
			return err
		}
	}
	name, args := words(cfg.LogService)
	if cfg.LogFile != "" {
		args = append(args, cfg.LogFile)
	}
	if _, err := service.Start(ctx, n, name, args...); err != nil {
		key := keyLogger
		if cfg.LogFile == "" || errors.Is(err, service.ErrNoDefinition) {
			key = keyLogService
		}
		return cfg.errorf(key, "Can't launch logger service: %w", err)
	}
	name, args = words(cfg.Bootstrap)
	if _, err := service.Start(ctx, n, name, args...); err != nil {
		return cfg.errorf(keyBootstrap, "Bootstrap error : %w", err)
	}
	return b.err
}

func stop(n *actor.Node) error {
	drain := min(n.Config().StopTimeout, math.MaxInt64-stopTimeout)
	ctx, cancel := context.WithTimeout(context.Background(), drain+stopTimeout)
	defer cancel()
	if err := n.Shutdown(ctx); err != nil {
		return err
	}
	return socket.Wait(ctx, n) // what services have written last goes out
}

// both is one error, in one line, for what went wrong and what then went wrong
// at the stop.
func both(err, stopErr error) error {
	switch {
	case err == nil:
		return stopErr
	case stopErr == nil:
		return err
	}
	return fmt.Errorf("%w; %w", err, stopErr)
}

// boot is the bootstrap service (service/bootstrap.lua).
type boot struct {
	cfg  *Config
	defs []*service.Definition
	// err is why the start failed. It is not the service's own error, which the
	// log would show a second time. It is written before the start function ends
	// and read afterwards.
	err error
}

func (b *boot) start(c *service.Context, _ ...any) error {
	if b.err = b.launch(c); b.err != nil {
		c.Exit()
	}
	c.Fork((*service.Context).Exit) // once whoever started the node knows that it is up
	return nil
}

func (b *boot) launch(c *service.Context) error {
	name, args := words(b.cfg.Start)
	given, builtin := names(b.defs), names(services.All())
	if !slices.Contains(given, name) && !slices.Contains(builtin, name) {
		return b.cfg.errorf(keyStart, "%w: %s; the program defines: %s", service.ErrNoDefinition, name, strings.Join(given, ", "))
	}
	h, err := c.Launch("launcher")
	if err != nil {
		return err
	}
	if err := c.Name(launcher.Name, h); err != nil {
		return err
	}
	c = c.WithTimeout(service.Forever) // the start as a whole ends with its ctx
	if _, err := c.NewService("service_mgr"); err != nil {
		return err
	}
	if _, ok := b.cfg.Env[keyCluster]; ok {
		if _, err := c.UniqueService("clusterd"); err != nil {
			return b.cfg.errorf(keyCluster, "%w", err)
		}
	}
	if _, err := c.NewService(name, args...); err != nil {
		return b.cfg.errorf(keyStart, "%w", err)
	}
	return nil
}

func names(defs []*service.Definition) []string {
	var list []string
	for _, d := range defs {
		list = append(list, d.Name())
	}
	slices.Sort(list)
	return list
}

// words splits "name arg arg" as Skynet does.
func words(text string) (name string, args []any) {
	for i, w := range strings.Fields(text) {
		if i == 0 {
			name = w
		} else {
			args = append(args, w)
		}
	}
	return name, args
}
