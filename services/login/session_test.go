package login_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/login"
)

func TestLogin(t *testing.T) {
	sv := startServer(t, login.Config{Authenticate: func(_ *service.Context, credentials []byte) (string, error) {
		switch text := string(credentials); text {
		case "nobody":
			return "", nil
		case "stranger":
			return "", errors.New("inside matters")
		case "banned":
			return "", service.Errorf("until Monday")
		default:
			return text, nil
		}
	}})
	for credentials, want := range map[string]string{
		"nobody": "login: denied", "stranger": "login: denied", "banned": "login: denied: until Monday",
	} {
		if _, err := sv.try(credentials); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", credentials, err, want)
		}
	}
	alice, bob := sv.dial("alice"), sv.dial("bob")
	sv.happens("start alice", "start bob")
	for i := range 3 {
		alice.say(fmt.Sprint("a", i))
		bob.say(fmt.Sprint("b", i))
	}
	alice.hears("echo a0", "echo a1", "echo a2")
	bob.hears("echo b0", "echo b1", "echo b2")
	sv.users(2)

	largest := strings.Repeat("x", login.MaxPacket)
	sv.tell("alice", "SEND", largest)
	alice.hears(largest)
	sv.Run(func(c *service.Context) error {
		if _, err := c.Call(".alice", "SEND", largest+"x"); !errors.Is(err, service.ErrMisuse) {
			return fmt.Errorf("a packet that is too large: %v", err)
		}
		return nil
	})
	sv.tell("alice", "EXIT")
	alice.wantEnd(login.Ended)
	sv.tell("bob", "EXIT")
	bob.wantEnd(login.Ended)
	sv.empty()
	sv.users(0)
}

// A player that is back has all packets once and in order, and so has the agent.
func TestResume(t *testing.T) {
	sv := startServer(t, login.Config{})
	cl := sv.dial("alice")
	sv.tell("alice", "SEND", "1")
	sv.tell("alice", "SEND", "2")
	cl.hears("1")
	cl.Close()
	sv.happens("start alice", "away alice")
	sv.tell("alice", "SEND", "3")
	if w := cl.resume(); w.Lost != 0 || w.Received != 0 {
		t.Errorf("welcome %+v", w)
	}
	sv.happens("back alice 0")
	cl.hears("2", "3")
	cl.say("hi")
	cl.hears("echo hi")

	// Before the server knows that the first connection is gone, many times.
	for i := range 20 {
		if w := cl.resume(); w.Lost != 0 || w.Received != 1+i {
			t.Fatalf("welcome %+v", w)
		}
		sv.happens("away alice", "back alice 0")
		cl.say("again")
		cl.hears("echo again")
	}
	sv.tell("alice", "EXIT")
	cl.wantEnd(login.Ended)
	sv.empty()
}

// What does not fit into the replay is lost, and that is told.
func TestReplayIsBounded(t *testing.T) {
	sv := startServer(t, login.Config{Replay: 10 * (24 + 2)})
	cl := sv.dial("alice")
	cl.Close()
	sv.happens("start alice", "away alice")
	for i := range 30 {
		sv.tell("alice", "SEND", fmt.Sprint(10+i))
	}
	if w := cl.resume(); w.Lost != 20 {
		t.Errorf("welcome %+v", w)
	}
	sv.happens("back alice 20")
	cl.hears("30", "31", "32", "33", "34", "35", "36", "37", "38", "39")

	none := startServer(t, login.Config{Replay: -1})
	cl = none.dial("bob")
	none.tell("bob", "SEND", "1")
	if w := cl.resume(); w.Lost != 1 {
		t.Errorf("welcome %+v", w)
	}
	none.tell("bob", "SEND", "2")
	cl.hears("2")
}

// A player who does not read is warned of by the gate, and gets everything later.
func TestSlowPlayer(t *testing.T) {
	sv := startServer(t, login.Config{})
	cl := sv.dial("alice")
	const packets = 300
	large := strings.Repeat("x", login.MaxPacket)
	for range packets {
		sv.tell("alice", "SEND", large)
	}
	for range packets {
		cl.hears(large)
	}
	if n := sv.Log.Count("error"); n != 0 {
		t.Error("an event of the gate went wrong")
	}
}

