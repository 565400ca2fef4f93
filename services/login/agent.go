package login

import (
	"errors"
	"fmt"
	"time"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// Commands of an agent, for the login service.
const (
	cmdAttach = "login.attach"
	cmdAway   = "login.away"
	cmdEnd    = "login.end"
)

// Events are what an agent is told of its player. The functions are coroutines
// of the agent and may block; nil ones are left out.
type Events struct {
	// Packet: the player has sent packet, which is not empty and belongs to the function.
	Packet func(c *service.Context, packet []byte)
	// Away: the connection has ended; the player may come back.
	Away func(c *service.Context)
	// Back: the player is back, and lost packets are gone: more than the replay
	// kept. What was kept has been sent.
	Back func(c *service.Context, lost int)
	// End: nothing more comes, save what is worth it. The agent exits afterwards.
	// The user's next agent, on whichever node, is not started before.
	End func(c *service.Context, why Reason)
}

// Session is an agent's way to its player. It belongs to the agent: any of its
// coroutines may use it.
type Session struct {
	User string

	key      string
	fd       socket.FD // 0 while the player is away
	attached bool      // once
	ended    bool
	received uint32
	replay   replay
	events   Events
}

// agentArgs is what the login service starts an agent with, after the user.
type agentArgs struct {
	Key    string         `lua:"key"`
	Login  service.Handle `lua:"login"`
	Replay int            `lua:"replay"`
	Attach time.Duration  `lua:"attach"`
}

// attachment is the argument of cmdAttach.
type attachment struct {
	FD     socket.FD `lua:"fd"`
	Resume bool      `lua:"resume"`
	Last   uint32    `lua:"last"`
}

type sessionKey struct{}

func sessionOf(c *service.Context) *Session {
	return service.Local(c, sessionKey{}, func() *Session { return new(Session) })
}

// agentCommands are shared by all agents.
var agentCommands = service.Commands{
	cmdAttach: service.P1(func(c *service.Context, a attachment) error { return sessionOf(c).attach(c, a) }),
	cmdAway: service.P1(func(c *service.Context, fd socket.FD) error {
		sessionOf(c).away(c, fd)
		return nil
	}),
	cmdEnd: service.P1(func(c *service.Context, why Reason) error {
		c.Response() // the answer is that the agent has ended
		sessionOf(c).end(c, why)
		return nil
	}),
}

// Agent defines the agents: one service for each user that is logged in. start
// loads the user and says what the agent does; an error refuses the login, and
// c.Exit, then or later, is the end of the session.
func Agent(name string, start func(c *service.Context, s *Session) (Events, error)) *service.Definition {
	return service.Def(name, func(c *service.Context, args ...any) error {
		if len(args) != 2 {
			return fmt.Errorf("login: %w: agents are started by the login service", service.ErrMisuse)
		}
		user, err := lualike.As[string](args[0])
		if err != nil {
			return err
		}
		a, err := lualike.As[agentArgs](args[1])
		if err != nil {
			return err
		}
		s := sessionOf(c)
		s.User, s.key, s.replay.max = user, a.Key, a.Replay
		// Without the login service nobody could ever reach this agent.
		if _, err := service.Watch(c, a.Login, func(c *service.Context, _ error) { s.end(c, Failed) }); err != nil {
			return err
		}
		c.OnStop(func(c *service.Context) {
			s.write(c, frame(kindNo, []byte(Stopping)))
			s.end(c, Stopping)
		})
		c.Dispatch(service.PTypeClient, s.packet)
		if s.events, err = start(c, s); err != nil {
			return err
		}
		// It may have given up waiting for the start.
		c.Timeout(a.Attach, func(c *service.Context) {
			if !s.attached {
				s.end(c, Failed)
			}
		})
		return nil
	}, agentCommands)
}

// Online reports whether the player is connected.
func (s *Session) Online() bool { return s.fd != 0 }

// Send sends a packet, which must not be changed any more, to the player: now,
// or when the player is back, if it is still kept then. It does not block. Many
// sessions may be sent the same bytes.
func (s *Session) Send(c *service.Context, packet []byte) error {
	if len(packet) > MaxPacket {
		return fmt.Errorf("login: send %d bytes: %w: more than MaxPacket", len(packet), service.ErrMisuse)
	}
	s.replay.add(packet)
	if s.fd != 0 {
		s.write(c, packetHeader(s.replay.last, len(packet)), packet)
	}
	return nil
}

// Marshaler is what msgp generates methods for.
type Marshaler interface {
	MarshalMsg(b []byte) ([]byte, error)
}

// SendMsg is Send of m as MessagePack. To read one from a packet call its
// UnmarshalMsg.
func (s *Session) SendMsg(c *service.Context, m Marshaler) error {
	packet, err := m.MarshalMsg(nil)
	if err != nil {
		return fmt.Errorf("login: send %T: %w", m, err)
	}
	return s.Send(c, packet)
}

// write does nothing for a connection that has ended, which the login service is
// about to say. It ends one that drops a packet: the player is to get that when he
// is back.
func (s *Session) write(c *service.Context, bufs ...[]byte) {
	if errors.Is(socket.Write(c, s.fd, bufs...), socket.ErrOverflow) {
		_ = socket.Close(c, s.fd)
	}
}

func (s *Session) attach(c *service.Context, a attachment) error {
	if s.ended {
		return nil
	}
	if s.fd != 0 && s.events.Away != nil { // before the end of that connection was noticed
		c.Fork(s.events.Away)
	}
	s.fd, s.attached = a.FD, true
	packets, lost, ok := s.replay.since(a.Last)
	if !ok {
		s.write(c, frame(kindNo, []byte(Invalid)))
		return socket.Close(c, s.fd)
	}
	s.write(c, frame(kindWelcome, number(lost), number(s.received), []byte(s.key)))
	first := s.replay.last - uint32(len(packets)) + 1
	for i, p := range packets {
		s.write(c, packetHeader(first+uint32(i), len(p)), p)
	}
	if a.Resume && s.events.Back != nil {
		c.Fork(func(c *service.Context) { s.events.Back(c, int(lost)) })
	}
	return nil
}

func (s *Session) away(c *service.Context, fd socket.FD) {
	if s.fd != fd {
		return // one that was replaced
	}
	s.fd = 0
	if s.events.Away != nil && !s.ended {
		s.events.Away(c)
	}
}

func (s *Session) packet(c *service.Context, m service.Message) {
	// What an earlier connection has sent and was not counted will be sent again.
	// Empty ones are signs of life.
	if packet, ok := m.Data.([]byte); ok && len(packet) > 0 && !s.ended && socket.FD(m.Session) == s.fd {
		s.received++
		if s.events.Packet != nil {
			s.events.Packet(c, packet)
		}
	}
}

// end runs the last event, once, and has the agent end afterwards.
func (s *Session) end(c *service.Context, why Reason) {
	if s.ended {
		return
	}
	s.ended, s.fd = true, 0
	defer func() { _ = c.Kill(c.Self()) }() // after a panic too, which Exit would hide
	if s.events.End != nil {
		s.events.End(c, why)
	}
}
