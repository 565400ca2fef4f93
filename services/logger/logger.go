// Package logger is the service ".logger": it writes the log of its node to
// standard output or a file (service-src/service_logger.c), through logrus.
package logger

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/skynetgo/skynet/service"
)

// Name is the local name under which the node finds its logger.
const Name = ".logger"

// sourceField is the logrus field that carries the handle of who logs.
const sourceField = "source"

// Definition returns the definition of the service. Its one argument is the
// file to append to; without it, or when it is empty, the log goes to standard
// output.
func Definition() *service.Definition {
	return service.Def("logger", func(c *service.Context, args ...any) error {
		return start(c, os.Stdout, args)
	}, service.Quiet)
}

type logger struct {
	log  *logrus.Logger
	path string
	file *os.File // nil for standard output
}

func start(c *service.Context, stdout io.Writer, args []any) error {
	l := &logger{log: logrus.New()}
	l.log.SetFormatter(&lineFormat{})
	l.log.SetOutput(stdout)
	if len(args) > 0 {
		l.path = fmt.Sprint(args[0])
	}
	if l.path != "" {
		if err := l.open(); err != nil {
			return err
		}
		c.AtServiceEnd(func() { _ = l.file.Close() })
	}
	c.Dispatch(service.PTypeText, l.write)
	c.Dispatch(service.PTypeSystem, l.reopen)
	return c.Register(Name)
}

func (l *logger) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	l.file = f
	l.log.SetOutput(f)
	l.log.SetFormatter(&lineFormat{time: time.Now})
	return nil
}

func (l *logger) write(_ *service.Context, m service.Message) {
	text, ok := m.Data.(string)
	if !ok {
		text = fmt.Sprint(m.Data)
	}
	l.log.WithField(sourceField, m.Source).Info(text)
}

// reopen is what SIGHUP asks for: after the file was renamed a new one appears.
func (l *logger) reopen(c *service.Context, _ service.Message) {
	if l.file == nil {
		return
	}
	old := l.file
	if err := l.open(); err != nil {
		c.Error("can not reopen:", err)
		return
	}
	_ = old.Close()
}

// lineFormat writes Skynet's lines, with the time in front when there is a
// clock.
type lineFormat struct{ time func() time.Time }

// Format is called by logrus.
func (f *lineFormat) Format(e *logrus.Entry) ([]byte, error) {
	b := e.Buffer
	if b == nil {
		b = new(bytes.Buffer)
	}
	if f.time != nil {
		b.WriteString(f.time().Format("02/01/06 15:04:05.00 "))
	}
	fmt.Fprintf(b, "[%s] %s\n", e.Data[sourceField], e.Message)
	return b.Bytes(), nil
}
