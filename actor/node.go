package actor

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Node is one node: its services, names, timers and environment. Nodes of one
// process share nothing. Its methods are safe from any goroutine.
type Node struct {
	cfg      Config
	id       uuid.UUID
	started  time.Time
	reg      registry
	env      env
	timers   timers
	pool     Pool
	release  func()
	crew     crew
	blocks   blocks
	counters [dropReasons]atomic.Uint64
	serials  atomic.Int32 // living serial services
	labelers atomic.Int32 // users of LabelGoroutines
	graph    graph
	monitor  monitor

	mu       sync.Mutex
	closing  bool
	living   []*Service // in the order of their start, with gaps closed now and then
	ends     int        // services ended since living was last cleaned
	launched uint64     // services so far
	past     NodeStat   // what those had come to that have ended

	attached sync.Map // changes under mu

	awaits   awaits
	shutdown chan struct{} // has room for the one Shutdown at a time
	aborted  chan struct{} // closed by Abort
	abort    sync.Once
	named    sync.Once // the log has the node's ID
}

// NewNode makes a node without services.
func NewNode(cfg Config) (*Node, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("actor: node id: %w", err)
	}
	if cfg.Logger == nil {
		cfg.Logger = DefaultConfig().Logger
	}
	n := &Node{
		cfg: cfg, id: id, started: time.Now(), pool: cfg.Pool, release: func() {},
		shutdown: make(chan struct{}, 1), aborted: make(chan struct{}),
	}
	if n.pool == nil {
		if n.pool, n.release, err = newPool(); err != nil {
			return nil, err
		}
		n.crew.open()
	}
	n.timers.node = n
	n.reg.init()
	n.monitor.start(n)
	return n, nil
}

// ID returns the identity of this instance of the node: another one after each
// restart.
func (n *Node) ID() uuid.UUID { return n.id }

// Config returns what the node was made of.
func (n *Node) Config() Config { return n.cfg }

// StartTime returns when the node was made.
func (n *Node) StartTime() time.Time { return n.started }

// Uptime returns the time since the node was made; it never goes back.
func (n *Node) Uptime() time.Duration { return time.Since(n.started) }

// Spec says what Launch starts.
type Spec struct {
	// Name is for people; the address is the handle.
	Name string
	// Behaviour is the code.
	Behaviour Behaviour
	// Serial has requests handled one after the other: the next begins when the
	// handler of the one before has ended, not when it blocks. Answers, timers,
	// forks and debug messages still run meanwhile. Calls between serial services
	// that would wait for each other in a circle fail with ErrDeadlock.
	Serial bool
	// Mailbox is the most requests that may wait; more are ErrOverload to their
	// sender. 0 is no bound.
	Mailbox int
	// Inline has requests, what is sent with Lend and the functions of CallThen, when
	// the service is idle, run on the goroutine of who sends, without a hand-over.
	// They must not block: what may, such as Call, is ErrMisuse there, and must be
	// forked. Start, forks, timers and debug messages run as in other services.
	Inline bool
}

// Launch starts a service and returns its handle before its Start has run.
func (n *Node) Launch(spec Spec) (Handle, error) {
	s := &Service{
		node: n, behaviour: spec.Behaviour, name: spec.Name, serial: spec.Serial, limit: spec.Mailbox,
		busy: true, lastSession: 1, rare: &noRare,
	}
	if spec.Inline {
		s.inline = new(inline)
	}
	s.SetLogLevel(n.cfg.LogLevel)
	s.forks.push(spec.Behaviour.Start)
	n.mu.Lock()
	if n.closing {
		n.mu.Unlock()
		return 0, fmt.Errorf("launch %s: %w", spec.Name, ErrShutdown)
	}
	n.living = append(n.living, s)
	n.launched++
	if spec.Serial {
		n.serials.Add(1)
	}
	n.reg.add(s)
	n.mu.Unlock()
	h := s.handle
	s.node.schedule(s)
	return h, nil
}

// Find returns the living service with handle h, or nil.
func (n *Node) Find(h Handle) *Service { return n.reg.find(h) }

// Send delivers m to the mailbox of to; it never blocks. Source and Session
// are the caller's to set. The error is ErrNoService or ErrOverload, or what
// Isolate says.
func (n *Node) Send(to Handle, m Message) error {
	_, _, err := n.post(to, &m, false)
	return err
}

