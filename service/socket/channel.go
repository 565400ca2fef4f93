package socket

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skynetgo/skynet/service"
)

// channelWindow is how much input of a channel may wait to be handled.
const channelWindow = 512 << 10

// ErrSocket is the error of a request whose connection could not be made, was
// lost or was closed before the answer came. Its text is Skynet's.
var ErrSocket = errors.New("[Error: socket]")

// ChannelConfig is what a Channel is made of.
type ChannelConfig struct {
	// Addr is where to connect to, "host:port" or "tls://host:port".
	Addr string
	// Conn says how; Channel.SetConfig changes it.
	Conn Config
	// Response reads one frame of the peer's. An error closes the connection
	// and fails every request.
	Response func(frame []byte) (Response, error)
	// Watch, if set, is told what becomes of the connection, in place of the log.
	// It must not block.
	Watch func(c *service.Context, e ChannelEvent)
}

// ChannelEvent is what a ChannelConfig.Watch is told.
type ChannelEvent struct {
	Kind     ChannelEventKind
	Addr     string
	Err      error // of ChannelFailed and ChannelLost; wraps ErrSocket
	Requests int   // without an answer, of ChannelLost
	Unsent   int   // bytes that were still to be sent, of ChannelLost
}

// ChannelEventKind says what has happened to a channel's connection.
type ChannelEventKind uint8

// What happens to the connection of a channel.
const (
	ChannelDialing ChannelEventKind = iota // an attempt to connect begins
	ChannelUp                              // connected
	ChannelFailed                          // the attempt has failed
	ChannelLost                            // the connection has ended
)

// Response is one answer, or a part of one.
type Response struct {
	Session uint32
	Failed  bool   // the peer says no; Data says why
	Data    []byte // belongs to the requester; nil adds no part when more follow
	More    bool   // more parts of this session follow; not when Failed
}

// Request is what Channel.Do sends.
type Request struct {
	Session uint32
	Frames  [][]byte      // whole frames, their length included; one may be spread over several slices
	Low     bool          // with low priority, each frame by itself
	Timeout time.Duration // bounds the time to connect, and Expire goes by it; 0: that of calls, service.Forever: none
	// Done runs when the answer has come, which failed says may be a no with the
	// text in parts[0], or when the connection is lost or Expire ends the request,
	// and not after Forget; it should not block. Without Done there is no answer to
	// wait for, and Session is not used.
	Done  func(c *service.Context, parts [][]byte, failed bool, err error)
	Parts [][]byte // memory for the list of the answer's parts, of which the length does not count
}

// Channel is one connection that carries many requests at once, told apart by
// their sessions, and connects when it is used: Skynet's socketchannel in its
// session mode. When the connection is lost, all requests fail and the next use
// connects again; nothing is sent twice. It is used under the baton of one
// service.
type Channel struct {
	addr     string
	config   Config
	response func(frame []byte) (Response, error)
	watch    func(c *service.Context, e ChannelEvent)
	handler  *Handler
	closed   bool
	fd       FD    // 0: not connected
	conn     *conn // the last one
	lost     error // why the last connection has ended
	attempt  *attempt
	line     []*place // those who wait for the connection, or for their turn after that
	requests map[uint32]request
	made     uint64 // requests so far
	received uint64 // frames so far
	unknown  uint64 // answers to nobody so far
}

// request is one that waits for its answer.
type request struct {
	number uint64
	until  time.Duration // when its caller gives up; 0: never
	parts  [][]byte
	done   func(c *service.Context, parts [][]byte, failed bool, err error)
}

// NewChannel makes a channel; it connects when it is first used.
func NewChannel(cfg ChannelConfig) *Channel {
	ch := &Channel{
		addr: cfg.Addr, config: cfg.Conn, response: cfg.Response, watch: cfg.Watch, requests: make(map[uint32]request),
	}
	ch.handler = &Handler{
		Data:    ch.frame,
		Close:   ch.ended,
		Error:   ch.failed,
		Warning: ch.warned,
	}
	return ch
}

// Addr returns where the channel connects to.
func (ch *Channel) Addr() string { return ch.addr }

// Connected reports whether there is a connection.
func (ch *Channel) Connected() bool { return ch.fd != 0 }

// Waiting reports whether a request waits for the answer to session.
func (ch *Channel) Waiting(session uint32) bool {
	_, ok := ch.requests[session]
	return ok
}

// Received returns how many frames have come so far.
func (ch *Channel) Received() uint64 { return ch.received }

// Unsent returns how many bytes wait to be sent.
func (ch *Channel) Unsent() int {
	if ch.fd == 0 {
		return 0
	}
	return ch.conn.unsent()
}

