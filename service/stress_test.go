package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/launcher"
)

const (
	stressServices = 1000
	stressCrowd    = 8
	stressCallers  = 200
	// stressGrace is how long after its deadline a call may end on a machine that
	// has much else to do.
	stressGrace = 20 * time.Second
)

// errWork is the error of a worker's handler. It hides what its own calls came
// to, so that ErrNoService and ErrOverload are about the caller's own request.
var errWork = errors.New("work failed")

// stress is a node full of workers that call, kill and end each other.
type stress struct {
	t     testing.TB
	node  *service.Node
	seed  uint64
	slots [stressServices]atomic.Uint32 // the worker in each place
	stop  atomic.Bool
	lives atomic.Uint64 // workers so far
	fills atomic.Int64  // places that are being filled
	base  uint64        // messages to nobody at the start: the launcher's to itself
	id    atomic.Int64  // of the last request

	posted     atomic.Uint64 // requests that left their sender
	noService  atomic.Uint64 // of these, refused for want of a receiver
	overload   atomic.Uint64 // refused by a full mailbox
	begun      atomic.Uint64 // that a handler has begun with
	calls      atomic.Int64  // that were made
	unwound    atomic.Int64  // whose coroutine was ended
	values     atomic.Int64  // that gave a value
	errs       [len(stressErrors)]atomic.Int64
	unexpected sync.Once
}

// stressErrors are what a call may fail with.
var stressErrors = [...]error{
	service.ErrNoService, service.ErrOverload, service.ErrTimeout, service.ErrDeadlock, service.ErrExited, service.ErrCallFailed,
}

// TestStress runs for a second; make stress for as long as it is told. The log
// has the seed; with it the same chances are drawn again, though not in the same
// order.
func TestStress(t *testing.T) {
	seed, duration := rand.Uint64(), time.Second
	if text := os.Getenv("STRESS_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	if text := os.Getenv("STRESS_DURATION"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		duration = d
	}
	t.Logf("SEED=%d", seed)
	s := &stress{t: t, seed: seed}
	s.start()
	s.run(duration)
	s.settle()
	s.check()
}

// start makes the node and fills every place.
func (s *stress) start() {
	cfg := actor.DefaultConfig()
	cfg.Logger = actor.LoggerFunc(func(actor.Handle, string) {})
	cfg.StopTimeout = 0
	if s.seed%2 == 0 {
		cfg.Pool = actor.GoPool{}
	}
	cfg.Isolate = s.post
	n, err := actor.NewNode(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.node = n
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Shutdown(ctx); err != nil {
			s.t.Error(err)
		}
	})
	service.Install(n, launcher.Definition(),
		service.Def("worker0", s.worker),
		service.Def("worker1", s.worker, service.Serial),
		service.Def("worker2", s.worker, service.Mailbox(2)),
		service.Def("worker3", s.worker, service.Serial, service.Mailbox(1)))
	h, err := service.Start(s.t.Context(), n, "launcher")
	if err == nil {
		err = n.SetName(launcher.Name, h)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, n.Idle, "the launcher has told itself of its start")
	s.base = n.Drops().NoService
	serve(s.t, &node{Node: n}, "nursery", func(c *service.Context) {
		for slot := range s.slots {
			s.fills.Add(1)
			c.Fork(func(c *service.Context) { s.fill(c, slot) })
		}
	})
	eventually(s.t, func() bool { return s.fills.Load() == 0 }, "all places are filled")
}

// post sees every message between services, before anything can become of it.
func (s *stress) post(m service.Message) (service.Message, error) {
	if args, ok := m.Data.(lualike.Args); ok && m.Source != 0 && m.Type == service.PTypeLua && args.At(0) == "work" {
		s.posted.Add(1)
	}
	if s.seed%4 < 2 {
		return m, nil
	}
	return service.Isolate(m)
}

// fill puts a worker into a place, and another one when that has ended.
func (s *stress) fill(c *service.Context, slot int) {
	defer s.fills.Add(-1)
	for !s.stop.Load() {
		life := s.lives.Add(1)
		h, err := c.WithTimeout(service.Forever).NewService(fmt.Sprintf("worker%d", slot%4), int64(life))
		if err != nil || h == 0 {
			continue // its start was none
		}
		s.slots[slot].Store(uint32(h))
		if _, err := service.Watch(c, h, func(c *service.Context, reason error) {
			if !errors.Is(reason, service.ErrExited) {
				s.t.Errorf("watch: %v", reason)
			}
			s.fills.Add(1)
			s.fill(c, slot)
		}); err == nil {
			return
		}
	}
}

