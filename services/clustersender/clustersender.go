// Package clustersender is the service that speaks to one other node for all
// services of its own (service/clustersender.lua). It opens the connection,
// numbers the requests and gives the answers to who asked.
package clustersender

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/internal/freelist"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Definition returns the definition of the service. Its arguments are the name
// of the node, that of the own one and the address.
func Definition() *service.Definition { return definition(1) }

// definition is Definition with the number that sessions begin with.
func definition(session uint32) *service.Definition {
	return service.Def("clustersender", func(c *service.Context, args ...any) error { return start(c, session, args) }, service.Inline)
}

type sender struct {
	node     string
	own      string
	addr     string
	settings cluster.Settings
	link     *cluster.Link
	channel  *socket.Channel
	session  uint32
	large    map[uint32]*largeAnswer
	held     int // memory of these
	spare    freelist.List[request]
	pending  int    // requests without an answer
	waiting  int    // bytes that wait for the connection
	opened   uint64 // frames that had come before the connection
	probe    *service.Timer
	frame    []byte    // of small ones, which the socket does not keep; larger ones outgrow it
	out      [1][]byte // the list of one frame
}

func start(c *service.Context, session uint32, args []any) error {
	if len(args) != 3 {
		return fmt.Errorf("clustersender wants node, own name and address, not %d arguments", len(args))
	}
	s := &sender{
		node:     fmt.Sprint(args[0]),
		own:      fmt.Sprint(args[1]),
		addr:     fmt.Sprint(args[2]),
		settings: cluster.DefaultSettings(), // until the first changenode
		session:  session,
		large:    make(map[uint32]*largeAnswer),
		frame:    make([]byte, 0, socket.GatherSize),
	}
	s.link = cluster.LinkTo(c.Node(), s.node)
	s.channel = socket.NewChannel(socket.ChannelConfig{
		Addr: s.addr, Conn: connections(c, s.settings), Response: s.response, Watch: s.changed,
	})
	c.Handle(string(cluster.ReqCmd), service.P1(s.req))
	c.Handle(string(cluster.PushCmd), service.P1(s.push))
	c.Handle(string(cluster.PushesCmd), service.P1(s.pushes))
	c.Handle(string(cluster.ChangeNodeCmd), service.P1(s.changeNode))
	c.Handle(string(cluster.SettingsCmd), service.P1(func(c *service.Context, to cluster.Settings) error { s.configure(c, to); return nil }))
	return nil
}

// req sends a request; its answer goes to the caller when it comes. No
// coroutine waits for it.
func (s *sender) req(c *service.Context, r *cluster.Request) error {
	for range s.link.Skipped() {
		s.session = wire.NextSession(s.session)
	}
	session := s.session
	if err := s.admit(c, r.Size()); err != nil {
		s.session = wire.NextSession(session)
		return err
	}
	first, err := s.trace(c, session)
	if err != nil {
		return err
	}
	out, err := s.frames(first, *r, session, false)
	if err != nil {
		return err
	}
	s.session = wire.NextSession(session)
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = service.Forever
	}
	s.link.Traffic.Requests.Add(1)
	s.pending++
	q := s.newRequest()
	q.to, q.session, q.answer = r.Address(), session, c.Response()
	m := socket.Request{Session: session, Frames: out, Timeout: timeout, Done: q.done, Parts: q.parts[:]}
	s.write(c, m, r.Size(), q, 0)
	return nil
}

// write sends m with size bytes of payload, of q or of a number of pushes; on a
// coroutine of its own when that waits for a connection.
func (s *sender) write(c *service.Context, m socket.Request, size int, q *request, pushes int) {
	m.Low = len(m.Frames) > 1
	if ok, err := s.channel.TryDo(c, m); ok {
		s.sent(c, err, q, pushes)
		return
	}
	waits := m
	s.frame, waits.Frames = make([]byte, 0, socket.GatherSize), slices.Clone(m.Frames) // which are kept
	s.waiting += size
	c.Fork(func(c *service.Context) {
		defer func() { s.waiting -= size }()
		s.sent(c, s.channel.Do(c, waits), q, pushes)
	})
}

// sent tells whom it concerns that a message could not be sent, if err says so.
func (s *sender) sent(c *service.Context, err error, q *request, pushes int) {
	switch {
	case err == nil:
	case q == nil:
		s.lost(c, err, pushes)
	default:
		q.fail(err, false)
	}
}

