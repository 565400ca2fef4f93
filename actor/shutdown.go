package actor

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// lastLines is how long a logger may still write when Shutdown has given up.
const lastLines = time.Second

// Shutdown launches nothing more, runs what the services have given to OnStop,
// lets all handlers together finish until Config.StopTimeout has passed, and ends
// the services in the reverse order of their start, each once the one after it
// has ended; one that could finish then has as much time again for what has come
// since. Then it waits for the functions given to Await that outlived theirs, and
// releases the pool. When ctx ends first it returns with the names of those still
// there, all of them killed, once the logger has written what it was given or a
// second has passed; it may be called again. Code of a service must not call it.
func (n *Node) Shutdown(ctx context.Context) error {
	select {
	case n.shutdown <- struct{}{}:
		defer func() { <-n.shutdown }()
	case <-ctx.Done():
		return fmt.Errorf("actor: shutdown: %w", ctx.Err())
	}
	n.mu.Lock()
	n.closing = true
	living := append([]*Service(nil), n.living...)
	n.mu.Unlock()
	n.monitor.stop()
	slices.Reverse(living)
	for _, s := range living {
		_, _ = s.deliver(&Message{Type: PTypeResponse, Data: stopSignal{}}, false)
	}
	drained := n.drain(ctx, living)
	for i, s := range living {
		drained(i)
		n.stop(s)
		select {
		case <-s.Done():
		case <-ctx.Done():
			return n.leave(ctx, living[i:])
		}
	}
	select {
	case <-n.awaits.none():
	case <-ctx.Done():
		return fmt.Errorf("actor: shutdown: %w, still in Await: %s", ctx.Err(), n.awaits.list())
	}
	n.timers.stop()
	n.crew.close()
	n.release()
	n.release = func() {}
	return nil
}

// stop ends s; the logger writes first what it was given.
func (n *Node) stop(s *Service) {
	if logger, _ := n.reg.query(loggerName); s.handle == logger {
		s.retire()
	} else {
		s.kill()
	}
}

// leave ends all that is left, and waits for the log only.
func (n *Node) leave(ctx context.Context, living []*Service) error {
	var left []string
	logger, _ := n.reg.query(loggerName)
	for _, s := range living {
		n.stop(s)
		if s.handle == logger {
			select {
			case <-s.Done():
			case <-time.After(lastLines):
			}
		}
	}
	for _, s := range living {
		if !s.isGone() {
			left = append(left, s.handle.String()+" "+s.name)
		}
	}
	slices.Reverse(left)
	return fmt.Errorf("actor: shutdown: %w, still running: %s", ctx.Err(), strings.Join(left, ", "))
}

// stopSignal and drainSignal come to a service as answers to session 0.
type (
	stopSignal  struct{}
	drainSignal struct{ done chan<- struct{} }
)

// control takes a signal of Shutdown, for the holder.
func (s *Service) control(op any) {
	switch op := op.(type) {
	case stopSignal:
		s.own().stopped = true
		for _, f := range s.rare.stopping {
			s.forkStop(f)
		}
		s.rare.stopping = nil
	case drainSignal:
		s.own().drained = op.done
		s.checkDrained()
	}
}

// OnStop has f run as a coroutine of the service when Shutdown begins, before
// any service is ended: the place to stop taking work in. Shutdown waits for f as
// for a handler. When it has begun already f runs at once.
func (co *Coroutine) OnStop(f func(*Coroutine)) {
	if co.svc.rare.stopped {
		co.svc.forkStop(f)
	} else {
		co.svc.own().stopping = append(co.svc.rare.stopping, f)
	}
}

func (s *Service) forkStop(f func(*Coroutine)) {
	s.forks.push(func(co *Coroutine) {
		co.handles = true
		f(co)
	})
}

// drain asks all services at once to tell when they have no handler in progress
// and owe no answer. The function it returns waits for one of them, no longer
// than the configuration and ctx say.
func (n *Node) drain(ctx context.Context, living []*Service) func(i int) {
	if n.cfg.StopTimeout <= 0 {
		return func(int) {}
	}
	quiet := make([]<-chan struct{}, len(living))
	for i, s := range living {
		quiet[i] = s.quiet()
	}
	deadline := time.Now().Add(n.cfg.StopTimeout)
	return func(i int) {
		if s := living[i]; s.quietBy(ctx, deadline, quiet[i]) {
			s.quietBy(ctx, time.Now().Add(n.cfg.StopTimeout), s.quiet())
		}
	}
}

// quiet returns a channel that is closed once the service has nothing in
// progress.
func (s *Service) quiet() <-chan struct{} {
	done := make(chan struct{})
	if _, err := s.deliver(&Message{Type: PTypeResponse, Data: drainSignal{done}}, false); err != nil {
		close(done)
	}
	return done
}

// quietBy waits for quiet or the end of the service: false when neither has come
// by the deadline.
func (s *Service) quietBy(ctx context.Context, deadline time.Time, quiet <-chan struct{}) bool {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	select {
	case <-quiet:
		return true
	case <-s.Done(): // by itself, with the signal in its mailbox
		return true
	case <-ctx.Done():
	}
	select {
	case <-quiet:
		return true
	default:
		return false
	}
}

// checkDrained tells drain when nothing is in progress any more, for the holder.
func (s *Service) checkDrained() {
	if s.rare.drained == nil || s.closing.Load() == alive && s.inProgress() {
		return
	}
	close(s.rare.drained)
	s.rare.drained = nil
}

func (s *Service) inProgress() bool {
	if s.running != nil && s.running.handles || s.rare.held.len() > 0 {
		return true
	}
	for r := range s.rare.responses {
		if !r.lasting {
			return true
		}
	}
	for co := s.parked.first; co != nil; co = co.next {
		if co.handles {
			return true
		}
	}
	return false
}

// forgetEnded adds what s, which has ended, has come to to the node's numbers,
// and cleans the list of the living when half of it has ended.
func (n *Node) forgetEnded(s *Service) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.counted = true
	n.past.add(s)
	n.ends++
	if 2*n.ends < len(n.living) {
		return
	}
	n.ends = 0
	kept := n.living[:0]
	for _, s := range n.living {
		if !s.counted {
			kept = append(kept, s)
		}
	}
	clear(n.living[len(kept):])
	n.living = kept
}

// awaits counts the functions that Await runs, by service. They may outlive it.
type awaits struct {
	mu      sync.Mutex
	running map[*Service]int
	empty   chan struct{} // closed when the last one returns; nil while nobody waits for that
}

func (a *awaits) add(s *Service) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running == nil {
		a.running = make(map[*Service]int)
	}
	a.running[s]++
}

func (a *awaits) remove(s *Service) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running[s]--; a.running[s] == 0 {
		delete(a.running, s)
	}
	if len(a.running) == 0 && a.empty != nil {
		close(a.empty)
		a.empty = nil
	}
}

// none returns a channel that is closed once no function runs.
func (a *awaits) none() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.empty != nil {
		return a.empty
	}
	c := make(chan struct{})
	if len(a.running) == 0 {
		close(c)
	} else {
		a.empty = c
	}
	return c
}

// list names the services that functions run for, with their number.
func (a *awaits) list() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []string
	for s, n := range a.running {
		list = append(list, fmt.Sprintf("%s %s (%d)", s.handle, s.name, n))
	}
	sort.Strings(list)
	return strings.Join(list, ", ")
}
