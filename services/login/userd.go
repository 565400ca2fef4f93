package login

import (
	"errors"
	"maps"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// Commands of Userd.
const (
	cmdClaim    = "CLAIM"
	cmdRelease  = "RELEASE"
	cmdAnnounce = "ANNOUNCE"
)

// claim says where the session of a user is.
type claim struct {
	User  string         `lua:"user"`
	Key   string         `lua:"key"`
	Node  string         `lua:"node"`  // "" is the node of the Userd
	Login service.Handle `lua:"login"` // of use when Node is ""
}

// announcement is all sessions of one login service.
type announcement struct {
	Node   string  `lua:"node"`
	Claims []claim `lua:"claims"`
}

// user is what Userd knows of one.
type user struct {
	at    claim // Key "" is nowhere
	line  service.Queue
	users int // that hold or want line
}

// userd is the service that sees to it that a user has one session.
type userd map[string]*user

// UserdDefinition returns the service Userd, which every node knows. It runs on
// the nodes that Config.Users names, and where that is "".
func UserdDefinition() *service.Definition {
	return service.Def(Userd, func(c *service.Context, _ ...any) error {
		u := make(userd)
		c.Handle(cmdClaim, service.F1(u.claim))
		c.Handle(cmdRelease, service.P1(u.release))
		c.Handle(cmdAnnounce, service.F1(u.announce))
		c.InfoFunc(func(*service.Context, lualike.Args) (lualike.Args, error) {
			return lualike.Args{lualike.Map(map[string]any{"users": len(u)})}, nil
		})
		return nil
	})
}

// claim makes a session that of its user once the one before has ended; false
// when that stays. Claims of one user are handled one after the other.
func (u userd) claim(c *service.Context, cl claim) (granted bool, err error) {
	p := u[cl.User]
	if p == nil {
		p = new(user)
		u[cl.User] = p
	}
	p.users++
	defer func() {
		p.users--
		u.tidy(cl.User)
	}()
	err = p.line.Do(c, func() error {
		if p.at.Key != "" && p.at.Key != cl.Key {
			if gone, err := evict(c, p.at); err != nil || !gone {
				return err
			}
		}
		p.at, granted = cl, true
		return nil
	})
	return granted, err
}

// evict asks the login service that has a session to end it. A login service
// that is not there has none; but nobody knows what one has that does not answer.
func evict(c *service.Context, cl claim) (gone bool, err error) {
	if cl.Node == "" {
		gone, err = service.Call[bool](c, cl.Login, cmdEvict, cl.Key)
	} else {
		gone, err = cluster.CallAs[bool](c, cl.Node, "@"+Name, cmdEvict, cl.Key)
	}
	if err != nil && !errors.Is(err, service.ErrTimeout) {
		return true, nil
	}
	return gone, err
}

func (u userd) release(_ *service.Context, cl claim) error {
	if p := u[cl.User]; p != nil && p.at.Key == cl.Key {
		p.at = claim{}
		u.tidy(cl.User)
	}
	return nil
}

func (u userd) tidy(name string) {
	if p := u[name]; p != nil && p.users == 0 && p.at.Key == "" {
		delete(u, name)
	}
}

// announce replaces what is known of a login service, which has started, or
// which this service may have forgotten. It returns the keys of sessions that
// must end, because their users have others.
func (u userd) announce(c *service.Context, a announcement) ([]string, error) {
	known := make(map[string]bool)
	for _, cl := range a.Claims {
		known[cl.Key] = true
	}
	for name, p := range maps.Clone(u) {
		if p.at.Node == a.Node && !known[p.at.Key] {
			p.at = claim{}
			u.tidy(name)
		}
	}
	var doomed []string
	for _, cl := range a.Claims {
		p := u[cl.User]
		switch {
		case p == nil:
			u[cl.User] = &user{at: cl}
		case p.at.Key == "":
			p.at = cl
		case p.at.Key != cl.Key:
			doomed = append(doomed, cl.Key)
		}
	}
	return doomed, nil
}

// askUserd calls the Userd that this login service shares with others.
func askUserd[R any](c *service.Context, l *login, cmd string, arg any) (R, error) {
	if l.cfg.Users != "" {
		return cluster.CallAs[R](c, l.cfg.Users, "@"+Userd, cmd, arg)
	}
	h, err := c.UniqueService(Userd)
	if err != nil {
		var none R
		return none, err
	}
	return service.Call[R](c, h, cmd, arg)
}

func (l *login) claimOf(c *service.Context, s *session) claim {
	return claim{s.user, s.key, l.node(), c.Self()}
}

// node is the own node's name to the Userd.
func (l *login) node() string {
	if l.cfg.Users == "" {
		return ""
	}
	return l.cfg.Node
}

func (l *login) claim(c *service.Context, s *session) error {
	granted, err := askUserd[bool](c, l, cmdClaim, l.claimOf(c, s))
	if err == nil && !granted {
		err = &Refusal{Reason: Taken}
	}
	return err
}

// release is lost when the Userd is away. What it then believes ends with the
// next login of the user, or when this node announces its sessions again.
func (l *login) release(c *service.Context, s *session) {
	if l.cfg.Users != "" {
		_ = cluster.Send(c, l.cfg.Users, "@"+Userd, cmdRelease, l.claimOf(c, s))
		return
	}
	_, _ = askUserd[any](c, l, cmdRelease, l.claimOf(c, s))
}

// announce tells the Userd of all sessions.
func (l *login) announce(c *service.Context) error {
	a := announcement{Node: l.node()}
	for _, s := range l.sessions {
		a.Claims = append(a.Claims, l.claimOf(c, s))
	}
	doomed, err := askUserd[[]string](c, l, cmdAnnounce, a)
	for _, key := range doomed {
		if s := l.sessions[key]; s != nil {
			c.Fork(func(c *service.Context) { l.end(c, s, Replaced) })
		}
	}
	return err
}