func TestGraceEnds(t *testing.T) {
	for _, grace := range []time.Duration{20 * time.Millisecond, -1} {
		sv := startServer(t, login.Config{Grace: grace})
		cl := sv.dial("alice")
		cl.Close()
		sv.happens("start alice", "away alice", "end alice expired")
		_, err := cl.tryResume()
		wantReason(t, err, login.Gone)
		sv.empty()
		sv.users(0)
	}
}

// Being back stops the clock.
func TestGraceIsStopped(t *testing.T) {
	const grace = 300 * time.Millisecond
	sv := startServer(t, login.Config{Grace: grace})
	for {
		cl := sv.dial("alice")
		cl.Close()
		sv.happens("start alice", "away alice")
		if _, err := cl.tryResume(); err != nil { // this machine was too slow
			wantReason(t, err, login.Gone)
			sv.happens("end alice expired")
			continue
		}
		sv.Run(func(c *service.Context) error { return c.Sleep(2 * grace) })
		sv.happens("back alice 0")
		cl.say("on")
		cl.hears("echo on")
		return
	}
}

func TestSecondLoginKicks(t *testing.T) {
	sv := startServer(t, login.Config{})
	first := sv.dial("alice")
	second := sv.dial("alice")
	first.wantEnd(login.Replaced)
	sv.happens("start alice", "end alice replaced", "start alice")
	_, err := first.tryResume()
	wantReason(t, err, login.Gone)
	second.Close()
	sv.happens("away alice")
	third := sv.dial("alice")
	sv.happens("end alice replaced", "start alice")
	third.say("hi")
	third.hears("echo hi")
	sv.users(1)
}

func TestSecondLoginIsRefused(t *testing.T) {
	sv := startServer(t, login.Config{Second: login.Refuse})
	first := sv.dial("alice")
	_, err := sv.try("alice")
	wantReason(t, err, login.Taken)
	first.say("hi")
	first.hears("echo hi")
	sv.happens("start alice")
	first.Close()
	sv.happens("away alice")
	sv.dial("alice") // who is away holds no place
	sv.happens("end alice replaced", "start alice")
	sv.users(1)
}

// Of many logins at once one is left, with an agent of its own.
func TestManyLoginsAtOnce(t *testing.T) {
	sv := startServer(t, login.Config{})
	const players = 20
	out := make(chan *client, players)
	for range players {
		go func() {
			cl, err := sv.try("alice")
			if err != nil && err.Error() != "login: replaced" {
				t.Error(err)
			}
			out <- cl
		}()
	}
	left := 0
	for range players {
		cl := <-out
		if cl == nil { // before it was welcome
			continue
		}
		if err := cl.Send([]byte("hi")); err != nil {
			continue
		}
		_ = cl.SetDeadline(time.Now().Add(patience))
		if _, err := cl.Receive(); err != nil {
			wantReason(t, err, login.Replaced)
			continue
		}
		cl.Close()
		left++
	}
	// Each of them had a turn before the next one, but all answers are in.
	sv.users(1)
	sv.settles(sv.login, "map[online:0 sessions:1 tokens:0 visitors:0]")
	running := 0
	for _, e := range sv.events.Lines() {
		switch {
		case strings.HasPrefix(e, "start"):
			running++
		case strings.HasPrefix(e, "end"):
			running--
		}
		if running < 0 || running > 1 {
			t.Fatalf("agents at once: %d\n%s", running, strings.Join(sv.events.Lines(), "\n"))
		}
	}
	if left == 0 {
		t.Error("no player is left")
	}
}

