package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// peer is the recorded server: it reads what our client sends, frame by frame,
// wants the recorded bytes, and answers with the recorded ones as soon as all
// that had been sent before them is there. It accepts and closes connections in
// the recorded order.
type peer struct {
	listener net.Listener
	accepted chan net.Conn
	conns    map[int]net.Conn
	wire     []wireEvent
	seen     []bool
	order    []int // events in the order in which their frames came
	end      chan struct{}
	err      error
	next     chan struct{} // the test says: start, or go on
	started  bool
	opened   chan int      // connections accepted
	passed   chan struct{} // one for each loss of a connection that the client has seen
	refused  atomic.Int32  // connections reset

	// overtaking lets small frames come before or between those of large
	// messages, as low priority has it; else all come in the recorded order.
	overtaking bool
	// same compares a frame with the recorded one.
	same func(w wireEvent, frame []byte) bool
}

// startPeer starts the server of a record, which is at work until the test
// ends.
func startPeer(t *testing.T, wire []wireEvent) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{
		listener: l,
		accepted: make(chan net.Conn, 16),
		conns:    make(map[int]net.Conn),
		wire:     wire,
		seen:     make([]bool, len(wire)),
		end:      make(chan struct{}),
		opened:   make(chan int, 64),
		passed:   make(chan struct{}, 16),
		next:     make(chan struct{}),
		same:     wireEvent.same,
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.accepted <- conn
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-stopped
		close(p.accepted)
		for conn := range p.accepted {
			_ = conn.Close()
		}
	})
	return p
}

// play runs through the record, and closes everything at the end.
func (p *peer) play() {
	defer close(p.end)
	defer func() {
		for _, conn := range p.conns {
			_ = conn.Close()
		}
		if p.err != nil {
			_ = p.listener.Close()
		}
	}()
	for i, w := range p.wire {
		if p.err = p.step(i, w); p.err != nil {
			p.err = fmt.Errorf("event %d, %s: %w", i, w, p.err)
			return
		}
	}
	select {
	case conn := <-p.accepted:
		p.conns[0] = conn
		p.err = errors.New("a connection more than recorded")
	default:
	}
}

func (p *peer) step(i int, w wireEvent) error {
	conn := p.conns[w.Conn]
	switch {
	case w.Dir == "c2s":
		for !p.seen[i] {
			if err := p.frame(w.Conn); err != nil {
				return err
			}
		}
	case w.Dir == "s2c":
		frame, err := w.frame()
		if err != nil {
			return err
		}
		_, err = conn.Write(frame)
		return err
	case w.Event == "open" && i+1 < len(p.wire) && strings.HasPrefix(p.wire[i+1].Event, "server refused"):
		return p.refuse()
	case w.Event == "open":
		return p.open(w.Conn)
	case w.Event == "close" && w.By == "client" || w.Event == "client closed":
		return p.closed(w.Conn)
	case w.Event == "close", w.Event == "server closes", strings.HasPrefix(w.Event, "cut"):
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			return err
		}
		defer func() { p.passed <- struct{}{} }()
		return p.closed(w.Conn)
	case strings.HasSuffix(w.Event, "stops reading from the client"):
		<-p.next
	}
	return nil
}

func (p *peer) open(id int) error {
	select {
	case conn, ok := <-p.accepted:
		if !ok {
			return net.ErrClosed
		}
		p.conns[id] = conn
		p.opened <- id
		return conn.SetDeadline(time.Now().Add(patience))
	case <-time.After(patience):
		return errors.New("no connection came")
	}
}

// refuse resets all connections until the test starts the server, each when
// the client has used it. How often it tries meanwhile is the client's affair.
func (p *peer) refuse() error {
	for !p.started {
		select {
		case conn, ok := <-p.accepted:
			if !ok {
				return net.ErrClosed
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, err := readFrame(conn)
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
			if err != nil {
				return err
			}
			p.refused.Add(1)
		case <-p.next:
			p.started = true
		}
	}
	return nil
}

// proceed lets the server start, or go on.
func (p *peer) proceed() {
	select {
	case p.next <- struct{}{}:
	case <-p.end:
	}
}

// closed waits until the client has closed its side.
func (p *peer) closed(id int) error {
	frame, err := readFrame(p.conns[id])
	if err == nil {
		return fmt.Errorf("the client sent %.80x instead", frame)
	}
	if err != io.EOF && !strings.Contains(err.Error(), "reset") {
		return err
	}
	return p.conns[id].Close()
}

// frame reads one frame and finds the event that it is.
func (p *peer) frame(id int) error {
	frame, err := readFrame(p.conns[id])
	if err != nil {
		return err
	}
	var due []string
	tried := make(map[bool]bool)
	for i, w := range p.wire {
		large := p.overtaking && w.large()
		if p.seen[i] || w.Conn != id || w.Dir != "c2s" || tried[large] {
			continue
		}
		tried[large] = true
		if p.same(w, frame) {
			p.seen[i] = true
			p.order = append(p.order, i)
			return nil
		}
		due = append(due, w.String())
	}
	return fmt.Errorf("the client sent %.80x, due are %q", frame, due)
}
