// Package gate is the gate service: it listens, accepts clients, tells a
// watchdog service of them, and hands their packets to the watchdog or to agent
// services. It follows Skynet's service/gate.lua and is written with the public
// API alone. When the node begins to stop, the gate lets nobody in any more, and goes on
// serving those that are in until its turn comes.
//
// A gate may have several doors: plain TCP with Skynet's frames, WebSocket with one
// packet in each binary message, and both over TLS. Watchdog and agents do not
// see which one a client came through.
//
// The commands are Skynet's, and CmdAllow and CmdStat. The watchdog gets lua messages: the word EventName,
// then one of
//
//	open fd "ip:port"
//	data fd packet
//	close fd
//	error fd text
//	warning fd kib
package gate

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Name is the name the gate is launched by.
const Name = "gate"

// Commands of the gate.
const (
	// CmdOpen listens: its argument is an OpenConfig, its results are the
	// address and the port.
	CmdOpen = "open"
	// CmdClose stops listening; the clients stay.
	CmdClose = "close"
	// CmdAccept fd: the packets of fd go to the watchdog.
	CmdAccept = "accept"
	// CmdForward fd [client [address]]: the packets of fd go to the service
	// address, by default the caller, as messages of type client from the
	// service client, by default the gate, with session fd.
	CmdForward = "forward"
	// CmdKick fd closes a connection.
	CmdKick = "kick"
	// CmdAllow replaces OpenConfig.Allow, for the connections to come.
	CmdAllow = "allow"
	// CmdStat returns a Client for each of the clients.
	CmdStat = "stat"
)

// EventName is the first value of every message to the watchdog, one of the
// others the second.
const (
	EventName    = "socket"
	EventOpen    = "open"
	EventData    = "data"
	EventClose   = "close"
	EventError   = "error"
	EventWarning = "warning"
)

const (
	// DefaultAddress is where a gate listens that is given a port only.
	DefaultAddress = "127.0.0.1"
	// DefaultMaxClient is how many clients a gate lets in by default.
	DefaultMaxClient = 1024
)

// OpenConfig is the argument of CmdOpen. Its zero value is Skynet's behaviour.
type OpenConfig struct {
	// Address is a host, or "host:port" when Port is nil; "" is DefaultAddress. It
	// may begin with the schemes of a Door.
	Address   string         `lua:"address"`
	Port      *int           `lua:"port"`      // 0 is any free one
	MaxClient *int           `lua:"maxclient"` // connections at once; nil is DefaultMaxClient
	NoDelay   bool           `lua:"nodelay"`   // connections never delay, whatever it says
	Watchdog  service.Handle `lua:"watchdog"`  // by default the caller
	Backlog   int            `lua:"backlog"`   // the system's is taken, whatever it says
	Allow     []string       `lua:"allow"`     // networks that may connect, "10.0.0.0/8"; none is all
	Silence   time.Duration  `lua:"silence"`   // as in socket.Config
	// MaxPerAddress is how many clients of one address, as socket.HostOf has it, there
	// may be, and how many more may be on their way through TLS or the upgrade to
	// WebSocket; 0 is any number.
	MaxPerAddress int `lua:"maxperaddress"`
	// Limits hold for each client.
	Limits socket.Limits `lua:"limits"`
	// Cert and Key are the PEM files of socket.ServerTLS, with CA of
	// socket.MutualTLS, for the doors that speak it.
	Cert string `lua:"cert"`
	Key  string `lua:"key"`
	CA   string `lua:"ca"`
	// Origins are those of socket.Config, for the doors of WebSocket.
	Origins []string `lua:"origins"`
	// Doors are more addresses to listen at, or all when Address is "" and Port nil:
	// "host:port" is plain TCP; "tls://host:port" is TLS; "ws://host:port/path" is
	// WebSocket and "wss://host:port/path" WebSocket over TLS. CmdOpen returns the
	// address and the port of each after those of Address.
	Doors []string `lua:"doors"`
}

// address returns what to listen on, and the two values that the log has for it.
func (o OpenConfig) address() (addr, host string, port any) {
	host = o.Address
	if o.Port == nil {
		return o.Address, host, "nil"
	}
	if host == "" {
		host = DefaultAddress
	}
	scheme, ip, found := strings.Cut(host, "://")
	if found {
		scheme += "://"
	} else {
		scheme, ip = "", host
	}
	ip, path, _ := strings.Cut(ip, "/")
	addr = scheme + net.JoinHostPort(strings.Trim(ip, "[]"), strconv.Itoa(*o.Port))
	if path != "" {
		addr += "/" + path
	}
	return addr, host, *o.Port
}

var (
	errAssertion = errors.New("assertion failed!") //nolint:staticcheck // of a Lua assert
	errClosed    = errors.New("gate: it was closed, or the node stops")
)

