package login_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/login"
)

// patience is how long a test waits for what must happen at last.
const patience = 30 * time.Second

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// server is a node with a login service, whose agents echo what they get.
type server struct {
	*nodetest.Node
	t      *testing.T
	node   string // its name in the cluster
	login  service.Handle
	addr   string // where clients connect
	dialer login.Dialer
	events nodetest.Recorder
	mixIn  func(c *service.Context, s *login.Session, ev *login.Events) error
}

// newServer starts a node that others can call, without a login service.
func newServer(t *testing.T, options ...nodetest.Option) *server {
	t.Helper()
	sv := &server{t: t}
	agent := login.Agent("player", sv.startPlayer)
	sv.Node = nodetest.Start(t, append(options, nodetest.Services(agent))...)
	sv.Run(func(c *service.Context) (err error) {
		sv.node, err = cluster.Open(c, 0) // an address is a node's name, too
		return err
	})
	return sv
}

// startServer starts a node and its login service, which lets everyone in as who
// he says.
func startServer(t *testing.T, cfg login.Config, options ...nodetest.Option) *server {
	t.Helper()
	sv := newServer(t, options...)
	sv.open(cfg)
	return sv
}

func (sv *server) open(cfg login.Config) {
	sv.t.Helper()
	if len(cfg.Gate.Doors) == 0 {
		cfg.Gate.Port = new(int)
	}
	if cfg.Authenticate == nil {
		cfg.Authenticate = func(_ *service.Context, credentials []byte) (string, error) { return string(credentials), nil }
	}
	if cfg.Agent == "" {
		cfg.Agent = "player"
	}
	service.Install(sv.Node.Node, login.Definition(func(*service.Context) (login.Config, error) { return cfg, nil }))
	sv.Run(func(c *service.Context) (err error) {
		sv.login, err = c.NewService(login.Name)
		return err
	})
	_, sv.addr, _ = strings.Cut(sv.Log.Wait(sv.t, fmt.Sprintf("[%s] login: clients connect to", sv.login)), "connect to ")
}

func (sv *server) startPlayer(c *service.Context, s *login.Session) (login.Events, error) {
	sv.events.Add("start " + s.User)
	c.Handle("SEND", service.P1(func(c *service.Context, packet []byte) error { return s.Send(c, packet) }))
	c.Handle("ONLINE", service.F0(func(*service.Context) (bool, error) { return s.Online(), nil }))
	c.Handle("EXIT", service.P0(func(c *service.Context) error { c.Exit(); return nil }))
	ev := login.Events{
		Packet: func(c *service.Context, packet []byte) { _ = s.Send(c, append([]byte("echo "), packet...)) },
		Away:   func(*service.Context) { sv.events.Add("away " + s.User) },
		Back:   func(_ *service.Context, lost int) { sv.events.Addf("back %s %d", s.User, lost) },
		End:    func(_ *service.Context, why login.Reason) { sv.events.Addf("end %s %s", s.User, why) },
	}
	if sv.mixIn != nil {
		if err := sv.mixIn(c, s, &ev); err != nil {
			return ev, err
		}
	}
	return ev, c.Register("." + s.User)
}

// tell sends the agent of a user a command and waits until it is done.
func (sv *server) tell(user string, args ...any) {
	sv.t.Helper()
	sv.Run(func(c *service.Context) error {
		_, err := c.Call("."+user, args...)
		if errors.Is(err, service.ErrExited) {
			err = nil
		}
		return err
	})
}

// happens waits until this is the next thing that has happened.
func (sv *server) happens(events ...string) {
	sv.t.Helper()
	sv.events.Expect(sv.t, events...)
}

// dial logs in.
func (sv *server) dial(credentials string) *client {
	sv.t.Helper()
	cl, err := sv.try(credentials)
	if err != nil {
		sv.t.Fatal(err)
	}
	return cl
}

func (sv *server) try(credentials string) (*client, error) {
	ctx, cancel := context.WithTimeout(sv.t.Context(), patience)
	defer cancel()
	cl, err := sv.dialer.Dial(ctx, sv.addr, []byte(credentials))
	if err != nil {
		return nil, err
	}
	sv.t.Cleanup(func() { _ = cl.Close() })
	return &client{cl, sv.t}, nil
}

// empty waits until nothing is left of anybody.
func (sv *server) empty() {
	sv.t.Helper()
	sv.settles(sv.login, "map[online:0 sessions:0 tokens:0 visitors:0]")
}

// settles waits until the service says so of itself.
func (sv *server) settles(h service.Handle, want string) {
	sv.t.Helper()
	got := ""
	for end := time.Now().Add(patience); got != want; runtime.Gosched() {
		if time.Now().After(end) {
			sv.t.Fatalf("left: %s, want %s", got, want)
		}
		sv.Run(func(c *service.Context) error {
			out, err := service.Debug(c, h, "INFO")
			if err != nil {
				return err
			}
			m, err := lualike.As[map[string]int](out.At(0))
			got = fmt.Sprint(m)
			return err
		})
	}
}

// users waits until the Userd of the node knows so many.
func (sv *server) users(n int) {
	sv.t.Helper()
	var h service.Handle
	sv.Run(func(c *service.Context) (err error) { h, err = c.UniqueService(login.Userd); return err })
	sv.settles(h, fmt.Sprintf("map[users:%d]", n))
}

// serveUsers makes the node the one whose Userd others ask.
func (sv *server) serveUsers() {
	sv.t.Helper()
	sv.Run(func(c *service.Context) error {
		h, err := c.UniqueService(login.Userd)
		if err != nil {
			return err
		}
		return cluster.Register(c, login.Userd, h)
	})
}

// client is a player.
type client struct {
	*login.Client
	t *testing.T
}

func (cl *client) Close() { _ = cl.Client.Close() }

func (cl *client) say(packet string) {
	cl.t.Helper()
	if err := cl.Send([]byte(packet)); err != nil {
		cl.t.Fatal(err)
	}
}

func (cl *client) hears(packets ...string) {
	cl.t.Helper()
	_ = cl.SetDeadline(time.Now().Add(patience))
	for _, want := range packets {
		got, err := cl.Receive()
		if err != nil || string(got) != want {
			cl.t.Fatalf("heard %.80q, %v, want %.80q", got, err, want)
		}
	}
}

// wantEnd checks that the server ends this connection for a reason.
func (cl *client) wantEnd(why login.Reason) {
	cl.t.Helper()
	_ = cl.SetDeadline(time.Now().Add(patience))
	_, err := cl.Receive()
	wantReason(cl.t, err, why)
}

func (cl *client) resume() login.Welcome {
	cl.t.Helper()
	w, err := cl.tryResume()
	if err != nil {
		cl.t.Fatal(err)
	}
	return w
}

func (cl *client) tryResume() (login.Welcome, error) {
	ctx, cancel := context.WithTimeout(cl.t.Context(), patience)
	defer cancel()
	return cl.Resume(ctx)
}

func wantReason(t *testing.T, err error, why login.Reason) {
	t.Helper()
	var r *login.Refusal
	if !errors.As(err, &r) || r.Reason != why {
		t.Fatalf("got %v, want %s", err, why)
	}
}

// kill ends the login service without a word to others, and its agents.
func (sv *server) kill() {
	sv.t.Helper()
	sv.Run(func(c *service.Context) error { return c.Kill(sv.login) })
}

// gate returns the gate of the login service.
func (sv *server) gate() service.Handle {
	for _, s := range socket.Info(sv.Node.Node) {
		if s.Type == socket.TypeListen && s.Peer == sv.addr {
			return s.Owner
		}
	}
	return 0
}