// Connect connects unless there is a connection, and blocks until it has. Those
// who call it, Request or Do meanwhile share the attempt and go on in the order
// they came, before anyone who comes later. A failure wraps ErrSocket.
func (ch *Channel) Connect(c *service.Context) error {
	ch.closed = false
	return ch.ready(c, func() (bool, error) { return ch.up(), nil })
}

// Request sends frames and blocks until the answer to session has come, which
// may be in several parts. frames are whole frames, their length included; one
// may be spread over several slices. With low they are sent with low priority,
// each by itself. A lost connection is an error that wraps ErrSocket, an answer
// that says no is a *FailedError.
func (ch *Channel) Request(c *service.Context, session uint32, frames [][]byte, low bool) ([][]byte, error) {
	var answer struct {
		came  bool
		parts [][]byte
		err   error
	}
	r := Request{Session: session, Frames: frames, Low: low}
	r.Done = func(c *service.Context, parts [][]byte, failed bool, err error) {
		if failed {
			parts, err = nil, &FailedError{string(parts[0])}
		}
		answer.came, answer.parts, answer.err = true, parts, err
		c.Wakeup(&answer)
	}
	if err := ch.Do(c, r); err != nil {
		return nil, err
	}
	if err := await(c, &answer); !answer.came {
		ch.Forget(session)
		return nil, fmt.Errorf("socket: request %d to %s: %w", session, ch.addr, err)
	}
	return answer.parts, answer.err
}

// await blocks until token is woken; an error when that took too long.
func await(c *service.Context, token any) error {
	timeout := c.CallTimeout()
	if timeout <= 0 {
		return c.Wait(token)
	}
	switch err := c.Sleep(timeout, token); {
	case err == nil:
		return fmt.Errorf("%w after %v", service.ErrTimeout, timeout)
	case errors.Is(err, service.ErrBreak):
		return nil
	default:
		return err
	}
}

// Do is Request without a coroutine that waits: it blocks only to connect. When
// it returns an error, r.Done is not called.
func (ch *Channel) Do(c *service.Context, r Request) error {
	if r.Timeout != 0 {
		c = c.WithTimeout(r.Timeout)
	}
	return ch.ready(c, func() (bool, error) { return ch.send(c, &r) })
}

// TryDo is Do unless that would block: then it returns false, and nothing has
// been done.
func (ch *Channel) TryDo(c *service.Context, r Request) (bool, error) {
	if len(ch.line) > 0 {
		return false, nil
	}
	return ch.send(c, &r)
}

// send is TryDo for the head of the line.
func (ch *Channel) send(c *service.Context, r *Request) (bool, error) {
	if ch.fd == 0 {
		return false, nil
	}
	if r.Done != nil && ch.Waiting(r.Session) {
		return true, fmt.Errorf("socket: request %d to %s: %w: the session is in use", r.Session, ch.addr, service.ErrMisuse)
	}
	var err error
	switch {
	case r.Low:
		err = ch.conn.writeLowFrames(r.Frames)
	case r.Done != nil && len(ch.requests) == 0:
		err = ch.conn.write(r.Frames, now) // whoever waits for this one makes no other
	default:
		err = ch.conn.write(r.Frames, high)
	}
	switch {
	case errors.Is(err, ErrClosed) && !errors.Is(err, ErrOverflow): // at any time by the peer; that is handled in its turn
		return false, nil
	case err != nil:
		err = fmt.Errorf("socket: request %d to %s: %w: %w", r.Session, ch.addr, ErrSocket, err)
		ch.lose(c, err)
		return true, err
	}
	if r.Done != nil {
		ch.made++
		q := request{number: ch.made, done: r.Done, parts: r.Parts[:0]}
		timeout := r.Timeout
		if timeout == 0 {
			timeout = c.CallTimeout()
		}
		if timeout > 0 {
			q.until = c.Now() + timeout
		}
		ch.requests[r.Session] = q
	}
	return true, nil
}

// Forget gives up waiting for an answer: its done is not called. An answer that
// comes after all is logged and dropped. False when nobody waits for it.
func (ch *Channel) Forget(session uint32) bool {
	_, ok := ch.requests[session]
	delete(ch.requests, session)
	return ok
}

// Expire ends the requests whose deadline has passed, with ErrTimeout. Until then
// they count, since their answers may still come.
func (ch *Channel) Expire(c *service.Context) {
	now := c.Now()
	for session, q := range ch.requests {
		if q.until > 0 && q.until <= now {
			delete(ch.requests, session)
			q.done(c, nil, false, fmt.Errorf("socket: request %d to %s: %w", session, ch.addr, service.ErrTimeout))
		}
	}
}