// Definition returns the gate.
func Definition() *service.Definition {
	return service.Def(Name, func(c *service.Context, _ ...any) error {
		g := &gate{clients: make(map[socket.FD]netip.Addr), addresses: make(map[netip.Addr]int)}
		g.handler = &socket.Handler{
			Open:    g.opened,
			Data:    g.data,
			Close:   g.closed,
			Error:   g.failed,
			Warning: g.warning,
		}
		c.Handle(CmdOpen, service.F1(g.open))
		c.Handle(CmdClose, service.P0(g.close))
		c.Handle(CmdAccept, service.P1(g.accept))
		c.Handle(CmdForward, service.P3(g.forward))
		c.Handle(CmdKick, service.P1(g.kick))
		c.Handle(CmdAllow, service.P1(g.setAllow))
		c.Handle(CmdStat, service.F0(g.stat))
		c.OnStop(func(c *service.Context) {
			g.stopping = true
			g.closeDoors(c)
		})
		return nil
	})
}

// gate is the state of one gate service.
type gate struct {
	handler   *socket.Handler
	doors     *doors // nil: it does not listen
	stopping  bool
	maxClient int
	perHost   int
	allow     []netip.Prefix
	strangers nuisance // refused by allow
	tooMany   nuisance // refused by maxClient
	crowds    nuisance // refused by perHost
	failures  nuisance // connections that failed before the watchdog knew them, or at TLS
	watchdog  service.Handle
	newest    socket.FD                // the highest that came in: they are not used again soon
	clients   map[socket.FD]netip.Addr // those that the watchdog was told of
	addresses map[netip.Addr]int       // how many of them each has
}

// doors are what one CmdOpen opens.
type doors struct{ fds []socket.FD }

func (g *gate) open(c *service.Context, conf OpenConfig) (lualike.Args, error) {
	switch {
	case g.stopping:
		return nil, errClosed
	case g.doors != nil:
		return nil, errAssertion
	}
	g.maxClient = DefaultMaxClient
	if conf.MaxClient != nil {
		g.maxClient = *conf.MaxClient
	}
	if err := g.setAllow(c, conf.Allow); err != nil {
		return nil, err
	}
	if g.watchdog = conf.Watchdog; g.watchdog == 0 {
		g.watchdog = c.Message().Source
	}
	g.perHost = conf.MaxPerAddress
	d := new(doors)
	g.doors = d
	out, err := g.listen(c, d, conf)
	if err != nil {
		if g.doors == d {
			g.closeDoors(c)
		}
		return nil, fmt.Errorf("Listen error: %w", err)
	}
	return out, nil
}

// listen opens all doors and returns the address and the port of each. The doors
// that were opened before an error are open.
func (g *gate) listen(c *service.Context, d *doors, o OpenConfig) (out lualike.Args, err error) {
	cfg := o.socket(c)
	door := func(addr string) error {
		fd, at, err := cfg.Listen(c, addr, g.handler) // may block
		if err != nil {
			return err
		}
		if g.doors != d {
			return errors.Join(errClosed, socket.Close(c, fd))
		}
		d.fds = append(d.fds, fd)
		ip, port, err := net.SplitHostPort(at)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(port)
		out = append(out, ip, n)
		return err
	}
	if o.Address != "" || o.Port != nil || len(o.Doors) == 0 {
		addr, host, port := o.address()
		c.Logf("Listen on %s %v", host, port)
		err = door(addr)
	}
	for _, addr := range o.Doors {
		if err == nil {
			c.Logf("Listen on %s", addr)
			err = door(addr)
		}
	}
	return out, err
}

// socket returns what the doors have in common.
func (o OpenConfig) socket(c *service.Context) socket.Config {
	node, self := c.Node(), c.Self()
	log := func(text string) { node.Log(self, text) }
	cfg := socket.Config{Silence: o.Silence, Limits: o.Limits, MaxArriving: o.MaxPerAddress, Origins: o.Origins}
	if o.CA == "" {
		cfg.TLS = socket.ServerTLS(o.Cert, o.Key, log)
	} else {
		cfg.TLS = socket.MutualTLS(o.Cert, o.Key, o.CA, log)
	}
	return cfg
}

func (g *gate) close(c *service.Context) error {
	if g.doors == nil {
		return errAssertion
	}
	g.closeDoors(c)
	return nil
}

// closeDoors closes what is open. A CmdOpen under way closes what it opens later.
func (g *gate) closeDoors(c *service.Context) {
	if g.doors == nil {
		return
	}
	for _, fd := range g.doors.fds {
		_ = socket.Close(c, fd) // that it was closed behind the gate's back is as well
	}
	g.doors = nil
}