// down is what the caller sees of an error of the channel.
func (s *sender) down(err error, left bool) error {
	if errors.Is(err, socket.ErrSocket) {
		return &cluster.DownError{Node: s.node, Addr: s.addr, Left: left, Reason: err}
	}
	return err
}

// trace returns the frame that announces the tag of a request, empty if it has none. It
// goes directly before it (B191), in one piece, so that nothing gets between.
func (s *sender) trace(c *service.Context, session uint32) ([]byte, error) {
	tag := c.TraceTag()
	if tag == "" {
		return s.frame, nil
	}
	if tag[0] != '(' {
		full := fmt.Sprintf("(%s-%s-%d)%s", s.own, s.node, wire.NextSession(session), tag)
		c.TraceLog(tag, "session "+full)
		tag = full
	}
	c.TraceLog(tag, "cluster "+s.node)
	return wire.AppendTrace(s.frame, tag)
}

// overloadPause is how long senders are refused at once when too much waits to
// be sent.
const overloadPause = 10 * time.Millisecond

// admit refuses what is over a limit, or has no connection to go by and is not
// to try for one yet.
func (s *sender) admit(c *service.Context, size int) error {
	if size > s.settings.MaxMessage {
		return fmt.Errorf("%w: %d bytes to node %s, the limit is %d", cluster.ErrTooLarge, size, s.node, s.settings.MaxMessage)
	}
	return s.admitAll(c, size)
}

// admitAll is admit for messages of size bytes together, none of which is too large.
func (s *sender) admitAll(c *service.Context, size int) error {
	if err := s.link.Refused(); err != nil {
		return err
	}
	if s.pending >= s.settings.MaxRequests {
		if s.channel.Expire(c); s.pending >= s.settings.MaxRequests {
			return fmt.Errorf("%w: %d requests to node %s wait for an answer", service.ErrOverload, s.pending, s.node)
		}
	}
	if n := s.channel.Unsent() + s.waiting; n+size > s.settings.MaxOutput {
		err := fmt.Errorf("%w: %d bytes wait to be sent to node %s", service.ErrOverload, n, s.node)
		if n > s.settings.MaxOutput/2 {
			s.link.RefuseFor(err, overloadPause)
		}
		return err
	}
	return nil
}

func (s *sender) push(c *service.Context, r cluster.Request) error {
	err := s.admit(c, r.Size())
	if err == nil {
		err = s.send(c, r)
	}
	if err != nil {
		s.lost(c, err, 1)
	}
	return nil
}

// pushes sends small messages of one service.
func (s *sender) pushes(c *service.Context, p *cluster.Pushes) error {
	frames, count, size := p.Take()
	if err := s.admitAll(c, size); err != nil {
		s.lost(c, err, count)
		return nil
	}
	s.link.Traffic.Pushes.Add(uint64(count))
	s.out[0] = frames
	s.write(c, socket.Request{Frames: s.out[:]}, size, nil, count)
	return nil
}

// lost counts pushes that can not be sent.
func (s *sender) lost(c *service.Context, err error, n int) {
	s.link.Drop(cluster.DropReasonOf(err), n)
	if s.link.FirstLoss() {
		c.Logf("push to node [%s] is lost: %v", s.node, err)
	}
}

func (s *sender) send(c *service.Context, r cluster.Request) error {
	session := s.session
	out, err := s.frames(s.frame, r, session, true)
	if err != nil {
		return err
	}
	if len(out) > 1 {
		s.session = wire.NextSession(session)
	}
	s.link.Traffic.Pushes.Add(1)
	s.write(c, socket.Request{Frames: out}, r.Size(), nil, 1)
	return nil
}

// configure takes other options. Those of connections hold from the next one on.
func (s *sender) configure(c *service.Context, to cluster.Settings) {
	was := s.settings
	if s.settings = to; to.Cert != was.Cert || to.Key != was.Key || to.CA != was.CA || to.Silence != was.Silence {
		s.channel.SetConfig(connections(c, to))
	}
	if to.Probe != was.Probe && s.channel.Connected() {
		s.watchLife(c)
	}
}

// connections says how they are made.
func connections(c *service.Context, settings cluster.Settings) socket.Config {
	n, self := c.Node(), c.Self()
	return settings.Socket(func(text string) { n.Log(self, text) })
}

