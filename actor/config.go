package actor

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/panjf2000/ants/v2"
)

// Pool runs tasks on goroutines. Submit must not block and must not run the
// task on the caller's goroutine; a bounded pool deadlocks once every worker
// waits for a message that only another worker could handle.
type Pool interface {
	Submit(task func()) error
}

// GoPool is the Pool that starts a goroutine for each task. Tests use it, since
// it keeps none.
type GoPool struct{}

// Submit runs task on a new goroutine.
func (GoPool) Submit(task func()) error {
	go task()
	return nil
}

// Logger takes the log until a logger service runs, and whatever that one can
// not take. Log must not block for long and is called from many goroutines.
type Logger interface {
	Log(source Handle, text string)
}

// LoggerFunc is a function as a Logger.
type LoggerFunc func(source Handle, text string)

// Log calls f.
func (f LoggerFunc) Log(source Handle, text string) { f(source, text) }

// WriterLogger writes Skynet's line, "[:0000000a] text", to w in one Write.
func WriterLogger(w io.Writer) Logger {
	return LoggerFunc(func(source Handle, text string) { _, _ = fmt.Fprintf(w, "[%s] %s\n", source, text) })
}

// Config is what a node is made of. Start from DefaultConfig.
type Config struct {
	// Logger takes the log when no logger service does. Default: standard error.
	Logger Logger
	// LogLevel is the least level of the lines that the log takes, until
	// Service.SetLogLevel says otherwise for a service. Default: Info.
	LogLevel slog.Level
	// Pool runs the goroutines of services. Default: an unbounded ants pool,
	// which the node owns and releases.
	Pool Pool
	// CallTimeout is how long a call may take when its caller does not say.
	// Shorter finds a stuck service earlier and fails slow ones. 0: for ever.
	CallTimeout time.Duration
	// StopTimeout is how long Shutdown lets handlers finish before it ends their
	// service. Longer loses less, and waits longer for those that never finish. 0:
	// not at all.
	StopTimeout time.Duration
	// MonitorInterval is how often the node looks for services that are still in
	// the same message. 0: never.
	MonitorInterval time.Duration
	// Profile counts the time that each service holds its baton, for Stat.
	Profile bool
	// OnOverload, when set, is told of each overload warning: the service and how
	// many messages wait. It is called under the service's baton and must not block.
	OnOverload func(h Handle, waiting int)
	// Isolate, when set, replaces the payload of every message between services
	// by a copy, or refuses it, so that services which share memory by mistake
	// fail in a test.
	Isolate func(Message) (Message, error)
}

// DefaultConfig returns the configuration that production nodes start from.
func DefaultConfig() Config {
	return Config{
		Logger:          WriterLogger(os.Stderr),
		CallTimeout:     10 * time.Second,
		StopTimeout:     time.Second,
		MonitorInterval: 5 * time.Second,
		Profile:         true,
	}
}

// newPool makes the default pool and the function that releases it.
func newPool() (Pool, func(), error) {
	p, err := ants.NewPool(-1)
	if err != nil {
		return nil, nil, fmt.Errorf("actor: pool: %w", err)
	}
	return p, p.Release, nil
}