func TestAgentDies(t *testing.T) {
	sv := startServer(t, login.Config{})
	online, away := sv.dial("alice"), sv.dial("bob")
	away.Close()
	sv.happens("start alice", "start bob", "away bob")
	sv.Run(func(c *service.Context) error { return errors.Join(c.Kill(".alice"), c.Kill(".bob")) })
	online.wantEnd(login.Ended)
	sv.empty()
	for _, cl := range []*client{online, away} {
		_, err := cl.tryResume()
		wantReason(t, err, login.Gone)
	}
	sv.users(0)
	sv.dial("bob").say("hi")
}

// An agent whose end takes too long, or fails, is killed.
func TestAgentDoesNotEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		ending time.Duration
		end    func(c *service.Context, why login.Reason)
		log    string
	}{
		"slow":  {20 * time.Millisecond, func(c *service.Context, _ login.Reason) { _ = c.Wait() }, "login: the agent of alice does not end"},
		"panic": {time.Hour, func(*service.Context, login.Reason) { panic("not now") }, "not now"},
	} {
		t.Run(name, func(t *testing.T) {
			sv := newServer(t)
			sv.mixIn = func(_ *service.Context, _ *login.Session, ev *login.Events) error {
				ev.End = tt.end
				return nil
			}
			sv.open(login.Config{Grace: -1, Ending: tt.ending})
			sv.dial("alice").Close()
			sv.Log.Wait(t, tt.log)
			sv.empty()
			sv.users(0)
			sv.Run(func(c *service.Context) error {
				if h := c.LocalName(".alice"); h != 0 {
					return fmt.Errorf("the agent %s lives", h)
				}
				return nil
			})
		})
	}
}

// Who comes back while the agent saves is late.
func TestResumeWhileEnding(t *testing.T) {
	sv := newServer(t)
	saved := make(chan struct{})
	sv.mixIn = func(_ *service.Context, _ *login.Session, ev *login.Events) error {
		ev.End = func(c *service.Context, _ login.Reason) {
			sv.events.Add("saves")
			_, _ = service.Await(c, func(ctxOf) (any, error) { <-saved; return nil, nil })
		}
		return nil
	}
	sv.open(login.Config{Grace: -1})
	cl := sv.dial("alice")
	cl.Close()
	sv.happens("start alice", "away alice", "saves")
	_, err := cl.tryResume()
	wantReason(t, err, login.Gone)
	close(saved)
	sv.empty()
}

// What an earlier connection has left in the agent's mailbox counts no more.
func TestEarlierConnection(t *testing.T) {
	sv := startServer(t, login.Config{})
	cl := sv.dial("alice")
	sv.Run(func(c *service.Context) error {
		agent := c.LocalName(".alice")
		if err := c.Redirect(agent, sv.login, service.PTypeClient, 99, []byte("stale")); err != nil {
			return err
		}
		return c.Send(agent, "login.away", 99)
	})
	cl.say("hi")
	cl.hears("echo hi")
	if w := cl.resume(); w.Received != 1 {
		t.Errorf("welcome %+v", w)
	}
	sv.happens("start alice", "away alice", "back alice 0")
}

// A handler that panics ends nothing but itself.
func TestPanics(t *testing.T) {
	sv := newServer(t)
	sv.mixIn = func(_ *service.Context, s *login.Session, ev *login.Events) error {
		if s.User == "carol" {
			panic("no carol")
		}
		echo := ev.Packet
		ev.Packet = func(c *service.Context, packet []byte) {
			if string(packet) == "bad" {
				panic("bad packet")
			}
			echo(c, packet)
		}
		ev.Away = func(*service.Context) { panic("no way") }
		ev.Back = func(*service.Context, int) { panic("not again") }
		return nil
	}
	sv.open(login.Config{Authenticate: func(_ *service.Context, credentials []byte) (string, error) {
		if len(credentials) == 0 {
			panic("no credentials")
		}
		return string(credentials), nil
	}})
	for _, who := range []string{"", "carol"} {
		_, err := sv.try(who)
		wantReason(t, err, login.Failed)
	}
	sv.Log.Wait(t, "no credentials")
	sv.Log.Wait(t, "no carol")
	sv.empty()
	cl := sv.dial("alice")
	cl.say("bad")
	cl.say("good")
	cl.hears("echo good")
	cl.Close()
	sv.Log.Wait(t, "no way")
	cl.resume()
	sv.Log.Wait(t, "not again")
	cl.say("good")
	cl.hears("echo good")
	sv.users(1)
}

