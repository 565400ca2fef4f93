package cluster_test

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// serverReplay gives our server what a real client sent, and wants from it what
// the real server answered.
type serverReplay struct {
	t       *testing.T
	srv     *recordedNode
	stopped bool
	conns   map[int]net.Conn
	out     []byte      // of the connection in use, not written yet
	due     []wireEvent // answers that have to come
	queries map[uint32]bool

	// before runs when the request of that session is about to be sent.
	before map[uint32]func(r *recordedNode)
	// skip leaves out a session whose answer is not this server's to give.
	skip uint32
	// same compares an answer that need not be the recorded one.
	same func(w wireEvent, frame []byte) bool
}

func newServerReplay(t *testing.T) *serverReplay {
	t.Parallel()
	return &serverReplay{
		t: t, srv: recordedServer(t, ""), conns: make(map[int]net.Conn),
		queries: make(map[uint32]bool), same: wireEvent.same,
	}
}

// replayServer replays a record as it is.
func replayServer(t *testing.T, name string) { newServerReplay(t).play(readTranscript(t, name)) }

func (s *serverReplay) play(tr transcript) {
	events := tr.Wire
	for _, w := range tr.WireSecond { // a second proxy in front of the same server
		w.Conn += 100
		events = append(events, w)
	}
	for i, w := range events {
		conn := s.conns[w.Conn]
		switch {
		case w.Dir == "c2s":
			if len(s.due) > 0 {
				s.collect(conn)
			}
			s.send(w)
		case w.Dir == "s2c":
			if w.session() != s.skip || s.skip == 0 {
				s.due = append(s.due, w)
			}
		case w.Event == "open":
			s.open(w.Conn, strings.HasPrefix(events[i+1].Event, "server refused"))
		case w.Event == "close" && w.By == "server":
			s.collect(conn)
			s.srv.Stop()
			s.stopped = true
			if frame, err := readFrame(conn); err == nil {
				s.t.Fatalf("the server that was killed sent %x", frame)
			}
		case w.Event == "close", strings.HasPrefix(w.Event, "cut"):
			s.collect(conn)
			_ = conn.Close()
		}
	}
	if len(s.out) != 0 || len(s.due) != 0 {
		s.t.Fatal("the record does not end with a close")
	}
}