// changeNode connects to another address, or with "" to none. A connection to
// the same one stays.
func (s *sender) changeNode(c *service.Context, to cluster.NodeChange) error {
	s.configure(c, to.Settings)
	if to.Addr == "" {
		c.Logf("Close cluster sender %s nil", s.addr)
		s.channel.Close(c)
		return nil
	}
	if s.addr != to.Addr {
		s.addr = to.Addr
		s.channel.ChangeHost(c, to.Addr)
	}
	answer, asked := c.Response(), c.Message().Session != 0
	c.Fork(func(c *service.Context) {
		err := s.channel.Connect(c)
		switch {
		case !asked:
		case err != nil:
			_, _ = answer.Fail(err) // logged by changed, when that is worth it
		default:
			_, _ = answer.Ret()
		}
	})
	return nil
}

// changed follows the connection: one line for each change, none while a node
// that is down stays so.
func (s *sender) changed(c *service.Context, e socket.ChannelEvent) {
	kind := cluster.LinkDialing
	switch e.Kind {
	case socket.ChannelUp:
		kind = cluster.LinkOpened
		s.opened = s.channel.Received()
	case socket.ChannelFailed:
		kind = cluster.LinkFailed
	case socket.ChannelLost:
		clear(s.large)
		s.held = 0
		kind = cluster.LinkLost
		if s.channel.Received() == s.opened {
			kind = cluster.LinkFailed
		}
	}
	change, counts := s.link.Happened(kind, e.Addr, e.Err, s.settings.Backoff)
	if !counts {
		return
	}
	switch e.Kind {
	case socket.ChannelUp:
		c.Logf("Cluster node [%s] is up : %s (%d attempts failed, %d messages not sent)", s.node, e.Addr, change.Attempts, change.Dropped)
		s.watchLife(c)
	case socket.ChannelFailed:
		if change.Attempts == 0 {
			c.Error("Connect failed", socket.ErrorText(e.Err), e.Addr, nil)
		}
	case socket.ChannelLost:
		s.link.Traffic.Unsent.Add(uint64(e.Unsent))
		c.Logf("Cluster node [%s] is down : %v (%d calls failed, %d bytes not sent)", s.node, e.Err, e.Requests, e.Unsent)
	}
}

// errSilent is why a link is taken down whose node gives no sign of life.
var errSilent = errors.New("no sign of life")

// watchLife asks a node that has been silent for a sign of life: a name query,
// which every node answers. When none comes it takes the link down.
func (s *sender) watchLife(c *service.Context) {
	if s.probe != nil {
		s.probe.Cancel()
	}
	if s.settings.Probe > 0 {
		s.check(c, s.channel.Received(), false)
	}
}

// check looks again after the time of a probe whether more than seen frames
// have come. asked says that a probe is under way.
func (s *sender) check(c *service.Context, seen uint64, asked bool) {
	s.probe = c.Timeout(s.settings.Probe, func(c *service.Context) {
		now := s.channel.Received()
		switch {
		case !s.channel.Connected() || s.settings.Probe <= 0:
		case now != seen:
			s.check(c, now, false)
		case asked:
			s.channel.Drop(c, fmt.Errorf("%w for %v", errSilent, 2*s.settings.Probe))
		default:
			s.ask(c)
			s.check(c, now, true)
		}
	})
}

// ask sends the name query. Whatever the node answers is a sign of life.
func (s *sender) ask(c *service.Context) {
	session := s.session
	s.session = wire.NextSession(session)
	name, err := lualike.Pack("probe")
	if err != nil {
		return
	}
	frame, _, err := wire.AppendRequest(nil, wire.NumAddr(0), session, name)
	if err != nil {
		return
	}
	_ = s.channel.Do(c, socket.Request{
		Session: session, Frames: [][]byte{frame}, Done: func(*service.Context, [][]byte, bool, error) { s.drop(session) },
	})
}

// frames is a message as it goes out, behind what is in first. A large payload is
// not copied: it belongs to the sender from here on.
func (s *sender) frames(first []byte, r cluster.Request, session uint32, push bool) (out [][]byte, err error) {
	size := r.Size()
	switch {
	case size >= wire.PartSize:
		if first, err = wire.AppendBegin(first, r.WireAddr(), session, size, push); err != nil {
			return nil, err
		}
		// With low priority the socket keeps the first frame too.
		return wire.RequestParts([][]byte{slices.Clone(first)}, session, size, r.Payload, r.More), nil
	case push:
		s.out[0], _, err = wire.AppendPush(first, r.WireAddr(), session, r.Payload)
	default:
		s.out[0], _, err = wire.AppendRequest(first, r.WireAddr(), session, r.Payload)
	}
	return s.out[:], err
}

// printable keeps the text of another node from writing lines of its own into
// the log.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