// Drop ends the connection at once, what waits to be sent included, and fails
// every request with reason. The next use connects again.
func (ch *Channel) Drop(c *service.Context, reason error) {
	if ch.fd != 0 {
		ch.lose(c, fmt.Errorf("%w: %s: %w", ErrSocket, ch.addr, reason))
	}
}

// ChangeHost has later uses connect to addr. A present connection is closed,
// which fails the requests that wait; an attempt under way is given up, and
// those who wait for it wait for one to addr.
func (ch *Channel) ChangeHost(c *service.Context, addr string) {
	ch.disconnect(c, "the address changed")
	ch.addr = addr
	if ch.giveUp() {
		ch.dial(c)
	}
}

// SetConfig has later connections made with cfg.
func (ch *Channel) SetConfig(cfg Config) { ch.config = cfg }

// Close ends the connection and fails what waits for it. The channel does not
// connect again before Connect.
func (ch *Channel) Close(c *service.Context) {
	ch.closed = true
	ch.disconnect(c, "closed")
	if ch.giveUp() {
		ch.next(c)
	}
}

func (ch *Channel) closedError() error {
	return fmt.Errorf("%w: channel to %s is closed", ErrSocket, ch.addr)
}

func (ch *Channel) frame(c *service.Context, fd FD, frame []byte) {
	if fd != ch.fd {
		return
	}
	ch.received++
	r, err := ch.response(frame)
	if err != nil {
		ch.lose(c, fmt.Errorf("%w: answer of %s: %w", ErrSocket, ch.addr, err))
		return
	}
	q, ok := ch.requests[r.Session]
	switch {
	case !ok:
		// A peer must not be able to fill the log.
		if ch.unknown++; ch.unknown <= 10 {
			c.Error("socket: unknown session :", r.Session)
		} else if ch.unknown&(ch.unknown-1) == 0 {
			c.Logf("socket: unknown session : %d (%d so far)", r.Session, ch.unknown)
		}
	case r.Failed:
		delete(ch.requests, r.Session)
		q.done(c, [][]byte{r.Data}, true, nil)
	case r.More:
		if r.Data != nil {
			q.parts = append(q.parts, r.Data)
			ch.requests[r.Session] = q
		}
	default:
		delete(ch.requests, r.Session)
		q.done(c, append(q.parts, r.Data), false, nil)
	}
}

func (ch *Channel) ended(c *service.Context, fd FD) {
	if fd == ch.fd {
		ch.lose(c, fmt.Errorf("%w: %s has closed the connection", ErrSocket, ch.addr))
	}
}

func (ch *Channel) failed(c *service.Context, fd FD, err error) {
	if fd == ch.fd {
		if ch.watch == nil {
			c.Error("socket: error on", fd, ErrorText(err))
		}
		ch.lose(c, fmt.Errorf("%w: %s: %w", ErrSocket, ch.addr, err))
	}
}

func (ch *Channel) warned(c *service.Context, fd FD, kb int) {
	c.Logf("WARNING: %d K bytes need to send out (fd = %d)", kb, fd)
}

// disconnect closes the connection after what was written has been sent.
func (ch *Channel) disconnect(c *service.Context, why string) {
	if ch.fd != 0 {
		_ = Close(c, ch.fd)
		ch.fail(c, fmt.Errorf("%w: connection to %s: %s", ErrSocket, ch.addr, why))
	}
}

// lose drops a connection that is of no use any more.
func (ch *Channel) lose(c *service.Context, err error) {
	_ = Shutdown(c, ch.fd)
	ch.fail(c, err)
}

// fail ends every request with err, in the order they were made, each on a
// coroutine of its own, since one may go on to use the channel.
func (ch *Channel) fail(c *service.Context, err error) {
	ch.fd, ch.lost = 0, err
	ch.tell(c, ChannelLost, err)
	lost := make([]request, 0, len(ch.requests))
	for _, q := range ch.requests {
		lost = append(lost, q)
	}
	clear(ch.requests)
	slices.SortFunc(lost, func(a, b request) int { return cmp.Compare(a.number, b.number) })
	for _, q := range lost {
		c.Fork(func(c *service.Context) { q.done(c, nil, false, err) })
	}
	ch.next(c)
}

func (ch *Channel) tell(c *service.Context, kind ChannelEventKind, err error) {
	if ch.watch != nil {
		e := ChannelEvent{Kind: kind, Addr: ch.addr, Err: err}
		if kind == ChannelLost {
			e.Requests, e.Unsent = len(ch.requests), ch.conn.unsentForEver()
		}
		ch.watch(c, e)
	}
}

// FailedError is an answer that says no.
type FailedError struct{ Text string }

func (e *FailedError) Error() string { return e.Text }
