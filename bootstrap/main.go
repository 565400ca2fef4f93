package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/logger"
)

// ErrForced means that a second signal ended an ordered stop.
var ErrForced = errors.New("bootstrap: stop forced by a second signal")

const usage = `Need a config file. Please read skynet wiki : https://github.com/cloudwu/skynet/wiki/Config
usage: skynet configfilename
`

// Main runs a node from the config file that is the program's one argument,
// until SIGINT, SIGTERM or skynet.abort, and exits the process: 0 after an
// ordered stop, 1 after an error, which it prints in one line. A second signal
// forces the end. SIGHUP makes the logger reopen its file.
func Main(defs ...*service.Definition) {
	os.Exit(run(os.Args, os.Stderr, defs))
}

func run(args []string, stderr io.Writer, defs []*service.Definition) int {
	if len(args) < 2 {
		_, _ = io.WriteString(stderr, usage)
		return 1
	}
	cfg, err := Load(args[1])
	if err == nil {
		err = Run(context.Background(), cfg, defs...)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, oneLine.Replace(err.Error()))
		return 1
	}
	return 0
}

// Run starts a node and blocks until a signal, Abort or the end of ctx stops
// it, while it starts or later. It returns nil after an ordered stop. After
// ErrForced parts of the node may still run.
func Run(ctx context.Context, cfg *Config, defs ...*service.Definition) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	reopen := make(chan os.Signal, 1)
	signal.Notify(reopen, syscall.SIGHUP)
	defer signal.Stop(reopen)
	// Who reads the log from standard output may go away without ending the node.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- live(ctx, cancel, cfg, defs, reopen) }()
	select {
	case err := <-ended:
		return err
	case <-signals:
		cancel()
	}
	select {
	case err := <-ended:
		return err
	case <-signals:
		return ErrForced
	}
}

// live starts a node, keeps it until ctx ends, and stops it.
func live(ctx context.Context, cancel func(), cfg *Config, defs []*service.Definition, reopen <-chan os.Signal) error {
	n, err := newNode(cfg)
	if err != nil {
		return err
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watch(ctx, cancel, n, reopen)
	}()
	err = start(ctx, n, cfg, defs)
	switch {
	case err == nil:
		<-watched
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		err = nil // told to stop before it was up
	}
	cancel()
	<-watched
	return both(err, stop(n))
}

// watch serves a node from its first service on, since a start function may
// take long, until ctx ends.
func watch(ctx context.Context, cancel func(), n *actor.Node, reopen <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.Aborted():
			cancel()
			return
		case <-reopen:
			if h, ok := n.Query(logger.Name); ok {
				_ = n.Send(h, actor.Message{Type: actor.PTypeSystem})
			}
		}
	}
}
