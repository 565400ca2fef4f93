package actor

import (
	"errors"
	"strings"
	"testing"
)

// watchersOf returns how many watch s.
func watchersOf(s *Service) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.watchers)
}

// onCommand exits, or panics, or ends itself through the node when told to.
var onCommand = code{receive: func(co *Coroutine, m Message) {
	switch m.Data {
	case "exit":
		co.Exit()
	case "kill":
		_ = co.Node().Kill(0, co.Service().Handle())
		_ = co.Wait(nil)
	}
}}

func TestWatch(t *testing.T) {
	for how, text := range map[string]string{"exit": "target", "kill": "target was killed"} {
		t.Run(how, func(t *testing.T) {
			n, _ := newNode(t)
			target := n.Find(launch(t, n, "target", onCommand))
			reasons := make(chan error, 10)
			watcher := launch(t, n, "watcher", code{start: func(co *Coroutine) {
				for range 2 { // each is told
					if _, err := co.Watch(target.handle, func(co *Coroutine, reason error) {
						if !target.isGone() {
							t.Error("told before the end")
						}
						_ = co.Sleep(1, nil) // it is a coroutine
						reasons <- reason
					}); err != nil {
						t.Error(err)
					}
				}
			}})
			eventually(t, func() bool { return watchersOf(target) == 2 }, "the target is watched")
			send(t, n, target.handle, how, 1)
			for range 2 {
				if err := receive(t, reasons); !errors.Is(err, ErrExited) || !strings.HasSuffix(err.Error(), text) {
					t.Errorf("the reason: %v", err)
				}
			}
			if got := watchersOf(target); got != 0 {
				t.Errorf("%d watchers are left", got)
			}
			end(t, n, watcher)
			if len(reasons) != 0 {
				t.Error("told more than once")
			}
		})
	}
}

// TestWatchStart: a service may be watched while it starts.
func TestWatchStart(t *testing.T) {
	n, _ := newNode(t)
	gate, reasons := make(chan struct{}), make(chan error, 1)
	target := launch(t, n, "fails", code{start: func(co *Coroutine) {
		<-gate
		co.Exit()
	}})
	inside(t, n, func(co *Coroutine) {
		if _, err := co.Watch(target, func(_ *Coroutine, reason error) { reasons <- reason }); err != nil {
			t.Error(err)
		}
	})
	close(gate)
	if err := receive(t, reasons); !errors.Is(err, ErrExited) {
		t.Errorf("the reason: %v", err)
	}
}

func TestWatchOfNobody(t *testing.T) {
	n, _ := newNode(t)
	inside(t, n, func(co *Coroutine) {
		cancel, err := co.Watch(0xfff0, func(*Coroutine, error) { t.Error("told") })
		if !errors.Is(err, ErrNoService) || cancel != nil {
			t.Errorf("got %v", err)
		}
		if got := co.TaskCount(); got != 0 {
			t.Errorf("%d wait", got)
		}
	})
}

// TestWatchLeavesNothing with the target, whichever way it ends.
func TestWatchLeavesNothing(t *testing.T) {
	for name, f := range map[string]func(t *testing.T, co *Coroutine, target *Service){
		"cancelled": func(t *testing.T, co *Coroutine, target *Service) {
			cancel, err := co.Watch(target.handle, func(*Coroutine, error) { t.Error("told") })
			if err != nil || watchersOf(target) != 1 {
				t.Errorf("%v, %d watchers", err, watchersOf(target))
			}
			cancel()
			cancel() // does no harm
			if got := co.TaskCount(); got != 0 {
				t.Errorf("%d wait", got)
			}
		},
		"one of two": func(t *testing.T, co *Coroutine, target *Service) {
			first, _ := co.Watch(target.handle, func(*Coroutine, error) { t.Error("told") })
			if _, err := co.Watch(target.handle, func(*Coroutine, error) {}); err != nil {
				t.Error(err)
			}
			first()
			if got := watchersOf(target); got != 1 {
				t.Errorf("%d watchers", got)
			}
			co.Exit()
		},
		"the watcher exits": func(t *testing.T, co *Coroutine, target *Service) {
			_, _ = co.Watch(target.handle, func(*Coroutine, error) { t.Error("told") })
			co.Exit()
		},
		"the watcher is killed": func(t *testing.T, co *Coroutine, target *Service) {
			_, _ = co.Watch(target.handle, func(*Coroutine, error) { t.Error("told") })
			_ = co.Node().Kill(0, co.svc.handle)
		},
		"in a defer of the dead": func(t *testing.T, co *Coroutine, target *Service) {
			defer func() {
				if _, err := co.Watch(target.handle, func(*Coroutine, error) { t.Error("told") }); !errors.Is(err, ErrExited) {
					t.Errorf("got %v", err)
				}
			}()
			co.Exit()
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, _ := newNode(t)
			target := n.Find(launch(t, n, "target", code{}))
			h := inside(t, n, func(co *Coroutine) { f(t, co, target) })
			if s := n.Find(h); s != nil && name != "cancelled" {
				receive(t, s.Done())
			}
			eventually(t, func() bool { return watchersOf(target) == 0 }, "no watcher is left")
			end(t, n, target.handle)
		})
	}
}

// TestWatchOfOneself: the end is complete when nobody is left to be told.
func TestWatchOfOneself(t *testing.T) {
	n, _ := newNode(t)
	var self *Service
	inside(t, n, func(co *Coroutine) {
		self = co.svc
		if _, err := co.Watch(self.handle, func(*Coroutine, error) { t.Error("told") }); err != nil {
			t.Error(err)
		}
		co.Exit()
	})
	receive(t, self.Done())
	if got := watchersOf(self); got != 0 {
		t.Errorf("%d watchers", got)
	}
}
