package login

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// Commands between login services of different nodes, and of Userd.
const (
	cmdExpect = "EXPECT"
	cmdEvict  = "EVICT"
)

// login is the state of the login service.
type login struct {
	cfg      Config
	gate     service.Handle
	public   string
	stopping bool
	visitors map[socket.FD]*visitor // connected, and not let in yet
	sessions map[string]*session    // by key, those that start or end too
	online   map[socket.FD]*session
	tokens   map[string]string // users
	failures map[string]failure
}

// failure is what the log has of players that did not get in for one reason.
type failure struct {
	quiet time.Duration // the time until which no more is logged
	more  int           // since the last line
}

// visitor is a client that has not been let in.
type visitor struct {
	fd    socket.FD
	timer *service.Timer
	spoke bool
}

// ticket is what a client needs to log in at another node.
type ticket struct {
	Token   string `lua:"token"`
	Address string `lua:"address"`
}

func (l *login) start(c *service.Context) (err error) {
	if l.gate, err = c.NewService(gate.Name); err != nil {
		return err
	}
	// They live and die together. Agents end when this service does.
	n, g := c.Node(), l.gate
	c.AtServiceEnd(func() { _ = n.Kill(g, g) })
	if _, err := service.Watch(c, g, func(c *service.Context, _ error) { c.Exit() }); err != nil {
		return err
	}
	c.Handle(gate.EventName, service.P3(l.event))
	c.Handle(cmdExpect, service.F1(l.expect))
	c.Handle(cmdEvict, service.F1(l.evict))
	c.OnStop(func(*service.Context) { l.stopping = true }) // agents end by themselves
	c.InfoFunc(l.info)
	if l.cfg.Users != "" {
		cluster.WatchLinks(c, func(c *service.Context, e cluster.LinkEvent) {
			if e.Node == l.cfg.Users && e.Kind == cluster.LinkOpened {
				_ = l.announce(c) // an error comes with another link
			}
		})
	}
	if err := l.announce(c); err != nil {
		c.Logf("login: no %s yet: %v", Userd, err)
	}
	if l.cfg.Node != "" {
		if err := register(c); err != nil {
			return err
		}
	}
	l.cfg.Gate.Watchdog = c.Self()
	at, err := c.Call(l.gate, gate.CmdOpen, l.cfg.Gate)
	if err != nil {
		return err
	}
	l.public = publicAddress(l.cfg.Gate, fmt.Sprintf("%v:%v", at.At(0), at.At(1)))
	c.Logf("login: clients connect to %s", l.public)
	if l.cfg.Public != "" {
		l.public = l.cfg.Public
	}
	return nil
}

// publicAddress returns where clients find the first door of a gate, which listens
// at hostport.
func publicAddress(g gate.OpenConfig, hostport string) string {
	door := g.Address
	if door == "" && g.Port == nil && len(g.Doors) > 0 {
		door = g.Doors[0]
	}
	scheme, rest, found := strings.Cut(door, "://")
	if !found {
		return hostport
	}
	public := scheme + "://" + hostport
	if _, path, found := strings.Cut(rest, "/"); found {
		public += "/" + path
	}
	return public
}

// register makes this the login service of its node, in place of one that has
// ended.
func register(c *service.Context) error {
	if err := c.Register("." + Name); err != nil {
		return err
	}
	if err := cluster.Unregister(c, Name); err != nil {
		return err
	}
	return cluster.Register(c, Name, c.Self())
}

// info is what the console shows.
func (l *login) info(*service.Context, lualike.Args) (lualike.Args, error) {
	return lualike.Args{lualike.Map(map[string]any{
		"visitors": len(l.visitors), "sessions": len(l.sessions), "online": len(l.online), "tokens": len(l.tokens),
	})}, nil
}

// event is what the gate tells its watchdog.
func (l *login) event(c *service.Context, event string, fd socket.FD, value any) error {
	switch event {
	case gate.EventOpen:
		v := &visitor{fd: fd}
		v.timer = c.Timeout(l.cfg.Hello, func(c *service.Context) { l.refuse(c, v, &Refusal{Invalid, "too slow"}) })
		l.visitors[fd] = v
		return c.Send(l.gate, gate.CmdAccept, fd)
	case gate.EventData:
		packet, _ := value.(string)
		if v := l.visitors[fd]; v != nil {
			l.hello(c, v, []byte(packet))
		}
	case gate.EventClose:
		l.left(c, fd)
	}
	return nil
}