func (g *gate) accept(c *service.Context, fd socket.FD) error {
	if _, ok := g.clients[fd]; !ok {
		return g.unknown(c, fd)
	}
	return gone(socket.Start(c, fd))
}

func (g *gate) forward(c *service.Context, fd socket.FD, client, address service.Handle) error {
	if _, ok := g.clients[fd]; !ok {
		return g.unknown(c, fd)
	}
	if address == 0 {
		address = c.Message().Source
	}
	if client == 0 {
		client = c.Self()
	}
	return gone(socket.Forward(c, fd, address, service.PTypeClient, client))
}

func (g *gate) kick(c *service.Context, fd socket.FD) error {
	if _, ok := g.clients[fd]; !ok {
		return nil
	}
	return gone(socket.Close(c, fd))
}

func (g *gate) setAllow(_ *service.Context, list []string) error {
	var networks []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("gate: allow: %w", err)
		}
		networks = append(networks, p)
	}
	g.allow = networks
	return nil
}

// unknown is the error for a client that is not there. Who does not wait for it
// learns of one that has left from the close message: a peer that leaves at once
// must not be able to fill the log.
func (g *gate) unknown(c *service.Context, fd socket.FD) error {
	if c.Message().Session == 0 && fd <= g.newest {
		return nil
	}
	return errAssertion
}

// gone makes nothing of a client that has left: the watchdog learns of it from
// the close message that is on its way.
func gone(err error) error {
	if errors.Is(err, socket.ErrClosed) {
		return nil
	}
	return err
}

func (g *gate) opened(c *service.Context, fd socket.FD, peer string) {
	at, err := netip.ParseAddrPort(peer)
	if err != nil || !g.admits(c, at) {
		// As in Skynet, the watchdog gets a close without an open.
		_ = socket.Shutdown(c, fd)
		return
	}
	host := socket.HostOf(peer)
	g.newest = max(g.newest, fd)
	g.clients[fd] = host
	g.addresses[host]++
	g.tell(c, EventOpen, fd, peer)
}

// admits reports whether peer may be a client.
func (g *gate) admits(c *service.Context, peer netip.AddrPort) bool {
	ip := peer.Addr().Unmap().WithZone("")
	if g.allow != nil && !slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		logSome(c, &g.strangers, fmt.Sprintf("Refused %s, which is not allowed to connect", peer))
		return false
	}
	if len(g.clients) >= g.maxClient {
		logSome(c, &g.tooMany, fmt.Sprintf("Refused %s, there are %d clients", peer, len(g.clients)))
		return false
	}
	if g.perHost > 0 && g.addresses[socket.HostOf(peer.String())] >= g.perHost {
		logSome(c, &g.crowds, fmt.Sprintf("Refused %s, there are %d clients of this address", peer, g.perHost))
		return false
	}
	return true
}

// remove forgets fd.
func (g *gate) remove(fd socket.FD) {
	host, client := g.clients[fd]
	if !client {
		return
	}
	delete(g.clients, fd)
	if g.addresses[host]--; g.addresses[host] <= 0 {
		delete(g.addresses, host)
	}
}

// nuisance counts events of a kind that peers can cause.
type nuisance struct {
	n    int
	last time.Duration // when the last one was
}

// logSome logs the first lines of a kind, then only when their number doubles: a
// peer must not be able to fill the log. After a quiet minute it begins anew, so
// that what happens in the next night is seen too.
func logSome(c *service.Context, k *nuisance, text string) {
	if c.Now()-k.last > time.Minute {
		k.n = 0
	}
	k.last = c.Now()
	if k.n++; k.n <= 10 || k.n&(k.n-1) == 0 {
		c.Logf("%s (%d so far)", text, k.n)
	}
}

func (g *gate) data(c *service.Context, fd socket.FD, packet []byte) {
	g.tell(c, EventData, fd, string(packet))
}

func (g *gate) closed(c *service.Context, fd socket.FD) {
	g.remove(fd)
	g.tell(c, EventClose, fd)
}

func (g *gate) failed(c *service.Context, fd socket.FD, err error) {
	_, client := g.clients[fd]
	if !client || errors.Is(err, socket.ErrTLS) { // a mistake in a config, which no watchdog of Skynet's logs
		logSome(c, &g.failures, "gateserver accept error: "+socket.ErrorText(err))
	}
	if client {
		g.remove(fd)
		g.tell(c, EventError, fd, socket.ErrorText(err))
	}
}

func (g *gate) warning(c *service.Context, fd socket.FD, kb int) {
	g.tell(c, EventWarning, fd, kb)
}

// tell sends an event to the watchdog. When that is gone the node counts the
// message.
func (g *gate) tell(c *service.Context, event string, fd socket.FD, args ...any) {
	_ = c.Send(g.watchdog, append([]any{EventName, event, fd}, args...)...)
}
