package actor

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// drained makes a node that waits for handlers.
func drained(timeout time.Duration) func(*Config) {
	return func(cfg *Config) { cfg.StopTimeout = timeout }
}

// stop shuts a node down in the background and returns how long that took.
func stop(t *testing.T, n *Node) <-chan time.Duration {
	took := make(chan time.Duration, 1)
	begin := time.Now()
	go func() {
		shutdown(t, n)
		took <- time.Since(begin)
	}()
	synctest.Wait()
	return took
}

// ask calls h from a service that was started before it, and tells the outcome.
func ask(t *testing.T, n *Node, f func(co *Coroutine) error) <-chan error {
	t.Helper()
	result := make(chan error, 2)
	launch(t, n, "caller", code{start: func(co *Coroutine) {
		defer func() { result <- errors.New("unwound") }()
		result <- f(co)
	}})
	return result
}

// TestDrain: what is in progress may finish, within the time there is.
func TestDrain(t *testing.T) {
	for name, tt := range map[string]struct {
		timeout time.Duration
		receive func(co *Coroutine, m Message)
		serial  bool
		took    time.Duration
		err     error
	}{
		"a handler that ends": {timeout: time.Second, took: 300 * time.Millisecond, receive: func(co *Coroutine, m Message) {
			_ = co.Sleep(300*time.Millisecond, nil)
			_, _ = co.Reply(nil)
		}},
		"a handler that does not": {timeout: time.Second, took: time.Second, err: ErrExited, receive: func(co *Coroutine, m Message) {
			_ = co.Wait(nil)
		}},
		"a node that does not wait": {timeout: 0, took: 0, err: ErrExited, receive: func(co *Coroutine, m Message) {
			_ = co.Sleep(300*time.Millisecond, nil)
			_, _ = co.Reply(nil)
		}},
		"an answer that is owed": {timeout: time.Second, took: 400 * time.Millisecond, receive: func(co *Coroutine, m Message) {
			owed, _ := response(co)
			co.Timeout(400*time.Millisecond, func(*Coroutine) { _, _ = owed.Reply(nil) })
		}},
		"an answer that is owed for ever": {timeout: time.Second, took: time.Second, err: ErrExited, receive: func(co *Coroutine, m Message) {
			_, _ = response(co)
		}},
		"an answer that stands for the end": {timeout: time.Second, took: 0, err: ErrExited, receive: func(co *Coroutine, m Message) {
			owed, _ := response(co)
			owed.Last()
		}},
		"forks and timers alone": {timeout: time.Second, took: 0, receive: func(co *Coroutine, m Message) {
			co.Fork(func(co *Coroutine) { _ = co.Wait(nil) })
			co.Timeout(time.Hour, func(co *Coroutine) {})
			_, _ = co.Reply(nil)
		}},
		"a serial service": {timeout: time.Second, serial: true, took: 900 * time.Millisecond, receive: func(co *Coroutine, m Message) {
			_ = co.Sleep(300*time.Millisecond, nil)
			_, _ = co.Reply(nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _ := newNode(t, drained(tt.timeout))
				var target Handle
				ready := make(chan struct{})
				result := ask(t, n, func(co *Coroutine) error {
					<-ready
					var errs []error
					for range 3 {
						if _, err := co.Ask(target, request(nil), 0, func(_ Message, err error) { errs = append(errs, err) }); err != nil {
							return err
						}
					}
					for len(errs) < 3 {
						if err := co.Sleep(time.Millisecond, nil); err != nil {
							return err
						}
					}
					return errors.Join(errs...)
				})
				h, err := n.Launch(Spec{Name: "target", Behaviour: code{receive: tt.receive}, Serial: tt.serial})
				if err != nil {
					t.Fatal(err)
				}
				target = h
				close(ready)
				synctest.Wait()
				began := time.Now()
				s := n.Find(h)
				took := stop(t, n)
				receive(t, s.Done())
				if got := time.Since(began); got != tt.took {
					t.Errorf("it took %v, want %v", got, tt.took)
				}
				receive(t, took)
				got := receive(t, result)
				switch {
				case tt.timeout == 0: // the caller ends at once too
				case tt.err == nil && (got == nil || got.Error() == "unwound"):
				case tt.err == nil || !errors.Is(got, tt.err) && got.Error() != "unwound":
					t.Errorf("the caller got %v, want %v", got, tt.err)
				}
			})
		})
	}
}

