// Package login lets players in through a gate, and keeps each one's session
// over lost connections. Its login service is the gate's watchdog. It
// authenticates clients with the user's function and starts one agent service
// for each user (Agent). A player whose connection is lost comes back to the
// same agent within Config.Grace, and gets what was sent meanwhile.
//
// A node may do all of that, or nodes share it: a login service with
// Config.Place authenticates only and sends the client on to a gate node, with a
// token that is good there, once. A service Userd, which all of them ask, sees to
// it that a user has one session in the whole cluster.
//
// The flow is that of Skynet's snax.loginserver and snax.msgserver; the bytes on
// the connection are not. They have no encryption of their own: let the gate speak
// TLS. Client is the far end in Go.
package login

import (
	"cmp"
	"time"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

const (
	// Name is the name the login service is launched by. Other nodes know it by
	// this name too.
	Name = "login"
	// Userd is the name of the service that knows where every user is, which is
	// unique, and which a cluster registers by this name.
	Userd = "userd"
)

// What the zero Config means.
const (
	DefaultGrace  = time.Minute
	DefaultReplay = 32 << 10
	DefaultHello  = 10 * time.Second
	DefaultToken  = 30 * time.Second
	DefaultEnding = 5 * time.Second
)

// Second says what a user's second login does.
type Second uint8

const (
	// Kick ends the first session, its agent included, and goes on.
	Kick Second = iota
	// Refuse fails while the player of the first is connected; one that is away
	// is kicked.
	Refuse
)

// Config is what a login service does.
type Config struct {
	// Gate is where clients connect. Its Watchdog is the login service.
	Gate gate.OpenConfig
	// Authenticate returns whose the credentials are. The client is told of an
	// error what service.Errorf has marked. nil lets in clients with tokens only.
	Authenticate func(c *service.Context, credentials []byte) (user string, err error)
	// Agent is the name of the agents' definition.
	Agent string
	// Place returns the gate nodes that may serve a user; the first that is up
	// gets him. nil, or a node "", is this node.
	Place func(c *service.Context, user string) (nodes []string, err error)

	// Second is what this node does with its sessions when their user logs in
	// again, here or elsewhere.
	Second Second
	// Grace is how long an agent waits for a player who is away; 0 is
	// DefaultGrace, negative not at all.
	Grace time.Duration
	// Replay is how many bytes of its last packets an agent keeps for a player
	// that may come back, 24 more for each of them; 0 is DefaultReplay, negative
	// none. It is half of Gate.Limits.MaxPending at most, since it goes out at once.
	Replay int

	Hello  time.Duration // how long a client may take to get in; 0 is DefaultHello
	Token  time.Duration // how long a token is good; 0 is DefaultToken
	Ending time.Duration // how long an agent may take to end; 0 is DefaultEnding

	// Node is the own node's name in the cluster, which other nodes need when it
	// serves users that they place here or when they share its Userd.
	Node string
	// Users is the node with the Userd; "" is this one.
	Users string
	// Public is the address that clients are sent to, as Dial takes it; "" is that of
	// the gate's first door.
	Public string
}

// Definition returns the login service. conf is called when it starts.
func Definition(conf func(c *service.Context) (Config, error)) *service.Definition {
	return service.Def(Name, func(c *service.Context, _ ...any) error {
		cfg, err := conf(c)
		if err != nil {
			return err
		}
		cfg.Grace = max(cmp.Or(cfg.Grace, DefaultGrace), 0)
		cfg.Replay = max(cmp.Or(cfg.Replay, DefaultReplay), 0)
		if most := cfg.Gate.Limits.MaxPending; most > 0 {
			cfg.Replay = min(cfg.Replay, most/2)
		}
		cfg.Hello = cmp.Or(cfg.Hello, DefaultHello)
		cfg.Token = cmp.Or(cfg.Token, DefaultToken)
		cfg.Ending = cmp.Or(cfg.Ending, DefaultEnding)
		l := &login{
			cfg:      cfg,
			visitors: make(map[socket.FD]*visitor),
			sessions: make(map[string]*session),
			online:   make(map[socket.FD]*session),
			tokens:   make(map[string]string),
			failures: make(map[string]failure),
		}
		return l.start(c)
	})
}