// run has callers that nobody ends call workers for a while.
func (s *stress) run(duration time.Duration) {
	done := make(chan struct{})
	left := stressCallers
	serve(s.t, &node{Node: s.node}, "callers", func(c *service.Context) {
		for i := range stressCallers {
			c.Fork(func(c *service.Context) {
				s.caller(c, rand.New(rand.NewPCG(s.seed, uint64(i))))
				if left--; left == 0 {
					close(done)
				}
			})
		}
	})
	timer := time.NewTimer(duration)
	defer timer.Stop()
	<-timer.C
	s.stop.Store(true)
	receive(s.t, done)
}

func (s *stress) caller(c *service.Context, r *rand.Rand) {
	for !s.stop.Load() {
		if r.IntN(10) > 0 {
			s.call(c, r, 3)
			continue
		}
		requests := make([]service.Request, 1+r.IntN(4))
		for i := range requests {
			requests[i] = service.Req(s.anyone(r), "work", s.id.Add(1), 2)
		}
		s.calls.Add(int64(len(requests)))
		begin, timeout := time.Now(), s.timeout(r)
		for reply := range c.WithTimeout(timeout).Select(requests...) {
			s.ended(requests[reply.Index].Args[1], reply.Values.At(0), reply.Err, time.Since(begin)-timeout)
		}
	}
}

// anyone picks a worker, one of a few more often than others, so that mailboxes
// fill.
func (s *stress) anyone(r *rand.Rand) service.Handle {
	among := stressServices
	if r.IntN(2) == 0 {
		among = stressCrowd
	}
	return service.Handle(s.slots[r.IntN(among)].Load())
}

func (s *stress) timeout(r *rand.Rand) time.Duration {
	return time.Duration(1+r.IntN(200)) * time.Millisecond
}

// call calls anyone and sees how it ends.
func (s *stress) call(c *service.Context, r *rand.Rand, depth int) {
	id := s.id.Add(1)
	s.calls.Add(1)
	returned := false
	defer func() {
		if !returned {
			s.unwound.Add(1)
		}
	}()
	begin, timeout := time.Now(), s.timeout(r)
	v, err := service.Call[any](c.WithTimeout(timeout), s.anyone(r), "work", id, depth)
	returned = true
	s.ended(id, v, err, time.Since(begin)-timeout)
}

// ended counts how a call has ended, late after its deadline.
func (s *stress) ended(id, v any, err error, late time.Duration) {
	if late > stressGrace {
		s.t.Errorf("a call ended %v after its deadline: %v, %v", late, v, err)
	}
	if err == nil {
		if v != id {
			s.t.Errorf("request %v got the answer of %v", id, v)
		}
		s.values.Add(1)
		return
	}
	s.refused(err)
	for i, known := range stressErrors {
		if errors.Is(err, known) {
			s.errs[i].Add(1)
			return
		}
	}
	s.unexpected.Do(func() { s.t.Errorf("unexpected error: %v", err) })
}

// refused counts a request that no mailbox took.
func (s *stress) refused(err error) {
	switch {
	case errors.Is(err, service.ErrNoService):
		s.noService.Add(1)
	case errors.Is(err, service.ErrOverload):
		s.overload.Add(1)
	}
}

// worker is one service. Its fields are shared by its coroutines without a lock.
type worker struct {
	*stress
	r      *rand.Rand
	serial bool
	active int // handlers that have not returned
}

func (s *stress) worker(c *service.Context, args ...any) error {
	life := args[0].(int64)
	w := &worker{stress: s, r: rand.New(rand.NewPCG(s.seed, uint64(life)<<16)), serial: c.ServiceName() == "worker1" || c.ServiceName() == "worker3"}
	switch w.r.IntN(200) {
	case 0:
		return errWork
	case 1:
		panic("in the start")
	case 2:
		c.Exit()
	case 3:
		_ = c.Sleep(time.Millisecond)
	}
	c.Handle("work", service.F2(w.work))
	return nil
}

