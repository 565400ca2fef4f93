package actor

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// monitored returns the lines of the monitor.
func monitored(l *log) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, line := range l.lines {
		if strings.Contains(line, "maybe in an endless loop") {
			lines = append(lines, line)
		}
	}
	return lines
}

func staysInItsMessage(m Message) { pass(m.Data.(time.Duration)) }

// TestB135EndlessLoop: a line for each time that the monitor finds a service in
// the same message as the time before.
func TestB135EndlessLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := newNode(t)
		h := launch(t, n, "busy", code{receive: func(_ *Coroutine, m Message) { staysInItsMessage(m) }})
		source := inside(t, n, func(co *Coroutine) {
			_ = co.Send(h, request(time.Millisecond))
			_ = co.Send(h, request(17*time.Second))
		})
		pass(9 * time.Second) // the monitor looked after 5 s, for the first time
		if lines := monitored(l); len(lines) != 0 {
			t.Errorf("too early: %q", lines)
		}
		pass(5 * time.Second)
		if lines := monitored(l); len(lines) != 1 {
			t.Errorf("after 14 s: %q", lines)
		}
		pass(20 * time.Second)
		lines := monitored(l)
		if len(lines) != 2 {
			t.Fatalf("while it lasted: %q", lines)
		}
		for _, line := range lines {
			first, stack, _ := strings.Cut(line, "\n")
			want := fmt.Sprintf("[:00000000] error: A message from [ %s ] to [ %s ] maybe in an endless loop (version = 3)", source, h)
			if first != want {
				t.Errorf("got  %s\nwant %s", first, want)
			}
			if !strings.Contains(stack, "actor.staysInItsMessage(") || !strings.Contains(stack, "monitor_test.go:") {
				t.Errorf("the stack:\n%s", stack)
			}
			if strings.Contains(stack, runningMark) || !strings.Contains(stack[strings.LastIndex(stack, "\n")+1:], ".go:") {
				t.Errorf("the stack shows the runtime, or ends within a frame:\n%s", stack)
			}
		}
	})
}

// TestMonitorSeesTheKilled, as long as their handler runs.
func TestMonitorSeesTheKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := newNode(t)
		h := launch(t, n, "busy", code{receive: func(_ *Coroutine, m Message) { staysInItsMessage(m) }})
		send(t, n, h, 12*time.Second, 1)
		synctest.Wait()
		if err := n.Kill(0, h); err != nil {
			t.Error(err)
		}
		pass(11 * time.Second)
		if lines := monitored(l); len(lines) != 1 {
			t.Errorf("lines: %q", lines)
		}
	})
}

// TestMonitorLetsWaitersBe: to wait is no endless loop, nor is to be busy with
// one message after the other.
func TestMonitorLetsWaitersBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := newNode(t)
		launch(t, n, "sleeps", code{start: func(co *Coroutine) { _ = co.Sleep(time.Minute, nil) }})
		var again func(co *Coroutine)
		again = func(co *Coroutine) {
			pass(3 * time.Second)
			if n.Uptime() < time.Minute {
				co.Fork(again)
			}
		}
		launch(t, n, "busy", code{start: again})
		pass(2 * time.Minute)
		if lines := monitored(l); len(lines) != 0 {
			t.Errorf("got %q", lines)
		}
	})
}

func TestMonitorIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := newNode(t, func(cfg *Config) { cfg.MonitorInterval = 0 })
		h := launch(t, n, "busy", code{receive: func(_ *Coroutine, m Message) { staysInItsMessage(m) }})
		send(t, n, h, time.Minute, 1)
		pass(2 * time.Minute)
		if lines := monitored(l); len(lines) != 0 {
			t.Errorf("got %q", lines)
		}
	})
}

func spins(stop *atomic.Bool) {
	for !stop.Load() {
		continue
	}
}

// TestMonitorShowsAnEndlessLoop that never calls anything, after a wait of the
// same handler, beside a coroutine of the same service that waits.
func TestMonitorShowsAnEndlessLoop(t *testing.T) {
	n, l := newNode(t, func(cfg *Config) { cfg.MonitorInterval = time.Hour })
	var stop, spinning atomic.Bool
	h := launch(t, n, "spins", code{receive: func(co *Coroutine, m Message) {
		if m.Data == "wait" {
			_ = co.Wait("token")
			return
		}
		_ = co.Sleep(1, nil)
		spinning.Store(true)
		spins(&stop)
	}})
	send(t, n, h, "wait", 1)
	send(t, n, h, "spin", 1)
	eventually(t, spinning.Load, "the loop")
	n.monitor.look()
	if lines := monitored(l); len(lines) != 0 {
		t.Errorf("at the first look: %q", lines)
	}
	n.monitor.look()
	stop.Store(true)
	if lines := monitored(l); len(lines) != 1 || !strings.Contains(lines[0], "actor.spins(") || strings.Contains(lines[0], "Wait(") {
		t.Errorf("got %q", lines)
	}
	eventually(t, func() bool { return idle(n) }, "idle")
	n.monitor.look()
	if len(n.monitor.seen) != 0 {
		t.Error("the monitor remembers a service that is idle")
	}
}
