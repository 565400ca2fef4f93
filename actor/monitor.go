package actor

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// monitor looks now and then for services that are still in the same message
// (skynet_monitor.c, skynet_start.c).
type monitor struct {
	node    *Node
	mu      sync.Mutex
	alarm   *time.Timer
	stopped bool
	seen    map[*Service]uint64 // the progress of those that were busy last time
}

func (m *monitor) start(n *Node) {
	m.node = n
	if n.cfg.MonitorInterval > 0 {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.alarm = time.AfterFunc(n.cfg.MonitorInterval, m.look)
	}
}

func (m *monitor) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = true
	if m.alarm != nil {
		m.alarm.Stop()
	}
}

func (m *monitor) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped {
		return
	}
	busy := make(map[*Service]uint64)
	_, services := m.node.unended()
	for _, s := range services {
		if !s.isBusy() {
			continue
		}
		progress := s.progress.Load()
		if before, was := m.seen[s]; was && before == progress {
			m.node.LogAt(slog.LevelError, 0, fmt.Sprintf("error: A message from [ %s ] to [ %s ] maybe in an endless loop (version = %d)\n%s",
				Handle(s.source.Load()), s.handle, progress>>32, runningStack(s)))
		}
		busy[s] = progress
	}
	m.seen = busy
	if m.alarm != nil {
		m.alarm.Reset(m.node.cfg.MonitorInterval)
	}
}
