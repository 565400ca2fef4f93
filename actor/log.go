package actor

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// loggerName is the local name under which a logger service takes the log.
const loggerName = ".logger"

// Log writes a line to the log under the name of source, at level Info.
func (n *Node) Log(source Handle, text string) { n.LogAt(slog.LevelInfo, source, text) }

// LogAt is Log at another level: nothing when that is below the level of source.
// It does not wait for the logger service. In front of the first line it writes one with the node's ID.
// The logger service finds the name of the level in Message.Cmd.
func (n *Node) LogAt(level slog.Level, source Handle, text string) {
	least := n.cfg.LogLevel
	if s := n.reg.find(source); s != nil {
		least = s.LogLevel()
	}
	if level < least {
		return
	}
	n.named.Do(func() { n.log(slog.LevelInfo, 0, "Node "+n.id.String()) })
	n.log(level, source, text)
}

func (n *Node) log(level slog.Level, source Handle, text string) {
	if h, ok := n.reg.query(loggerName); ok {
		if s := n.reg.find(h); s != nil {
			_, err := s.deliver(&Message{Type: PTypeText, Source: source, Cmd: level.String(), Data: text}, false)
			if errors.Is(err, ErrOverload) { // the logger's to tell, which lags behind
				s.dropped(dropOverload)
				return
			}
			if err == nil {
				return
			}
		}
	}
	n.cfg.Logger.Log(source, text)
}

func (n *Node) logPanic(source Handle, what string, reason any) {
	n.LogAt(slog.LevelError, source, fmt.Sprintf("%s: panic: %v\n%s", what, reason, debug.Stack()))
}

// LogLevel returns the least level of the lines that the log takes from the
// service. Safe from any goroutine.
func (s *Service) LogLevel() slog.Level { return slog.Level(s.logLevel.Load()) }

// SetLogLevel sets it, from now until the service ends; it begins as
// Config.LogLevel. Safe from any goroutine.
func (s *Service) SetLogLevel(level slog.Level) { s.logLevel.Store(int32(level)) }
