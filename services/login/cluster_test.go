package login_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/login"
)

// realm is a cluster: a node with the Userd, which players log in at, and gate
// nodes.
type realm struct {
	*server
	gates []*server
	to    chan []int // the gates that the next user may be placed at; all of them by default
}

func newRealm(t *testing.T, gates int, cfg login.Config, options ...nodetest.Option) *realm {
	t.Helper()
	r := &realm{server: newServer(t, options...), to: make(chan []int, 100)}
	r.serveUsers()
	cfg.Users = r.node
	for range gates {
		sv := newServer(t)
		cfg.Node = sv.node
		cfg.Authenticate = func(*service.Context, []byte) (string, error) { return "", errors.New("with tokens only") }
		sv.open(cfg)
		r.gates = append(r.gates, sv)
	}
	var all []int
	for i := range gates {
		all = append(all, i)
	}
	r.open(login.Config{Gate: cfg.Gate, Place: func(*service.Context, string) (nodes []string, err error) {
		choice := all
		select {
		case choice = <-r.to:
		default:
		}
		for _, i := range choice {
			nodes = append(nodes, r.gates[i].node)
		}
		return nodes, nil
	}})
	return r
}

// ticket logs in at the login node and does not go where it is sent.
func (r *realm) ticket(user string) (token, addr string) {
	r.t.Helper()
	got, err := io.ReadAll(raw(r.t, r.addr, "L"+user))
	if err != nil || len(got) < 3+26 || got[2] != 'G' {
		r.t.Fatalf("got %q, %v", got, err)
	}
	return string(got[3:29]), string(got[29:])
}

func TestHandover(t *testing.T) {
	r := newRealm(t, 2, login.Config{})
	r.to <- []int{1}
	alice, bob := r.dial("alice"), r.dial("bob")
	alice.say("hi")
	alice.hears("echo hi")
	bob.say("ho")
	bob.hears("echo ho")
	r.gates[1].happens("start alice")
	r.gates[0].happens("start bob")
	r.users(2)
	r.empty()

	// To the same node, which then finds the first by itself, and to another one.
	r.to <- []int{1}
	second := r.dial("alice")
	alice.wantEnd(login.Replaced)
	third := r.dial("alice")
	second.wantEnd(login.Replaced)
	r.gates[1].happens("end alice replaced", "start alice", "end alice replaced")
	r.gates[0].happens("start alice")
	third.Close()
	r.gates[0].happens("away alice")
	third.resume()
	third.say("hi")
	third.hears("echo hi")
	r.users(2)

	if _, err := r.gates[0].try("alice"); err == nil {
		t.Error("let in without a token")
	}
}

func TestTokenTwice(t *testing.T) {
	r := newRealm(t, 1, login.Config{})
	token, addr := r.ticket("alice")
	_ = raw(t, addr, "T"+token)
	r.gates[0].happens("start alice")
	got, err := io.ReadAll(raw(t, addr, "T"+token))
	if err != nil || string(got) != "\x00\x07Ndenied" {
		t.Errorf("got %q, %v", got, err)
	}
	r.gates[0].settles(r.gates[0].login, "map[online:1 sessions:1 tokens:0 visitors:0]")
}

func TestTokenExpires(t *testing.T) {
	r := newRealm(t, 1, login.Config{Token: 20 * time.Millisecond})
	token, addr := r.ticket("alice")
	r.gates[0].empty()
	got, err := io.ReadAll(raw(t, addr, "T"+token))
	if err != nil || string(got) != "\x00\x07Ndenied" {
		t.Errorf("got %q, %v", got, err)
	}
	r.users(0)
}

// A player logs in at two gates at once, again and again: one session is left
// each time, and its agent has not run beside the other.
func TestTwoGatesAtOnce(t *testing.T) {
	r := newRealm(t, 2, login.Config{})
	for range 10 {
		r.to <- []int{0}
		r.to <- []int{1}
		out := make(chan *client, 2)
		for range 2 {
			go func() {
				cl, err := r.try("alice")
				if err != nil && err.Error() != "login: replaced" {
					t.Error(err)
				}
				out <- cl
			}()
		}
		var left []*client
		for range 2 {
			if cl := <-out; cl != nil {
				left = append(left, cl)
			}
		}
		r.users(1)
		lives := 0
		for _, cl := range left {
			_ = cl.Send([]byte("hi")) // the one that was replaced may be closed
			_ = cl.SetDeadline(time.Now().Add(patience))
			_, err := cl.Receive()
			if err == nil {
				lives++
			} else {
				wantEnded(t, err)
			}
		}
		if lives != 1 {
			t.Fatalf("%d of two players play", lives)
		}
	}
	r.to <- []int{0}
	last := r.dial("alice")
	r.gates[1].empty()

	// The key is of no use at the other gate, at the same time or ever.
	token, addr := r.ticket("bob")
	nc := raw(t, addr, "T"+token)
	welcome := make([]byte, welcomeSize)
	if _, err := io.ReadFull(nc, welcome); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(raw(t, r.gates[1].addr, "R\x00\x00\x00\x00"+string(welcome[11:])))
	if err != nil || string(got) != "\x00\x05Ngone" {
		t.Errorf("got %q, %v", got, err)
	}
	last.say("hi")
	last.hears("echo hi")
}

