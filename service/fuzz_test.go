package service_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// FuzzProgram has a handful of services carry out a program, and checks that one
// coroutine of a service runs at a time, that requests from one service to
// another begin in the order in which they were made, and that each call has one
// end: its own answer, or an error. It runs in a bubble, where calls without a
// deadline that nothing answers show as well.
//
// The first byte says how the services are defined. The rest are instructions of
// three bytes: an operation and two operands. Every instruction is sent to a
// service, in turn; an operation that names another instruction has it carried
// out as well, up to a depth.
func FuzzProgram(f *testing.F) {
	f.Fuzz(func(t *testing.T, program []byte) {
		synctest.Test(t, func(t *testing.T) { runProgram(t, program) })
	})
}

const (
	machineServices = 5
	machineDepth    = 4
	machineLength   = 100 // instructions
)

// Operations. x and y are the operands.
const (
	opReturn   = iota // answer
	opError           // answer with an error
	opSend            // send y to service x
	opCall            // call service x with y, for as long as it takes
	opDeadline        // call service x with y, with a deadline
	opFork            // fork y
	opTimer           // carry out y after x milliseconds
	opSleep           // sleep for x milliseconds, then y
	opYield           // yield, then y
	opWait            // wait for token x, which y milliseconds wake at the latest
	opWakeup          // wake token x, then y
	opLate            // answer after x milliseconds
	opLateCall        // answer once a fork has called service x with y
	opSelect          // call services x and x+1 with y at once
	opAwait           // x milliseconds off the baton
	opBoth            // x, then y
	opRevive          // start service x anew when it has ended
	opExit
	opKill // service x
	opPanic
	opGoexit
	operations
)

// machine runs one program. The fields below are shared by all services, of
// which the bubble may run several at once.
type machine struct {
	t       *testing.T
	program []byte
	node    *service.Node
	shared  chan *tally // holds the one tally while nobody has it
}

// tally counts what has come of the calls.
type tally struct {
	slots  [machineServices]service.Handle
	steps  int // requests begun
	ids    int64
	calls  int
	ended  int // with a value or an error
	missed int // of these, and of those that were unwound, without their own answer
	cut    int // whose coroutine was unwound
}

// with runs f with the tally.
func (m *machine) with(f func(*tally)) {
	v := <-m.shared
	defer func() { m.shared <- v }()
	f(v)
}

func runProgram(t *testing.T, program []byte) {
	if len(program) == 0 {
		return
	}
	kinds := program[0]
	program = program[1:]
	program = program[:min(len(program), 3*machineLength)/3*3]
	cfg := actor.DefaultConfig()
	cfg.Logger = actor.LoggerFunc(func(actor.Handle, string) {})
	cfg.Pool, cfg.StopTimeout, cfg.MonitorInterval = actor.GoPool{}, 0, 0
	if kinds&0x80 != 0 {
		cfg.Isolate = service.Isolate
	}
	n, err := actor.NewNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, program: program, node: n, shared: make(chan *tally, 1)}
	m.shared <- &tally{}
	defs := make([]*service.Definition, machineServices)
	for i := range defs {
		var options []service.Option
		if kinds>>i&1 != 0 {
			options = append(options, service.Serial)
		}
		if i == machineServices-1 {
			options = append(options, service.Mailbox(2))
		}
		defs[i] = service.Def(machineName(i), m.start, options...)
	}
	service.Install(n, defs...)
	for i := range machineServices {
		if _, err := service.Start(t.Context(), n, machineName(i), i); err != nil {
			t.Fatal(err)
		}
	}
	for pc := 0; pc < len(program)/3; pc++ {
		m.with(func(v *tally) {
			_ = n.Send(v.slots[pc%machineServices], service.Message{
				Type: service.PTypeLua, Cmd: "do", Data: lualike.Args{0, int64(0), pc, machineDepth},
			})
		})
		if pc%7 == 6 {
			time.Sleep(time.Millisecond) //nolint:forbidigo // in a bubble
		}
	}
	time.Sleep(time.Hour) //nolint:forbidigo // in a bubble: everything that waits has a shorter end
	synctest.Wait()
	m.check()
	if err := n.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func machineName(i int) string { return "machine" + string(rune('0'+i)) }

