package actor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestShutdownEndsServicesInReverseOrder(t *testing.T) {
	n, _ := newNode(t)
	var order trace
	for i := range 5 {
		started := newChan()
		launch(t, n, "s", code{start: func(co *Coroutine) {
			co.Service().AtEnd(func() { order.add("%d", i) })
			co.Fork(func(co *Coroutine) {
				defer func() {
					if _, err := co.Node().Launch(Spec{Name: "late", Behaviour: code{}}); !errors.Is(err, ErrShutdown) {
						t.Errorf("launched during the shutdown: %v", err)
					}
					order.add("defer")
				}()
				close(started)
				_ = co.Wait(nil)
			})
		}})
		receive(t, started)
	}
	shutdown(t, n)
	if got := order.String(); got != "defer 4 defer 3 defer 2 defer 1 defer 0" {
		t.Errorf("order: %s", got)
	}
	shutdown(t, n) // once more is nothing
	if _, err := n.Launch(Spec{Name: "after", Behaviour: code{}}); !errors.Is(err, ErrShutdown) {
		t.Errorf("launched afterwards: %v", err)
	}
	if err := n.Send(1, request(nil)); !errors.Is(err, ErrNoService) {
		t.Errorf("sent afterwards: %v", err)
	}
	if left := n.Services(); len(left) != 0 {
		t.Errorf("%d services left", len(left))
	}
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	n, _ := newNode(t, pooled)
	running, gate := newChan(), newChan()
	quiet := launch(t, n, "quiet", code{})
	launch(t, n, "stubborn", code{start: func(*Coroutine) {
		close(running)
		<-gate
	}})
	receive(t, running)
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() { first <- n.Shutdown(ctx) }()
	eventually(t, func() bool { return len(n.shutdown) == 1 }, "the first Shutdown is at work")

	// A second one with less patience does not wait for the first.
	expired, stop := context.WithCancel(context.Background())
	stop()
	if err := n.Shutdown(expired); !errors.Is(err, context.Canceled) {
		t.Errorf("the second: %v", err)
	}
	cancel()
	err := receive(t, first)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), ":00000002 stubborn") {
		t.Errorf("Shutdown: %v", err)
	}
	eventually(t, func() bool { return n.Find(quiet) == nil }, "the others are killed too")
	close(gate)
	shutdown(t, n)
}

func TestShutdownWaitsForAwaitedFunctions(t *testing.T) {
	n, _ := newNode(t)
	running, gate := newChan(), newChan()
	h := launch(t, n, "awaits", code{start: func(co *Coroutine) {
		for range 2 {
			co.Fork(func(co *Coroutine) {
				_ = co.Await(func() {
					running <- struct{}{}
					<-gate // hears of no end
				})
			})
		}
	}})
	receive(t, running)
	receive(t, running)
	end(t, n, h)
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- n.Shutdown(ctx) }()
	eventually(t, func() bool {
		n.awaits.mu.Lock()
		defer n.awaits.mu.Unlock()
		return n.awaits.empty != nil
	}, "Shutdown waits")
	cancel()
	if err := receive(t, result); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), ":00000001 awaits (2)") {
		t.Errorf("Shutdown: %v", err)
	}
	close(gate)
	shutdown(t, n)
}

func TestShutdownAgainstLaunchAndKill(t *testing.T) {
	for range 50 {
		n, _ := newNode(t, pooled)
		var wg sync.WaitGroup
		begun := newChan()
		for g := range 4 {
			wg.Go(func() {
				for i := 0; ; i++ {
					h, err := n.Launch(Spec{Name: fmt.Sprint(g), Behaviour: code{start: func(co *Coroutine) { _ = co.Wait(nil) }}})
					if err != nil {
						if !errors.Is(err, ErrShutdown) {
							t.Error(err)
						}
						return
					}
					if g == 0 && i == 20 {
						close(begun)
					}
					if i%2 == 0 {
						_ = n.Kill(0, h)
					}
				}
			})
		}
		receive(t, begun)
		shutdown(t, n)
		wg.Wait()
		if left := n.Services(); len(left) != 0 {
			t.Fatalf("%d services left", len(left))
		}
	}
}
