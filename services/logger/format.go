package logger

import (
	"bytes"
	"log/slog"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/skynetgo/skynet/service"
)

// sourceField is the logrus field that carries the handle of who logs.
const sourceField = "source"

// stampLayout is how times look in JSON.
const stampLayout = "2006-01-02T15:04:05.000Z07:00"

// warning is the level of what the logger itself has to say.
var warning = slog.LevelWarn.String()

// format makes the bytes of a line. Its entry is used again for each, so that a
// line costs nothing but the copy.
type format struct {
	formatter logrus.Formatter
	entry     logrus.Entry
	buffer    bytes.Buffer
	source    source
}

func newFormat(json, stamped bool) *format {
	f := &format{formatter: lineFormat{stamped: stamped}}
	if json {
		f.formatter = &logrus.JSONFormatter{TimestampFormat: stampLayout, DisableHTMLEscape: true}
	}
	f.entry.Buffer = &f.buffer
	f.entry.Data = logrus.Fields{sourceField: &f.source}
	return f
}

// line is valid until the next call.
func (f *format) line(level string, from service.Handle, text string) []byte {
	f.buffer.Reset()
	f.source.Handle = from
	f.entry.Time, f.entry.Level, f.entry.Message = time.Now(), logrusLevel(level), text
	b, _ := f.formatter.Format(&f.entry) // an error would be of values that are no JSON
	return b
}

// logrusLevel reads the Cmd of a line's message; who sends a plain one means
// Info.
func logrusLevel(name string) logrus.Level {
	switch name {
	case slog.LevelDebug.String():
		return logrus.DebugLevel
	case slog.LevelWarn.String():
		return logrus.WarnLevel
	case slog.LevelError.String():
		return logrus.ErrorLevel
	}
	return logrus.InfoLevel
}

// source is text in JSON too.
type source struct{ service.Handle }

func (s *source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// lineFormat writes Skynet's lines, which have the time in front in a file.
type lineFormat struct{ stamped bool }

// Format is called by line.
func (f lineFormat) Format(e *logrus.Entry) ([]byte, error) {
	b := e.Buffer
	if f.stamped {
		b.Write(e.Time.AppendFormat(b.AvailableBuffer(), "02/01/06 15:04:05.00 "))
	}
	b.WriteByte('[')
	b.WriteString(e.Data[sourceField].(*source).String())
	b.WriteString("] ")
	b.WriteString(e.Message)
	b.WriteByte('\n')
	return b.Bytes(), nil
}