// work answers a request with its id, or does not.
func (w *worker) work(c *service.Context, id int64, depth int) (any, error) {
	w.begun.Add(1)
	if w.active++; w.serial && w.active > 1 {
		w.t.Errorf("%d handlers of a serial service at once", w.active)
	}
	defer func() { w.active-- }()
	switch dice := w.r.IntN(200); {
	case dice < 2:
		panic("at work")
	case dice < 4:
		c.Exit()
	case dice < 6:
		_ = c.Kill(w.anyone(w.r))
	case dice < 8:
		runtime.Goexit()
	case dice < 20:
		return nil, errWork
	case dice < 40:
		w.later(c, id)
		return nil, nil
	case dice < 60:
		return id, w.pause(c)
	case dice < 80:
		w.refused(c.Send(w.anyone(w.r), "work", w.id.Add(1), depth-1))
	case dice < 84:
		return service.Await(c, func(ctx context.Context) (any, error) {
			alarm := time.NewTimer(time.Millisecond)
			defer alarm.Stop()
			select {
			case <-ctx.Done():
			case <-alarm.C:
			}
			return id, nil
		})
	case dice < 180 && depth > 0:
		w.call(c, w.r, depth-1)
	}
	return id, nil
}

// later answers from another coroutine, or leaves it to the service's end.
func (w *worker) later(c *service.Context, id int64) {
	answer := c.Response()
	late := func(*service.Context) { _, _ = answer.Ret(id) }
	switch w.r.IntN(4) {
	case 0:
		c.Fork(late)
	case 1:
		c.Timeout(time.Duration(w.r.IntN(20))*time.Millisecond, late)
	case 2:
		c.Fork(func(c *service.Context) {
			w.call(c, w.r, 0)
			late(c)
		})
	}
}

func (w *worker) pause(c *service.Context) error {
	if w.r.IntN(2) == 0 {
		return c.Yield()
	}
	token := new(int)
	c.Timeout(time.Duration(w.r.IntN(5))*time.Millisecond, func(c *service.Context) { c.Wakeup(token) })
	return c.Wait(token)
}

// settle ends every worker and waits until nothing runs.
func (s *stress) settle() {
	eventually(s.t, func() bool { return s.fills.Load() == 0 }, "the nursery rests")
	do(s.t, &node{Node: s.node}, func(c *service.Context) {
		for i := range s.slots {
			_ = c.Kill(service.Handle(s.slots[i].Load())) // some have ended by themselves
		}
	})
	for i := range s.slots {
		if svc := s.node.Find(service.Handle(s.slots[i].Load())); svc != nil {
			receive(s.t, svc.Done())
		}
	}
	eventually(s.t, s.node.Idle, "the node is idle")
}

// check adds up.
func (s *stress) check() {
	stat := s.node.Stat()
	s.t.Logf("%+v", stat)
	s.t.Logf("%d lives, %d calls: %d values, %d unwound", s.lives.Load(), s.calls.Load(), s.values.Load(), s.unwound.Load())
	ends := s.values.Load() + s.unwound.Load()
	for i, err := range stressErrors {
		s.t.Logf("%v: %d", err, s.errs[i].Load())
		ends += s.errs[i].Load()
	}
	if ends != s.calls.Load() {
		s.t.Errorf("%d calls, %d ends", s.calls.Load(), ends)
	}
	d := stat.Drops
	if stat.Mailbox != 0 || stat.Accepted != stat.Requests+d.Exited {
		s.t.Errorf("mailboxes took %d requests, handlers %d, %d were dropped, %d wait", stat.Accepted, stat.Requests, d.Exited, stat.Mailbox)
	}
	if got := s.begun.Load() + d.Exited + d.NoService - s.base + d.Overload; got != s.posted.Load() {
		s.t.Errorf("%d requests, but %d handled and dropped", s.posted.Load(), got)
	}
	if d.NoService-s.base != s.noService.Load() || d.Overload != s.overload.Load() {
		s.t.Errorf("senders were refused %d and %d times", s.noService.Load(), s.overload.Load())
	}
	for _, svc := range s.node.Services() {
		switch svc.Name() {
		case "launcher", "nursery", "callers", "run":
		default:
			s.t.Errorf("%s %s is left", svc.Handle(), svc.Name())
		}
	}
	do(s.t, &node{Node: s.node}, func(c *service.Context) {
		if list, err := service.Call[map[string]string](c, launcher.Name, "LIST"); err != nil || len(list) != 0 {
			s.t.Errorf("the launcher's list: %v, %v", list, err)
		}
	})
	if s.begun.Load() < stressServices {
		s.t.Errorf("only %d requests were handled", s.begun.Load())
	}
}
