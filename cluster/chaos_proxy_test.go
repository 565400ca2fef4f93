package cluster_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fault is what a chaosProxy does to a connection.
type fault int

const (
	faultNone   fault = iota
	faultDelay        // what comes waits for some milliseconds
	faultSplit        // its first splitBytes go on one by one
	faultFreeze       // nothing goes on in this direction, for longer than many calls wait
	faultCut          // part of it goes on, then the connection is closed
	faultReset        // the same, with RST
	faultHalf         // the same, in this direction only
	faultRefuse       // closed as soon as accepted
	faultKinds
)

func (f fault) String() string {
	return [...]string{"none", "delay", "split", "freeze", "cut", "reset", "half-close", "refuse"}[f]
}

const splitBytes = 1000

// faultRates are how many of 10,000 chunks of data meet with each fault, on
// average; of faultRefuse, how many connections.
var faultRates = [faultKinds]int{
	faultDelay: 40, faultSplit: 40, faultFreeze: 1, faultCut: 2, faultReset: 2, faultHalf: 2, faultRefuse: 1000,
}

// chaosProxy stands between two nodes and does to connections what networks do.
type chaosProxy struct {
	net.Listener
	target string
	seed   uint64
	calm   chan struct{} // closed when there are to be no more faults
	counts [faultKinds]atomic.Uint64
	bytes  atomic.Uint64
	work   sync.WaitGroup

	mu    sync.Mutex
	conns map[*net.TCPConn]struct{} // nil when closed
}

// newChaosProxy starts a proxy to target. It ends with the test.
func newChaosProxy(t testing.TB, target string, seed uint64) *chaosProxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &chaosProxy{Listener: ln, target: target, seed: seed, calm: make(chan struct{}), conns: make(map[*net.TCPConn]struct{})}
	p.work.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *chaosProxy) addr() string { return p.Listener.Addr().String() }

// appease ends the faults, also those under way.
func (p *chaosProxy) appease() { close(p.calm) }

func (p *chaosProxy) close() {
	p.Listener.Close()
	p.mu.Lock()
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.conns = nil
	p.mu.Unlock()
	p.work.Wait()
}

func (p *chaosProxy) accept() {
	for n := uint64(0); ; n++ {
		conn, err := p.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.serve(conn.(*net.TCPConn), n) })
	}
}

// serve joins the connection of number n with one to the target.
func (p *chaosProxy) serve(near *net.TCPConn, n uint64) {
	defer func() { _ = near.Close() }()
	r := rand.New(rand.NewPCG(p.seed, n<<1))
	if p.happens(r, faultRefuse) {
		return
	}
	conn, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	far := conn.(*net.TCPConn)
	defer func() { _ = far.Close() }()
	if !p.keep(near, far) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { p.pump(near, far, rand.New(rand.NewPCG(p.seed, n<<1+1))) })
	p.pump(far, near, r)
	back.Wait()
	p.forget(near, far)
}

func (p *chaosProxy) keep(conns ...*net.TCPConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		return false
	}
	for _, conn := range conns {
		p.conns[conn] = struct{}{}
	}
	return true
}

func (p *chaosProxy) forget(conns ...*net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		delete(p.conns, conn)
	}
}

// pump passes on what comes from src until it has ended, and its end too.
func (p *chaosProxy) pump(dst, src *net.TCPConn, r *rand.Rand) {
	chunk := make([]byte, 16<<10)
	for {
		n, err := src.Read(chunk)
		p.bytes.Add(uint64(n))
		if !p.pass(dst, src, chunk[:n], r) {
			return
		}
		switch err {
		case nil:
		case io.EOF:
			_ = dst.CloseWrite()
			return
		default:
			reset(dst, src)
			return
		}
	}
}

// pass writes one chunk, and reports whether the next may follow.
func (p *chaosProxy) pass(dst, src *net.TCPConn, chunk []byte, r *rand.Rand) bool {
	if len(chunk) == 0 {
		return true
	}
	var err error
	cut := r.IntN(len(chunk) + 1)
	switch f := p.draw(r); f {
	case faultDelay:
		p.rest(time.Duration(1+r.IntN(20)) * time.Millisecond)
	case faultFreeze:
		p.rest(time.Duration(200+r.IntN(1800)) * time.Millisecond)
	case faultSplit:
		for end := min(len(chunk), splitBytes); end > 0 && err == nil; end-- {
			_, err = dst.Write(chunk[:1])
			chunk = chunk[1:]
		}
	case faultCut, faultReset, faultHalf:
		_, _ = dst.Write(chunk[:cut])
		switch f {
		case faultCut:
			_ = dst.Close()
			_ = src.Close()
		case faultReset:
			reset(dst, src)
		case faultHalf:
			_ = dst.CloseWrite()
		}
		return false
	}
	if err == nil {
		_, err = dst.Write(chunk)
	}
	if err != nil {
		reset(dst, src)
	}
	return err == nil
}

// reset ends connections with RST.
func reset(conns ...*net.TCPConn) {
	for _, conn := range conns {
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
}

// draw decides what happens to a chunk.
func (p *chaosProxy) draw(r *rand.Rand) fault {
	for f := faultDelay; f < faultRefuse; f++ {
		if p.happens(r, f) {
			return f
		}
	}
	return faultNone
}

func (p *chaosProxy) happens(r *rand.Rand, f fault) bool {
	if r.IntN(10_000) >= faultRates[f] {
		return false
	}
	select {
	case <-p.calm:
		return false
	default:
		p.counts[f].Add(1)
		return true
	}
}

// rest waits, until the faults end at most.
func (p *chaosProxy) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.calm:
	}
}