func (m *machine) check() {
	v := <-m.shared
	if v.calls != v.ended+v.cut {
		m.t.Errorf("%d calls, %d have ended, %d were cut short", v.calls, v.ended, v.cut)
	}
	stat := m.node.Stat()
	if !m.node.Idle() || stat.Mailbox != 0 || stat.Accepted != stat.Requests+stat.Drops.Exited {
		m.t.Errorf("after an hour: %+v", stat)
	}
	if v.steps == 0 && len(m.program) > 0 {
		m.t.Error("nothing was carried out")
	}
	if stat.Drops.Late > uint64(v.missed+v.cut) {
		m.t.Errorf("%d answers too many, %d calls went without theirs", stat.Drops.Late, v.missed+v.cut)
	}
}

// part is one service of the machine. Its fields are its own.
type part struct {
	*machine
	busy bool                   // a coroutine runs
	sent map[service.Handle]int // requests made to each
	got  map[service.Handle]int // requests begun of each
}

func (m *machine) start(c *service.Context, args ...any) error {
	p := &part{machine: m, sent: make(map[service.Handle]int), got: make(map[service.Handle]int)}
	slot, ok := args[0].(int)
	if !ok { // isolated
		slot = int(args[0].(int64))
	}
	c.Handle("do", service.F4(p.do))
	m.with(func(v *tally) { v.slots[slot] = c.Self() })
	return nil
}

// do handles a request: the seq-th from its sender, when it is counted.
func (p *part) do(c *service.Context, seq int, id int64, pc, depth int) (any, error) {
	if from := c.Message().Source; seq > 0 {
		if p.got[from]++; p.got[from] != seq {
			p.t.Errorf("request %d of %s came as number %d", seq, from, p.got[from])
		}
	}
	p.with(func(v *tally) { v.steps++ })
	var err error
	p.exclusively(func() { err = p.step(c, id, pc, depth) })
	return id, err
}

// exclusively runs f, a whole coroutine but for what it does in block.
func (p *part) exclusively(f func()) {
	p.enter()
	defer func() { p.busy = false }() // when it was unwound nobody else is inside
	f()
}

func (p *part) enter() {
	if p.busy {
		p.t.Error("two coroutines of one service at once")
	}
	p.busy = true
}

// block runs f, which gives the baton away.
func (p *part) block(f func()) {
	p.busy = false
	f()
	p.enter()
}

// errStep is the error of an instruction; those of its own calls stay inside.
var errStep = errors.New("an instruction has failed")