// open connects. A server that was stopped is started again for it, unless it
// shall not be there.
func (s *serverReplay) open(id int, refused bool) {
	if refused && !s.stopped {
		s.srv.Stop()
		s.stopped = true
	}
	if !refused && s.stopped {
		s.srv, s.stopped = recordedServer(s.t, ""), false
	}
	conn, err := net.Dial("tcp", s.srv.addr)
	if refused {
		if err == nil {
			s.t.Fatal("a server that was killed accepts connections")
		}
		return
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	s.conns[id] = conn
}

func (s *serverReplay) send(w wireEvent) {
	session := w.requestSession()
	if f := s.before[session]; f != nil {
		f(s.srv)
	}
	if session == s.skip && s.skip != 0 {
		return
	}
	frame, err := w.frame()
	if err != nil {
		s.t.Fatal(err)
	}
	if r, err := wire.ParseRequest(frame[2:]); err == nil && r.Kind == wire.KindRequest && !r.Addr.ByName() && r.Addr.Handle == 0 {
		s.queries[session] = true
	}
	s.out = append(s.out, s.srv.known.request(frame)...)
}

// collect sends what is to be sent and reads the answers that are due, those of
// each session in their order.
func (s *serverReplay) collect(conn net.Conn) {
	s.t.Helper()
	if _, err := conn.Write(s.out); err != nil {
		s.t.Fatal(err)
	}
	s.out = nil
	expectFrames(s.t, conn, s.due, func(w wireEvent, frame []byte) bool {
		if s.queries[w.session()] && w.head()[6] == 1 {
			return s.sameHandle(w, frame)
		}
		return s.same(w, frame)
	})
	s.due = nil
}

// sameHandle compares the answers to a name query: ours has our handle.
func (s *serverReplay) sameHandle(w wireEvent, frame []byte) bool {
	args, err := lualike.Unpack(w.head()[7:])
	if err != nil || len(args) != 1 {
		return false
	}
	packed, err := lualike.Pack(s.srv.known[uint32(args[0].(int64))])
	ours, _ := wire.AppendResponse(nil, w.session(), true, packed)
	return err == nil && slices.Equal(frame, ours)
}

// expectFrames reads as many frames as are due and compares those of each
// session, in their order.
func expectFrames(t *testing.T, conn net.Conn, due []wireEvent, same func(wireEvent, []byte) bool) {
	t.Helper()
	bySession := make(map[uint32][]wireEvent)
	for _, w := range due {
		bySession[w.session()] = append(bySession[w.session()], w)
	}
	for range due {
		frame, err := readFrame(conn)
		if err != nil {
			t.Fatalf("%v while these are due: %v", err, bySession)
		}
		session := binary.LittleEndian.Uint32(frame[2:])
		want := bySession[session]
		if len(want) == 0 {
			t.Fatalf("an answer that is not recorded here: %x", frame)
		}
		if !same(want[0], frame) {
			t.Fatalf("session %d: answered %.80x\nrecorded %s", session, frame, want[0])
		}
		bySession[session] = want[1:]
	}
}

func TestReplayServerACallName(t *testing.T)           { replayServer(t, "a_call_name") }
func TestReplayServerBCallNumber(t *testing.T)         { replayServer(t, "b_call_number") }
func TestReplayServerFRetTwice(t *testing.T)           { replayServer(t, "f_ret_twice") }
func TestReplayServerGBackpressure(t *testing.T)       { replayServer(t, "g_backpressure") }
func TestReplayServerGInterleaved(t *testing.T)        { replayServer(t, "g_interleaved") }
func TestReplayServerGLargeRequest(t *testing.T)       { replayServer(t, "g_large_request") }
func TestReplayServerGLargeRequestLimits(t *testing.T) { replayServer(t, "g_large_request_limits") }
func TestReplayServerGLargeResponseLimits(t *testing.T) {
	replayServer(t, "g_large_response_limits")
}
func TestReplayServerHLargePush(t *testing.T)          { replayServer(t, "h_large_push") }
func TestReplayServerKProxy(t *testing.T)              { replayServer(t, "k_proxy") }
func TestReplayServerLNowaitingFalse(t *testing.T)     { replayServer(t, "l_nowaiting_false") }
func TestReplayServerLNowaitingTrue(t *testing.T)      { replayServer(t, "l_nowaiting_true") }
func TestReplayServerMFalseThenOtherPort(t *testing.T) { replayServer(t, "m_false_then_other_port") }
func TestReplayServerMNodeFalse(t *testing.T)          { replayServer(t, "m_node_false") }
func TestReplayServerMNodeMoves(t *testing.T)          { replayServer(t, "m_node_moves") }
func TestReplayServerNPendingFin(t *testing.T)         { replayServer(t, "n_pending_fin") }
func TestReplayServerNPushDisconnected(t *testing.T)   { replayServer(t, "n_push_disconnected") }
func TestReplayServerNRefusedThenUp(t *testing.T)      { replayServer(t, "n_refused_then_up") }
func TestReplayServerNRestart(t *testing.T)            { replayServer(t, "n_restart") }
func TestReplayServerQOutOfOrder(t *testing.T)         { replayServer(t, "q_out_of_order") }
func TestReplayServerQSessionWrap(t *testing.T)        { replayServer(t, "q_session_wrap") }

// The caller may hear of the end of a service a moment before its handle is free.
func TestReplayServerFErrors(t *testing.T) {
	s := newServerReplay(t)
	s.before = map[uint32]func(*recordedNode){9: func(r *recordedNode) {
		eventually(t, "the service that exits is gone", func() bool { return r.Find(r.known[recordedVictim]) == nil })
	}}
	s.play(readTranscript(t, "f_errors"))
}

// The record asks the far .service for a snax service with its second request;
// the tests of services/snax do that.
func TestReplayServerCCallDotname(t *testing.T) {
	s := newServerReplay(t)
	s.skip = 2
	s.play(readTranscript(t, "c_call_dotname"))
}

// The first push names a service that the agent has to ask for. Those after it
// may go first, and did in the record; which of them do is left to time (B179).
func TestReplayServerDSend(t *testing.T) {
	s := newServerReplay(t)
	s.same = func(w wireEvent, frame []byte) bool {
		if w.session() != 1 {
			return w.same(frame)
		}
		recorded, ours := notesOf(w.head()[7:]), notesOf(frame[7:])
		slices.Sort(recorded)
		slices.Sort(ours)
		return len(ours) == 3 && slices.Equal(recorded, ours)
	}
	s.play(readTranscript(t, "d_send"))
	s.srv.Log.Wait(t, "boom [push boom]")
}

// notesOf returns the pushes that a packed table of "notes" has.
func notesOf(packed []byte) (texts []string) {
	args, err := lualike.Unpack(packed)
	if err != nil || len(args) != 1 {
		return nil
	}
	for _, v := range args[0].(*lualike.Table).All() {
		text, _ := v.(*lualike.Table).Get(1).(string)
		texts = append(texts, text)
	}
	return texts
}

func TestReplayServerEQuery(t *testing.T) {
	s := newServerReplay(t)
	step := func(f func(c *service.Context, r *recordedNode) error) func(*recordedNode) {
		return func(r *recordedNode) { r.Run(func(c *service.Context) error { return f(c, r) }) }
	}
	s.before = map[uint32]func(*recordedNode){
		5: step(func(c *service.Context, _ *recordedNode) error { return cluster.Unregister(c, "sdb") }),
		7: step(func(c *service.Context, r *recordedNode) error {
			return errors.Join(cluster.Unregister(c, "victim"), cluster.Register(c, "sdb", r.known[recordedVictim]))
		}),
	}
	s.play(readTranscript(t, "e_query"))
	for _, line := range []string{"Unregister [sdb] " + s.srv.known[recordedSdb].String(), "Register [sdb] " + s.srv.known[recordedVictim].String()} {
		s.srv.Log.Wait(t, line)
	}
}

// Both nodes listen. The server calls back between the two calls that it gets.
func TestReplayServerRBothWays(t *testing.T) {
	tr := readTranscript(t, "r_both_ways")
	tr.WireSecond[len(tr.WireSecond)-1].By = "client"
	back := startPeer(t, tr.WireSecond)
	go back.play()
	tr.WireSecond = nil
	s := newServerReplay(t)
	s.before = map[uint32]func(*recordedNode){2: func(r *recordedNode) {
		r.Run(func(c *service.Context) error {
			if err := cluster.Reload(c, cluster.Table{"me": back.listener.Addr().String()}); err != nil {
				return err
			}
			got, err := cluster.Call(c, "me", "@back", "echo", "from the server", 1)
			if err == nil {
				err = want("called back", got, lualike.Args{"from the server", int64(1)})
			}
			return errors.Join(err, cluster.Send(c, "me", "@back", "log", "pushed by the server"))
		})
	}}
	s.play(tr)
	s.srv.WaitIdle()
	s.srv.Stop()
	if <-back.end; back.err != nil {
		t.Error(back.err)
	}
}
