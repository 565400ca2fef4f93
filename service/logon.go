package service

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/skynetgo/skynet/actor"
)

// envLogPath is the environment key of the folder that LogOn writes to.
const envLogPath = "logpath"

// LogOn writes every message that the service addr takes from now on to the
// file HANDLE.log in the folder that the config key logpath names, one line
// each: source, type, session, centiseconds since the start of the node, and the
// bytes in hex, packed as for another node (skynet_log.c). It ends with LogOff
// or with the service.
func (c *Context) LogOn(addr any) error {
	if err := c.check(); err != nil {
		return err
	}
	h, err := c.convert(addr)
	if err != nil {
		return fmt.Errorf("logon %s: %w", addressText(addr), err)
	}
	dir, ok := c.LookupEnv(envLogPath)
	if !ok {
		return fmt.Errorf("logon %s: the config key %s is not set", addressText(addr), envLogPath)
	}
	path := filepath.Join(dir, fmt.Sprintf("%08x.log", uint32(h)))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		c.Logf("Open log file %s fail", path)
		return fmt.Errorf("logon %s: %w", addressText(addr), err)
	}
	c.Node().Log(h, "Open log file "+path)
	l := &messageLog{node: c.Node(), handle: h, file: f, out: bufio.NewWriter(f)}
	l.printf("open time: %d %s\n", l.now(), c.Time().Format(time.ANSIC))
	if err := c.Node().Record(h, l); err != nil {
		l.Close()
		return fmt.Errorf("logon %s: %w", addressText(addr), err)
	}
	return nil
}

// LogOff ends what LogOn began; it is no error when nothing was begun.
func (c *Context) LogOff(addr any) error {
	if err := c.check(); err != nil {
		return err
	}
	h, err := c.convert(addr)
	if err == nil {
		err = c.Node().Record(h, nil)
	}
	if err != nil {
		return fmt.Errorf("logoff %s: %w", addressText(addr), err)
	}
	return nil
}

// messageLog is the file of one service's messages.
type messageLog struct {
	node   *Node
	handle Handle

	mu   sync.Mutex
	file *os.File // nil once closed
	out  *bufio.Writer
}

func (l *messageLog) now() int64 { return int64(l.node.Uptime() / (10 * time.Millisecond)) }

// Record writes one message.
func (l *messageLog) Record(m Message) {
	l.printf(":%08x %d %d %d %s\n", uint32(m.Source), m.Type, m.Session, l.now(), payloadHex(m))
}

// Close ends the file.
func (l *messageLog) Close() {
	l.printf("close time: %d\n", l.now())
	l.mu.Lock()
	f := l.file
	l.file = nil
	l.mu.Unlock()
	if f != nil {
		_ = f.Close()
		l.node.Log(l.handle, "Close log file "+l.handle.String())
	}
}

// printf writes a line through to the file. When that fails the lines are lost,
// as in Skynet, and the service is not disturbed.
func (l *messageLog) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		_, _ = fmt.Fprintf(l.out, format, args...)
		_ = l.out.Flush()
	}
}

// payloadHex is the payload as it would go to another node; of one that can not
// go there, its type.
func payloadHex(m Message) string {
	switch d := m.Data.(type) {
	case []byte:
		return hex.EncodeToString(d)
	case error:
		return hex.EncodeToString([]byte(d.Error()))
	case string:
		if m.Type == PTypeText || m.Type == actor.PTypeTrace {
			return hex.EncodeToString([]byte(d))
		}
	}
	b, err := PackMessage(m)
	if err != nil {
		return fmt.Sprintf("[%T]", m.Data)
	}
	return hex.EncodeToString(b)
}