// step carries out one instruction.
func (p *part) step(c *service.Context, id int64, pc, depth int) error {
	if depth == 0 {
		return nil
	}
	at := pc % (len(p.program) / 3) * 3
	op, x, y := p.program[at]%operations, int(p.program[at+1]), int(p.program[at+2])
	pause := time.Duration(x) * time.Millisecond
	next := func(c *service.Context, pc int) error { return p.step(c, id, pc, depth-1) }
	coroutine := func(c *service.Context) { p.exclusively(func() { _ = next(c, y) }) }
	switch op {
	case opError:
		return errStep
	case opSend:
		p.send(c, x, y, depth)
	case opCall:
		p.call(c.WithTimeout(service.Forever), x, y, depth)
	case opDeadline:
		p.call(c.WithTimeout(time.Duration(y%50)*time.Millisecond), x, y, depth)
	case opFork:
		c.Fork(coroutine)
	case opTimer:
		c.Timeout(pause, coroutine)
	case opSleep:
		p.block(func() { _ = c.Sleep(pause) })
		return next(c, y)
	case opYield:
		p.block(func() { _ = c.Yield() })
		return next(c, y)
	case opWait:
		c.Timeout(time.Duration(y)*time.Millisecond, func(c *service.Context) { c.Wakeup(x % 3) })
		p.block(func() { _ = c.Wait(x % 3) })
	case opWakeup:
		c.Wakeup(x % 3)
		return next(c, y)
	case opLate:
		answer := c.Response()
		c.Timeout(pause, func(*service.Context) { _, _ = answer.Ret(id) })
	case opLateCall:
		answer := c.Response()
		c.Fork(func(c *service.Context) {
			// Nobody can tell that an answer given away waits for a serial service,
			// so this call has a deadline.
			p.exclusively(func() { p.call(c.WithTimeout(time.Second), x, y, depth) })
			_, _ = answer.Ret(id)
		})
	case opSelect:
		p.selects(c, x, y, depth)
	case opAwait:
		p.block(func() {
			_, _ = service.Await(c, func(ctx context.Context) (any, error) {
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
				return nil, nil
			})
		})
	case opBoth:
		if err := next(c, x); err != nil {
			return err
		}
		return next(c, y)
	case opRevive:
		slot := x % machineServices
		if p.node.Find(p.target(slot)) == nil {
			_, _ = c.Launch(machineName(slot), slot)
		}
	case opExit:
		c.Exit()
	case opKill:
		_ = p.node.Kill(c.Self(), p.target(x))
	case opPanic:
		panic("an instruction")
	case opGoexit:
		runtime.Goexit()
	}
	return nil
}

func (p *part) target(x int) (h service.Handle) {
	p.with(func(v *tally) { h = v.slots[x%machineServices] })
	return h
}

func (p *part) send(c *service.Context, x, y, depth int) {
	to := p.target(x)
	if c.Send(to, "do", p.sent[to]+1, int64(0), y, depth-1) == nil {
		p.sent[to]++
	}
}

func (p *part) call(c *service.Context, x, y, depth int) {
	to := p.target(x)
	id := p.began()
	ended := false
	defer func() {
		if !ended {
			p.with(func(v *tally) { v.cut++ })
		}
	}()
	p.sent[to]++
	var got any
	var err error
	p.block(func() { got, err = service.Call[any](c, to, "do", p.sent[to], id, y, depth-1) })
	ended = true
	if notSent(err) {
		p.sent[to]-- // the coroutine has not stopped in between
	}
	p.ended(id, got, err)
}

// notSent reports whether a request has not left its sender.
func notSent(err error) bool {
	return errors.Is(err, service.ErrNoService) || errors.Is(err, service.ErrOverload) || errors.Is(err, service.ErrDeadlock)
}

func (p *part) selects(c *service.Context, x, y, depth int) {
	ids := [2]int64{p.began(), p.began()}
	var requests [2]service.Request
	for i, id := range ids {
		requests[i] = service.Req(p.target(x+i), "do", 0, id, y, depth-1)
	}
	left := len(ids)
	defer func() { p.with(func(v *tally) { v.cut += left }) }()
	p.block(func() {
		for r := range c.WithTimeout(time.Second).Select(requests[:]...) {
			left--
			p.ended(ids[r.Index], r.Values.At(0), r.Err)
		}
	})
}

// began counts a call and gives it a number.
func (p *part) began() (id int64) {
	p.with(func(v *tally) {
		v.ids++
		v.calls++
		id = v.ids
	})
	return id
}

// ended counts how a call has ended.
func (p *part) ended(id int64, got any, err error) {
	missed := errors.Is(err, service.ErrTimeout) || errors.Is(err, service.ErrExited) ||
		errors.Is(err, service.ErrDeadlock) && !errors.Is(err, service.ErrCallFailed) // a Select had sent it
	switch {
	case err == nil && got != id:
		p.t.Errorf("request %d got the answer of %v", id, got)
	case err != nil && !missed && !notSent(err) && !errors.Is(err, service.ErrCallFailed):
		p.t.Errorf("request %d: %v", id, err)
	}
	p.with(func(v *tally) {
		v.ended++
		if missed {
			v.missed++
		}
	})
}