// left is told that a connection has ended.
func (l *login) left(c *service.Context, fd socket.FD) {
	if v := l.visitors[fd]; v != nil {
		l.let(v)
	}
	if s := l.online[fd]; s != nil {
		l.away(c, s)
	}
}

// let makes v a visitor no more; false when it was none.
func (l *login) let(v *visitor) bool {
	if l.visitors[v.fd] != v {
		return false
	}
	delete(l.visitors, v.fd)
	v.timer.Cancel()
	return true
}

// refuse sends a visitor away.
func (l *login) refuse(c *service.Context, v *visitor, r *Refusal) {
	if l.let(v) {
		l.dismiss(c, v.fd, r)
	}
}

// dismiss says no to a client and closes its connection.
func (l *login) dismiss(c *service.Context, fd socket.FD, r *Refusal) {
	text := string(r.Reason)
	if r.Text != "" {
		text += " " + r.Text
	}
	l.last(c, fd, frame(kindNo, []byte(text)))
}

// last sends the last frame of a connection. Errors mean that it has ended.
func (l *login) last(c *service.Context, fd socket.FD, frame []byte) {
	_ = socket.Write(c, fd, frame)
	_ = c.Send(l.gate, gate.CmdKick, fd)
}

// hello handles the first packet of a visitor, of which there is one only.
func (l *login) hello(c *service.Context, v *visitor, packet []byte) {
	if v.spoke && len(packet) == 0 {
		return // a sign of life
	}
	if v.spoke || len(packet) == 0 {
		l.refuse(c, v, &Refusal{Reason: Invalid})
		return
	}
	v.spoke = true
	r := &Refusal{Reason: Failed} // of a panic, and of the end of this service
	defer func() {
		if r != nil {
			l.refuse(c, v, r)
		}
	}()
	r = l.enter(c, v, packet[0], packet[1:])
}

// enter lets a visitor in, or says why not.
func (l *login) enter(c *service.Context, v *visitor, kind byte, rest []byte) *Refusal {
	if l.stopping {
		return &Refusal{Reason: Stopping}
	}
	switch kind {
	case kindLogin:
		if l.cfg.Authenticate == nil {
			return &Refusal{Reason: Denied}
		}
		user, err := l.cfg.Authenticate(c, rest)
		if err != nil || user == "" {
			return refusal(err, Denied)
		}
		return l.place(c, v, user)
	case kindToken:
		user, ok := l.tokens[string(rest)]
		if !ok {
			return &Refusal{Reason: Denied}
		}
		delete(l.tokens, string(rest))
		return l.login(c, v, user)
	case kindResume:
		return l.resume(c, v, rest)
	}
	return &Refusal{Reason: Invalid}
}

// place finds the node that serves a user and sends the client there, if it is
// another one.
func (l *login) place(c *service.Context, v *visitor, user string) *Refusal {
	nodes, err := []string{""}, error(nil)
	if l.cfg.Place != nil {
		if nodes, err = l.cfg.Place(c, user); err != nil {
			return refusal(err, Failed)
		}
	}
	hurried := c.WithTimeout(l.cfg.Hello / time.Duration(len(nodes)+1)) // one that hangs leaves time for the next
	for _, node := range nodes {
		if node == "" || node == l.cfg.Node {
			return l.login(c, v, user)
		}
		t, err := cluster.CallAs[ticket](hurried, node, "@"+Name, cmdExpect, user)
		if err != nil {
			l.logSome(c, node, fmt.Sprintf("login: %s at %s: %v", user, node, err))
			continue
		}
		if l.let(v) {
			l.last(c, v.fd, frame(kindGo, []byte(t.Token), []byte(t.Address)))
		}
		return nil
	}
	return &Refusal{Reason: Failed}
}

// expect makes a token for a user whom another node has authenticated.
func (l *login) expect(c *service.Context, user string) (ticket, error) {
	key := rand.Text()
	l.tokens[key] = user
	c.Timeout(l.cfg.Token, func(*service.Context) { delete(l.tokens, key) })
	return ticket{key, l.public}, nil
}

// logSome logs one line of a kind in a second: while something is down all players
// try again and again.
func (l *login) logSome(c *service.Context, kind, text string) {
	f := l.failures[kind]
	if c.Now() < f.quiet {
		f.more++
	} else {
		if f.more > 0 {
			text += fmt.Sprintf(" (%d more since the last such line)", f.more)
		}
		c.Logf("%s", text)
		f = failure{quiet: c.Now() + time.Second}
	}
	l.failures[kind] = f
}
