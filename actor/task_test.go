package actor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// tasksOf asks a service for its tasks from outside of its code.
func tasksOf(t *testing.T, n *Node, h Handle, stacks bool) []Task {
	t.Helper()
	var list []Task
	inside(t, n, func(co *Coroutine) {
		m, err := co.Call(h, Message{Type: PTypeDebug, Data: stacks}, 0)
		if err != nil {
			t.Error(err)
			return
		}
		list = m.Data.([]Task)
	})
	return list
}

// answersTasks makes a behaviour answer what tasksOf asks for.
func answersTasks(receive func(co *Coroutine, m Message)) code {
	return code{receive: func(co *Coroutine, m Message) {
		if m.Type == PTypeDebug {
			_, _ = co.Reply(co.Tasks(m.Data.(bool)))
			return
		}
		receive(co, m)
	}}
}

func waitsForAnAnswer(co *Coroutine, to Handle) { _, _ = co.Call(to, request(nil), 0) }

func sleepsForAnHour(co *Coroutine) { _ = co.Sleep(time.Hour, nil) }

func waitsForAWakeup(co *Coroutine) { _ = co.Wait("token") }

// TestTasks: of everything that waits, what it is, on whom, since when, for
// which request, and where.
func TestTasks(t *testing.T) {
	for _, isSerial := range []bool{false, true} {
		t.Run(fmt.Sprintf("serial=%v", isSerial), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _ := newNode(t)
				silent := launch(t, n, "silent", code{receive: func(co *Coroutine, _ Message) { _, _ = response(co) }})
				h, err := n.Launch(Spec{Name: "waits", Serial: isSerial, Behaviour: answersTasks(func(co *Coroutine, m Message) {
					pass(time.Second) // so that each begins at a time of its own
					co.Timeout(time.Hour, func(*Coroutine) {})
					_, _ = co.Watch(silent, func(*Coroutine, error) {})
					_, _ = co.Ask(silent, request(nil), 0, func(Message, error) {})
					co.Fork(sleepsForAnHour)
					co.Fork(waitsForAWakeup)
					co.Fork(func(co *Coroutine) { _ = co.Await(func() { <-t.Context().Done() }) })
					waitsForAnAnswer(co, silent)
				})})
				if err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				caller := launch(t, n, "caller", code{start: func(co *Coroutine) { waitsForAnAnswer(co, h) }})
				pass(5 * time.Second)
				want := []struct {
					what    string
					peer    Handle
					request bool
					stack   string
				}{
					{"timer", 0, false, ""},
					{"watch", silent, false, ""},
					{"call", silent, false, ""},
					{"call", silent, true, "waitsForAnAnswer"},
					{"sleep", 0, false, "sleepsForAnHour"},
					{"wait", 0, false, "waitsForAWakeup"},
					{"await", 0, false, "TestTasks"},
				}
				got := tasksOf(t, n, h, true)
				if len(got) != len(want) {
					t.Fatalf("%d tasks: %+v", len(got), got)
				}
				for i, w := range want {
					g := got[i]
					if g.What != w.what || g.Peer != w.peer || g.Session == 0 {
						t.Errorf("task %d: %+v, want %+v", i, g, w)
					}
					if g.Since < 2*time.Second || g.Since > 2*time.Second+time.Millisecond {
						t.Errorf("task %d: since %v", i, g.Since)
					}
					if (g.Request.Source == caller) != w.request {
						t.Errorf("task %d: for %+v", i, g.Request)
					}
					if (w.stack == "") != (g.Stack == "") || !strings.Contains(g.Stack, w.stack) {
						t.Errorf("task %d: stack\n%s", i, g.Stack)
					}
					if g.Stack != "" && !strings.Contains(g.Stack, "task_test.go:") {
						t.Errorf("task %d: no file and line\n%s", i, g.Stack)
					}
					for _, inner := range []string{"park", "turns", "hold", "0x"} {
						if strings.Contains(g.Stack, inner) {
							t.Errorf("task %d: %q in\n%s", i, inner, g.Stack)
						}
					}
				}
				for i, g := range tasksOf(t, n, h, false) {
					if g.Stack != "" || g.What != want[i].what {
						t.Errorf("without stacks: %+v", g)
					}
				}
			})
		})
	}
}

// TestEqualStacksAreEqualTexts: of coroutines that wait in the same place.
func TestEqualStacksAreEqualTexts(t *testing.T) {
	n, _ := newNode(t)
	h := launch(t, n, "waits", answersTasks(func(co *Coroutine, m Message) { sleepsForAnHour(co) }))
	send(t, n, h, 1, 3)
	list := tasksOf(t, n, h, true)
	if len(list) != 3 || list[0].Stack == "" || list[0].Stack != list[1].Stack || list[1].Stack != list[2].Stack {
		t.Errorf("got %+v", list)
	}
}