// post is Send, or with lent Lend, that tells who got m, and how many requests with it.
func (n *Node) post(to Handle, m *Message, lent bool) (*Service, uint32, error) {
	if n.cfg.Isolate != nil && m.Source != 0 {
		own, err := n.isolate(*m)
		if err != nil {
			return nil, 0, err
		}
		m = &own
	}
	s := n.reg.find(to)
	if s == nil {
		n.missed(*m)
		return nil, 0, fmt.Errorf("%w: %s", ErrNoService, to)
	}
	place, err := s.deliver(m, lent)
	switch err {
	case nil:
		return s, place, nil
	case ErrOverload:
		s.dropped(dropOverload)
		return nil, 0, fmt.Errorf("%w: %s %s has %d requests waiting", ErrOverload, to, s.name, s.limit)
	}
	n.missed(*m)
	return nil, 0, fmt.Errorf("%w: %s", ErrNoService, to)
}

// isolate calls Config.Isolate. A panic in it is its error: what was noted for a
// message must not stay because the message was never sent.
func (n *Node) isolate(m Message) (_ Message, err error) {
	defer func() {
		if r := recover(); r != nil {
			n.logPanic(m.Source, "Isolate", r)
			err = fmt.Errorf("actor: Isolate: panic: %v", r)
		}
	}()
	return n.cfg.Isolate(m)
}

// reply sends the answer to a request: true when it was delivered. In place of
// one that Isolate refuses the caller gets the reason.
func (n *Node) reply(to Handle, m Message) (bool, error) {
	err := n.Lend(to, m)
	if err == nil || errors.Is(err, ErrNoService) {
		return err == nil, nil
	}
	_ = n.Send(to, Message{Type: PTypeError, Session: m.Session, Source: m.Source, Data: fmt.Errorf("%w: %w", ErrCallFailed, err)})
	return false, err
}

// answer sends an error answer to the source of a request.
func (n *Node) answer(from Handle, request Message, t PType, err error) {
	_ = n.Send(request.Source, Message{Type: t, Session: request.Session, Source: from, Data: err})
}

// SetName gives h a local name, ".name". A taken name is ErrNameTaken.
func (n *Node) SetName(name string, h Handle) error { return n.reg.setName(name, h) }

// Query returns the owner of a local name.
func (n *Node) Query(name string) (Handle, bool) { return n.reg.query(name) }

// Resolve reads a textual address of a message: ".name" or ":HEX". A name that is
// nobody's counts as a message that is lost.
func (n *Node) Resolve(address string) (Handle, error) {
	if strings.HasPrefix(address, ":") {
		return ParseHandle(address)
	}
	if h, ok := n.reg.query(address); ok {
		return h, nil
	}
	n.counters[dropNoService].Add(1)
	return 0, fmt.Errorf("%w: %s", ErrNoService, address)
}

// Getenv returns the value of an environment key.
func (n *Node) Getenv(key string) (string, bool) { return n.env.get(key) }

// Setenv sets an environment key, once: ErrEnvExists the second time.
func (n *Node) Setenv(key, value string) error { return n.env.set(key, value) }

// Kill ends the service h and logs Skynet's line under the name of by. Its handle
// and its names are free at once; a handler that runs ends at its next blocking
// call; everyone who waits for the service gets ErrExited.
func (n *Node) Kill(by, h Handle) error {
	s := n.reg.find(h)
	n.Log(by, fmt.Sprintf("KILL :%x", uint32(h)))
	if s == nil || !s.kill() {
		return fmt.Errorf("kill %s: %w", h, ErrNoService)
	}
	return nil
}

// Attach returns the value kept under key for this node, made by mk when it is
// the first time; mk runs under a lock and must not use the node.
func (n *Node) Attach(key any, mk func() any) any {
	if v, ok := n.attached.Load(key); ok {
		return v
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if v, ok := n.attached.Load(key); ok {
		return v
	}
	v := mk()
	n.attached.Store(key, v)
	return v
}

// Services returns the living services in the order of their handles.
func (n *Node) Services() []*Service {
	list := n.reg.all()
	sort.Slice(list, func(i, j int) bool { return list[i].handle < list[j].handle })
	return list
}

// Abort asks whoever runs the node to shut it down; it does not wait.
func (n *Node) Abort() { n.abort.Do(func() { close(n.aborted) }) }

// Aborted returns a channel that is closed by Abort.
func (n *Node) Aborted() <-chan struct{} { return n.aborted }

func (n *Node) submit(task func()) {
	if n.pool.Submit(task) != nil {
		go task()
	}
}