// Who refuses in the start of the agent may say why.
func TestStartFails(t *testing.T) {
	sv := newServer(t)
	sv.mixIn = func(c *service.Context, s *login.Session, _ *login.Events) error {
		switch s.User {
		case "alice":
			return service.Errorf("no character")
		case "bob":
			c.Exit()
		}
		return nil
	}
	sv.open(login.Config{})
	_, err := sv.try("alice")
	if err == nil || err.Error() != "login: failed: no character" {
		t.Errorf("got %v", err)
	}
	_, err = sv.try("bob")
	wantReason(t, err, login.Ended)
	sv.empty()
	sv.users(0)
}

// An agent that has started too late ends by itself.
func TestSlowStart(t *testing.T) {
	sv := newServer(t, nodetest.Env("calltimeout", "1s"))
	goOn := make(chan struct{})
	sv.mixIn = func(c *service.Context, _ *login.Session, _ *login.Events) error {
		_, err := service.Await(c, func(ctxOf) (any, error) { <-goOn; return nil, nil })
		return err
	}
	sv.open(login.Config{Hello: 400 * time.Millisecond})
	for len(sv.events.Lines()) == 0 { // until nothing before the start has taken too long
		if _, err := sv.try("alice"); err == nil {
			t.Fatal("let in without an agent")
		}
	}
	sv.empty()
	close(goOn)
	sv.happens("start alice", "end alice failed")
}

// The ordered stop of a node lets agents save.
func TestStop(t *testing.T) {
	sv := startServer(t, login.Config{}, nodetest.Config(func(cfg *bootstrap.Config) { cfg.Node.StopTimeout = patience }))
	online, away := sv.dial("alice"), sv.dial("bob")
	away.Close()
	sv.happens("start alice", "start bob", "away bob")
	stopped := make(chan struct{})
	go func() { defer close(stopped); sv.Stop() }()
	online.wantEnd(login.Stopping)
	<-stopped
	ends := 0
	for _, e := range sv.events.Lines() {
		if e == "end alice stopping" || e == "end bob stopping" {
			ends++
		}
	}
	if ends != 2 {
		t.Errorf("happened: %v", sv.events.Lines())
	}
}

// Without the login service there are no agents, and no gate; and the same for
// the gate.
func TestLoginServiceDies(t *testing.T) {
	sv := startServer(t, login.Config{})
	for _, victim := range []func() service.Handle{func() service.Handle { return sv.login }, sv.gate} {
		cl := sv.dial("alice")
		sv.happens("start alice")
		sv.Run(func(c *service.Context) error { return c.Kill(victim()) })
		_ = cl.SetDeadline(time.Now().Add(patience))
		if _, err := cl.Receive(); err == nil {
			t.Error("heard something")
		}
		sv.happens("end alice failed")
		if _, err := sv.try("alice"); err == nil {
			t.Error("it listens still")
		}
		sv.open(login.Config{})
		sv.users(0) // a login service that starts has nobody
	}
}

func TestTyped(t *testing.T) {
	sv := newServer(t)
	sv.mixIn = func(_ *service.Context, s *login.Session, ev *login.Events) error {
		ev.Packet = func(c *service.Context, packet []byte) {
			var n text
			if _, err := n.UnmarshalMsg(packet); err != nil {
				c.Error(err)
			}
			if err := s.SendMsg(c, n+n); err != nil {
				c.Error(err)
			}
			if err := s.SendMsg(c, text("")); err == nil {
				c.Error("what can not be packed was sent")
			}
		}
		return nil
	}
	sv.open(login.Config{})
	cl := sv.dial("alice")
	b, _ := text("ab").MarshalMsg(nil)
	cl.say(string(b))
	cl.hears("\xa4abab")
	if n := sv.Log.Count("was sent"); n != 0 {
		t.Error("what can not be packed was sent")
	}
}
