// Package logger is the service ".logger": it writes the log of its node to
// standard output or a file (service-src/service_logger.c), formatted by logrus.
package logger

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/skynetgo/skynet/service"
)

// Name is the local name under which the node finds its logger.
const Name = ".logger"

// envFormat is the environment key that says how lines look: formatJSON, or in
// Skynet's way.
const (
	envFormat  = "logformat"
	formatJSON = "json"
)

// mostLines is how many lines may wait in the mailbox. The handler never waits
// for a file, so they do only while lines come faster than they can be formatted.
const mostLines = 1 << 16

// Definition returns the definition of the service. Its one argument is the
// file to append to; without it, or when it is empty, the log goes to standard
// output.
func Definition() *service.Definition { return define(os.Stdout) }

func define(stdout io.Writer) *service.Definition {
	return service.Def("logger", func(c *service.Context, args ...any) error {
		return start(c, stdout, args)
	}, service.Quiet, service.Mailbox(mostLines))
}

func start(c *service.Context, stdout io.Writer, args []any) error {
	json, path := c.Getenv(envFormat) == formatJSON, ""
	if len(args) > 0 {
		path = fmt.Sprint(args[0])
	}
	self := c.Node().Find(c.Self())
	w := &writer{
		path: path, out: stdout,
		refused: func() uint64 { return self.Stat().Drops.Overload },
		note:    func(text string) []byte { return newFormat(json, path != "").line(warning, self.Handle(), text) },
		alarm:   func(text string) { self.Node().Config().Logger.Log(self.Handle(), text) },
	}
	if path != "" {
		if err := w.open(); err != nil {
			return err
		}
	}
	c.AtServiceEnd(func() { // the end of the node waits for it
		if lost := w.close(); lost > 0 {
			self.Node().LogAt(slog.LevelWarn, self.Handle(), dropped(lost)) // to the node's own logger
		}
	})
	f := newFormat(json, path != "")
	c.Dispatch(service.PTypeText, func(_ *service.Context, m service.Message) {
		text, ok := m.Data.(string)
		if !ok {
			text = fmt.Sprint(m.Data)
		}
		w.add(f.line(m.Cmd, m.Source, text))
	})
	c.Dispatch(service.PTypeSystem, func(*service.Context, service.Message) { w.reopen() })
	return c.Register(Name)
}