// TestDrainAnswersArrive: the caller, started before, lives on until it has its
// answer and its own handler has ended.
func TestDrainAnswersArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t, drained(time.Second))
		result := make(chan error, 1)
		front := launch(t, n, "front", code{receive: func(co *Coroutine, m Message) {
			_, err := co.Call(m.Data.(Handle), request(nil), 0)
			_ = co.Sleep(100*time.Millisecond, nil)
			result <- err
		}})
		back := launch(t, n, "back", code{receive: func(co *Coroutine, m Message) {
			_ = co.Sleep(200*time.Millisecond, nil)
			_, _ = co.Reply(nil)
		}})
		send(t, n, front, back, 1)
		synctest.Wait()
		took := receive(t, stop(t, n))
		if err := receive(t, result); err != nil || took != 300*time.Millisecond {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestRequestsDuringDrain: requests that waited when Shutdown began are handled;
// the service goes on until nothing is in progress; then they get ErrExited.
func TestRequestsDuringDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t, drained(time.Minute))
		handled := 0
		h := launch(t, n, "target", code{receive: func(co *Coroutine, m Message) {
			handled++
			if c, ok := m.Data.(chan struct{}); ok {
				<-c
			}
			_ = co.Sleep(time.Second, nil)
		}})
		gate := make(chan struct{})
		send(t, n, h, gate, 1)
		send(t, n, h, 1, 5)
		took := stop(t, n)
		send(t, n, h, 1, 1)
		close(gate)
		if got := receive(t, took); got != time.Second || handled != 7 {
			t.Errorf("%d handled, %v", handled, got)
		}
		if err := n.Send(h, request(1)); !errors.Is(err, ErrNoService) {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestOnStop: the functions of all services run before any service ends, as
// coroutines that Shutdown waits for.
func TestOnStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t, drained(10*time.Second))
		var mu sync.Mutex
		var words []string
		say := func(text string) {
			mu.Lock()
			defer mu.Unlock()
			words = append(words, text)
		}
		echo := launch(t, n, "echo", echo)
		for _, name := range []string{"a", "b"} {
			launch(t, n, name, code{start: func(co *Coroutine) {
				co.Service().AtEnd(func() { say("end " + name) })
				for _, text := range []string{"1", "2"} {
					co.OnStop(func(co *Coroutine) {
						say("stop " + name + text)
						if _, err := co.Call(echo, request(nil), 0); err != nil {
							t.Error(err)
						}
						if err := co.Sleep(3*time.Second, nil); err != nil {
							t.Error(err)
						}
						say("stopped " + name + text)
						co.OnStop(func(*Coroutine) { say("late " + name + text) })
						if _, err := n.Launch(Spec{Name: "new", Behaviour: code{}}); !errors.Is(err, ErrShutdown) {
							t.Errorf("a launch: %v", err)
						}
					})
				}
			}})
		}
		synctest.Wait()
		if got := receive(t, stop(t, n)); got != 3*time.Second {
			t.Errorf("it took %v", got)
		}
		all := strings.Join(words, ", ")
		for _, first := range []struct{ before, after string }{
			{"stop a1", "stopped b1"}, {"stop a2", "stopped b1"}, {"stop a1", "stop a2"}, {"stop b1", "stop b2"},
			{"stopped b2", "end b"}, {"late b2", "end b"}, {"stopped a1", "end a"}, {"late a1", "end a"}, {"end b", "end a"},
		} {
			i, j := strings.Index(all, first.before), strings.Index(all, first.after)
			if i < 0 || j < 0 || i > j {
				t.Errorf("%q is not before %q: %s", first.before, first.after, all)
			}
		}
		if len(words) != 14 {
			t.Errorf("words: %s", all)
		}
	})
}

// TestShutdownContextCutsDrainShort: the caller's patience counts, not only the
// configuration's.
func TestShutdownContextCutsDrainShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t, drained(time.Hour))
		h := launch(t, n, "stuck", code{receive: func(co *Coroutine, m Message) { _ = co.Wait(nil) }})
		send(t, n, h, 1, 1)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := n.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) && err != nil {
			t.Error(err)
		}
		if got := time.Since(began); got != time.Second {
			t.Errorf("it took %v", got)
		}
	})
}

// TestDrainsRunTogether: any number of handlers that never finish cost one
// StopTimeout.
func TestDrainsRunTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t, drained(time.Second))
		for range 15 {
			h := launch(t, n, "stuck", code{receive: func(co *Coroutine, m Message) {
				for {
					_ = co.Sleep(time.Hour, nil)
				}
			}})
			send(t, n, h, 1, 1)
		}
		synctest.Wait()
		if got := receive(t, stop(t, n)); got != time.Second {
			t.Errorf("it took %v", got)
		}
	})
}

// TestDrainOfWhatCameLate: a service that was quiet has time for what others send
// it as they end, even when they used up theirs.
func TestDrainOfWhatCameLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t, drained(time.Second))
		saved := false
		db := launch(t, n, "db", code{receive: func(co *Coroutine, m Message) {
			saved = co.Sleep(500*time.Millisecond, nil) == nil
		}})
		stuck := launch(t, n, "stuck", code{receive: func(co *Coroutine, m Message) {
			defer func() { _ = co.Send(db, request("last words")) }()
			_ = co.Wait(nil)
		}})
		send(t, n, stuck, 1, 1)
		synctest.Wait()
		if got := receive(t, stop(t, n)); got != 1500*time.Millisecond || !saved {
			t.Errorf("saved %v after %v", saved, got)
		}
	})
}

// TestLogOfAShutdownThatGivesUp is written, for a while.
func TestLogOfAShutdownThatGivesUp(t *testing.T) {
	for name, tt := range map[string]struct {
		line, took time.Duration
		written    int32
	}{
		"a logger in time": {line: 10 * time.Millisecond, took: 50 * time.Millisecond, written: 5},
		"a slow one":       {line: 400 * time.Millisecond, took: time.Second, written: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _ := newNode(t)
				var written atomic.Int32
				gate := make(chan struct{})
				logger := launch(t, n, "logger", code{receive: func(co *Coroutine, m Message) {
					<-time.After(tt.line) // a disk
					written.Add(1)
				}})
				if err := n.SetName(loggerName, logger); err != nil {
					t.Error(err)
				}
				stuck := launch(t, n, "stuck", code{receive: func(*Coroutine, Message) { <-gate }})
				send(t, n, stuck, 1, 1)
				synctest.Wait()
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				for i := range 5 {
					_ = n.Send(logger, Message{Type: PTypeText, Data: i})
				}
				began := time.Now()
				err := n.Shutdown(ctx)
				for err != nil && !strings.Contains(err.Error(), "still running") { // ctx may win at once
					err = n.Shutdown(ctx)
				}
				if took := time.Since(began); !errors.Is(err, context.Canceled) || took != tt.took || written.Load() < tt.written {
					t.Errorf("%v after %v, %d lines", err, took, written.Load())
				}
				close(gate)
			})
		})
	}
}
