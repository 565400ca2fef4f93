package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/logger"
)

// shutdownTimeout is how long an ordered stop may take before what is left is
// abandoned.
const shutdownTimeout = 10 * time.Second

// ErrForced: a second signal ended an ordered stop.
var ErrForced = errors.New("bootstrap: stop forced by a second signal")

// Main runs a node from the config file that is the program's one argument,
// until SIGINT, SIGTERM or skynet.abort, and exits the process: 0 after an
// ordered stop, 1 after an error, which it prints in one line. A second signal
// forces the end. SIGHUP makes the logger reopen its file.
func Main(defs ...*service.Definition) {
	os.Exit(run(os.Args, os.Stderr, defs))
}

func run(args []string, stderr io.Writer, defs []*service.Definition) int {
	if len(args) < 2 {
		_, _ = fmt.Fprintf(stderr, "Need a config file. Please read skynet wiki : https://github.com/cloudwu/skynet/wiki/Config\nusage: %s configfilename\n", args[0])
		return 1
	}
	cfg, err := Load(args[1])
	if err == nil {
		err = Run(context.Background(), cfg, defs...)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// Run starts a node and blocks until a signal, Abort or the end of ctx stops
// it. It returns nil after an ordered stop.
func Run(ctx context.Context, cfg *Config, defs ...*service.Definition) error {
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	reopen := make(chan os.Signal, 1)
	signal.Notify(reopen, syscall.SIGHUP)
	defer signal.Stop(reopen)

	starting, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan struct{})
	defer close(stopped)
	forced := make(chan struct{})
	go func() {
		select {
		case <-stop:
			cancel()
		case <-stopped:
			return
		}
		select {
		case <-stop:
			close(forced)
		case <-stopped:
		}
	}()

	n, err := Start(starting, cfg, defs...)
	if err != nil {
		if starting.Err() != nil && ctx.Err() == nil {
			return nil // a signal came before the node was up; nothing is left running
		}
		return err
	}
	serve(starting, n, reopen)
	return shutdown(n, forced)
}

// serve waits for the reason to stop.
func serve(ctx context.Context, n *actor.Node, reopen <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.Aborted():
			return
		case <-reopen:
			if h, ok := n.Query(logger.Name); ok {
				_ = n.Send(h, actor.Message{Type: actor.PTypeSystem})
			}
		}
	}
}

func shutdown(n *actor.Node, forced <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- n.Shutdown(ctx) }()
	select {
	case err := <-done:
		return err
	case <-forced:
		return ErrForced
	}
}
