package actor

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestIdle(t *testing.T) {
	n, _ := newNode(t)
	if !n.Idle() {
		t.Error("a node without services is not idle")
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	h := launch(t, n, "busy", code{receive: func(*Coroutine, Message) {
		entered <- struct{}{}
		<-leave
	}})
	eventually(t, n.Idle, "idle after the start")
	if err := n.Send(h, request(nil)); err != nil {
		t.Fatal(err)
	}
	receive(t, entered)
	if n.Idle() {
		t.Error("idle in the middle of a handler")
	}
	leave <- struct{}{}
	eventually(t, n.Idle, "idle after the handler")
}

// While a token goes round without end, the node is never idle, although most
// services are whenever one looks.
func TestIdleLooksAtAllAtOnce(t *testing.T) {
	n, _ := newNode(t)
	const ring = 8
	var handles [ring]Handle
	for i := range ring {
		handles[i] = launch(t, n, "ring", code{receive: func(co *Coroutine, m Message) {
			_ = co.Send(handles[(i+1)%ring], m)
		}})
	}
	eventually(t, n.Idle, "idle after the start")
	if err := n.Send(handles[0], request(nil)); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		if n.Idle() {
			t.Fatal("idle with a message on its way")
		}
	}
}

func TestIdleWithWaitingCoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		launch(t, n, "sleeper", code{start: func(co *Coroutine) { _ = co.Sleep(time.Hour, nil) }})
		launch(t, n, "waiter", code{start: func(co *Coroutine) { _ = co.Wait(nil) }})
		synctest.Wait()
		if !n.Idle() {
			t.Error("a node whose coroutines wait is not idle")
		}
	})
}

// The numbers of the node are those of its services, also of those that have
// ended.
func TestNodeStat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		h := launch(t, n, "echo", echo)
		sent := make(chan struct{})
		leaves := launch(t, n, "leaves", code{receive: func(co *Coroutine, m Message) {
			<-sent
			co.Exit()
		}})
		inside(t, n, func(co *Coroutine) {
			for range 3 {
				if _, err := co.Call(h, request(nil), 0); err != nil {
					t.Error(err)
				}
			}
			for range 5 {
				if err := co.Send(leaves, request("")); err != nil {
					t.Error(err)
				}
			}
			close(sent)
		})
		synctest.Wait()
		if err := n.Send(leaves, request(nil)); err == nil {
			t.Error("it lives still")
		}
		want := NodeStat{Services: 2, Launched: 3, Accepted: 8, Requests: 4, Drops: Drops{Exited: 4, NoService: 1}}
		if got := n.Stat(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		end(t, n, h)
		synctest.Wait()
		want.Services--
		if got := n.Stat(); got != want {
			t.Errorf("after another end: got %+v, want %+v", got, want)
		}
	})
}

// An answer that finds its whole caller gone is late, as one that finds its call
// ended; so is one that still stood in the caller's mailbox. The notice of an
// exit is no loss.
func TestLateAnswersOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := newNode(t)
		slow := launch(t, n, "slow", code{receive: func(co *Coroutine, m Message) {
			_ = co.Sleep(time.Minute, nil)
			_, _ = co.Reply(nil)
		}})
		dead := launch(t, n, "dead", code{start: func(co *Coroutine) { _, _ = co.Call(slow, request(nil), 0) }})
		synctest.Wait()
		end(t, n, dead)
		time.Sleep(time.Hour) //nolint:forbidigo // in a bubble
		synctest.Wait()
		if got := n.Drops(); got != (Drops{Late: 1}) {
			t.Errorf("got %+v", got)
		}

		// The caller holds its baton until its answer is in the mailbox, and ends.
		answered := make(chan struct{})
		prompt := launch(t, n, "prompt", code{receive: func(co *Coroutine, _ Message) {
			_, _ = co.Reply(nil)
			close(answered)
		}})
		launch(t, n, "exits", code{start: func(co *Coroutine) {
			co.Fork(func(co *Coroutine) { _, _ = co.Call(prompt, request(nil), 0) })
			co.Fork(func(co *Coroutine) {
				<-answered
				co.Exit()
			})
		}})
		synctest.Wait()
		if got := n.Drops(); got != (Drops{Late: 2}) {
			t.Errorf("got %+v", got)
		}
	})
}