// TestStackOfOneThatJustParked: the holder asks as soon as it may.
func TestStackOfOneThatJustParked(t *testing.T) {
	n, _ := newNode(t, pooled)
	missing := 0
	h := launch(t, n, "waits", code{receive: func(co *Coroutine, m Message) {
		if m.Type == PTypeDebug {
			for _, task := range co.Tasks(true) {
				if !strings.Contains(task.Stack, "waitsForAWakeup") {
					missing++
				}
				co.Wakeup("token")
			}
			_, _ = co.Reply(nil)
			return
		}
		waitsForAWakeup(co)
	}})
	inside(t, n, func(co *Coroutine) {
		for range 100 {
			_ = co.Send(h, request(nil))
			if _, err := co.Call(h, Message{Type: PTypeDebug}, 0); err != nil {
				t.Error(err)
			}
		}
	})
	if missing > 0 {
		t.Errorf("%d of 100 stacks are missing", missing)
	}
}

func TestAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		peer := launch(t, n, "peer", code{receive: func(co *Coroutine, m Message) {
			switch d := m.Data.(type) {
			case time.Duration:
				_ = co.Sleep(d, nil)
				_, _ = co.Reply(d)
			case error:
				co.Fail(d)
			default:
				co.Exit()
			}
		}})
		errOwn := errors.New("own")
		inside(t, n, func(co *Coroutine) {
			var got []string
			ask := func(v any, timeout time.Duration) (cancel func(error)) {
				t.Helper()
				cancel, err := co.Ask(peer, request(v), timeout, func(m Message, err error) {
					if !co.svc.Executes(co, co.ID()) && co.svc.running == nil {
						t.Error("not under the baton")
					}
					got = append(got, fmt.Sprint(m.Data, " ", err))
				})
				if err != nil {
					t.Error(err)
				}
				return cancel
			}
			ask(2*time.Second, 0)
			ask(time.Second, time.Minute)
			ask(errOwn, 0)
			ask(time.Hour, 3*time.Second)
			cancel := ask(4*time.Second, 0)
			if co.TaskCount() != 5 {
				t.Errorf("%d wait", co.TaskCount())
			}
			cancel(nil)
			cancel(ErrBreak)
			_ = co.Sleep(10*time.Second, nil)
			ask("exit", 0)
			_ = co.Sleep(time.Second, nil)
			want := []string{
				"<nil> own", "1s <nil>", "2s <nil>",
				"<nil> actor: call timed out after 3s, the callee has taken the request",
				fmt.Sprintf("<nil> actor: service exited: %s peer", peer),
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if late := co.svc.Stat().Drops.Late; late != 2 {
				t.Errorf("%d late answers, want those of the cancelled and of the timed out one", late)
			}
			if _, err := co.Ask(peer, request(nil), 0, func(Message, error) { t.Error("told") }); !errors.Is(err, ErrNoService) {
				t.Errorf("of the dead: %v", err)
			}
			if co.TaskCount() != 0 {
				t.Errorf("%d wait", co.TaskCount())
			}
		})
	})
}

// TestAskOfTheDead: nobody is told after the end of the service.
func TestAskOfTheDead(t *testing.T) {
	n, _ := newNode(t)
	var owed *Response
	peer := launch(t, n, "peer", code{receive: func(co *Coroutine, m Message) {
		if m.Data == "answer" {
			_, _ = owed.Reply(nil)
			return
		}
		owed, _ = response(co)
	}})
	var asker *Service
	inside(t, n, func(co *Coroutine) {
		asker = co.svc
		told := func(Message, error) { t.Error("told") }
		if _, err := co.Ask(peer, request(nil), 0, told); err != nil {
			t.Error(err)
		}
		defer func() {
			if _, err := co.Ask(peer, request(nil), 0, told); !errors.Is(err, ErrExited) {
				t.Errorf("in a defer of the dead: %v", err)
			}
		}()
		co.Exit()
	})
	receive(t, asker.Done())
	send(t, n, peer, "answer", 1)
	eventually(t, func() bool { return idle(n) }, "idle")
}

// TestTimeoutText says how long it took and whether the callee has begun.
func TestTimeoutText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		h := launch(t, n, "slow", code{receive: func(_ *Coroutine, m Message) { pass(5 * time.Second) }})
		inside(t, n, func(co *Coroutine) {
			for _, want := range []string{
				"actor: call timed out after 2s, the callee has taken the request",
				"actor: call timed out after 2s, the callee has not taken the request yet",
			} {
				if _, err := co.Call(h, request(nil), 2*time.Second); !errors.Is(err, ErrTimeout) || err.Error() != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
		})
	})
}