// wantEnded allows for a reset, when something was sent to a closed connection.
func wantEnded(t *testing.T, err error) {
	t.Helper()
	var r *login.Refusal
	if errors.As(err, &r) && r.Reason != login.Replaced || errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

// The players of a gate node that has died without a word get in at another one.
func TestGateNodeDies(t *testing.T) {
	r := newRealm(t, 2, login.Config{})
	alice := r.dial("alice")
	r.dial("bob")
	r.gates[0].happens("start alice", "start bob")
	r.gates[0].kill()
	r.gates[0].Stop()
	if _, err := alice.tryResume(); err == nil {
		t.Error("resumed at a dead node")
	}
	again := r.dial("alice")
	again.say("hi")
	again.hears("echo hi")
	r.gates[1].happens("start alice")
	r.users(2)

	// No gate at all.
	r.gates[1].Stop()
	_, err := r.try("alice")
	wantReason(t, err, login.Failed)
	r.empty()
}

// A gate node that does not answer is passed over.
func TestGateNodeHangs(t *testing.T) {
	t.Parallel()
	sv := newServer(t)
	sv.open(login.Config{
		Hello: time.Minute, // of which it gets a sixtieth
		Place: func(*service.Context, string) ([]string, error) {
			return append([]string{"nowhere"}, make([]string, 58)...), nil
		},
	})
	cl := sv.dial("alice")
	cl.say("hi")
	cl.hears("echo hi")
	sv.Log.Wait(t, "login: alice at nowhere")
}

// What is known of a login service that has died is forgotten when the node has
// one again.
func TestLoginServiceRestarts(t *testing.T) {
	r := newRealm(t, 2, login.Config{})
	r.dial("alice")
	r.dial("bob")
	g := r.gates[0]
	g.happens("start alice", "start bob")
	g.kill()
	cl := r.dial("alice")
	r.gates[1].happens("start alice")
	cl.say("hi")
	cl.hears("echo hi")
	r.users(2)
	g.open(login.Config{Users: r.node, Node: g.node})
	r.users(1)
	g.Run(func(c *service.Context) error {
		if _, err := c.NewService(login.Name); !errors.Is(err, service.ErrNameTaken) {
			return fmt.Errorf("a second login service: %v", err)
		}
		return nil
	})
	r.dial("bob").say("hi")
	r.users(2)
}

// A Userd that has forgotten everything learns it again from the login services,
// and of two sessions of one user ends one.
func TestUserdRestarts(t *testing.T) {
	r := newRealm(t, 2, login.Config{})
	for i, user := range []string{"alice", "bob"} {
		r.to <- []int{i}
		r.dial(user)
	}
	r.gates[0].happens("start alice")
	r.gates[1].happens("start bob")

	center := newServer(t)
	center.serveUsers()
	move := func(sv *server) {
		// What the login services know as the Userd's node is elsewhere now.
		sv.Run(func(c *service.Context) error { return cluster.Reload(c, cluster.Table{r.node: center.node}) })
	}
	move(r.gates[0])
	r.to <- []int{0}
	r.dial("bob") // whom gate 1 still has
	r.gates[0].happens("start bob")
	center.users(2)
	move(r.gates[1])
	r.to <- []int{1}
	r.dial("carol")
	r.gates[1].settles(r.gates[1].login, "map[online:1 sessions:1 tokens:0 visitors:0]")
	if events := r.gates[1].events.Lines(); !slices.Contains(events, "end bob replaced") {
		t.Errorf("happened: %v", events)
	}
	center.users(3)
}

// When nobody knows where a user is, his next login waits for that and fails in
// time.
func TestFirstGateHangs(t *testing.T) {
	t.Parallel()
	r := newRealm(t, 2, login.Config{Hello: time.Minute, Ending: time.Hour}, nodetest.Env("calltimeout", "5s"))
	stuck := make(chan struct{})
	g := r.gates[0]
	g.mixIn = func(_ *service.Context, _ *login.Session, ev *login.Events) error {
		ev.End = func(c *service.Context, _ login.Reason) {
			_, _ = service.Await(c, func(ctx context.Context) (any, error) {
				select {
				case <-stuck:
				case <-ctx.Done():
				}
				return nil, nil
			})
		}
		return nil
	}
	r.dial("alice")
	r.to <- []int{1}
	_, err := r.try("alice")
	wantReason(t, err, login.Failed)
	close(stuck)
	g.empty()
	r.dial("alice")
	r.users(1)
}
