package login

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
)

// session is one user's, from before his agent starts until it has ended.
type session struct {
	user  string
	key   string
	agent service.Handle // 0 until it has started
	fd    socket.FD      // 0 while the player is away
	grace *service.Timer // runs while the player is away
	ended bool           // or about to
	// change is held while the session starts, and while it ends.
	change service.Queue
	watch  func() // cancels the watch of the agent
}

// login makes a session for user.
func (l *login) login(c *service.Context, v *visitor, user string) *Refusal {
	s := &session{user: user, key: rand.Text()}
	l.sessions[s.key] = s
	err := s.change.Do(c, func() (err error) {
		began := false
		defer func() {
			if !began {
				l.finish(c, s, Failed)
			}
		}()
		if err = l.begin(c, s, v); err != nil {
			l.logSome(c, "", fmt.Sprintf("login: %s: %v", user, err))
		}
		began = err == nil
		return err
	})
	if err != nil {
		return refusal(err, Failed)
	}
	return nil
}

// begin claims the user, starts the agent and gives it the connection.
func (l *login) begin(c *service.Context, s *session, v *visitor) error {
	if err := l.claim(c, s); err != nil {
		return err
	}
	agent, err := c.NewService(l.cfg.Agent, s.user, agentArgs{s.key, c.Self(), l.cfg.Replay, l.cfg.Hello})
	if err != nil {
		return err
	}
	s.watch, err = service.Watch(c, agent, func(c *service.Context, _ error) {
		s.agent = 0
		l.end(c, s, Ended)
	})
	if err != nil {
		return &Refusal{Reason: Ended} // in its start
	}
	s.agent = agent
	if !l.attach(c, s, v, attachment{}) {
		return fmt.Errorf("the client has left or taken too long")
	}
	return nil
}

// resume gives the session that the visitor names its connection.
func (l *login) resume(c *service.Context, v *visitor, rest []byte) *Refusal {
	if len(rest) != numberSize+keySize {
		return &Refusal{Reason: Invalid}
	}
	s := l.sessions[string(rest[numberSize:])]
	if s == nil || s.ended {
		return &Refusal{Reason: Gone}
	}
	l.attach(c, s, v, attachment{Resume: true, Last: binary.BigEndian.Uint32(rest)})
	return nil
}

// attach makes the visitor the player of s, in place of one that still is. It
// returns false when it is no visitor any more.
func (l *login) attach(c *service.Context, s *session, v *visitor, a attachment) bool {
	if !l.let(v) {
		return false
	}
	l.detach(c, s, Replaced)
	s.fd, a.FD = v.fd, v.fd
	l.online[v.fd] = s
	_, err := c.Call(l.gate, gate.CmdForward, v.fd, nil, s.agent)
	switch {
	case s.fd != v.fd: // the client has left, another one was faster, or the session ended
	case err != nil:
		l.dismiss(c, v.fd, &Refusal{Reason: Failed})
	default:
		_ = c.Send(s.agent, cmdAttach, a) // its end is told to the watch
	}
	return true
}

// detach ends the connection of s, if there is one, and the wait for one.
func (l *login) detach(c *service.Context, s *session, why Reason) {
	if s.grace != nil {
		s.grace.Cancel()
		s.grace = nil
	}
	if s.fd != 0 {
		delete(l.online, s.fd)
		l.dismiss(c, s.fd, &Refusal{Reason: why})
		s.fd = 0
	}
}

// away is told that the connection of s has ended.
func (l *login) away(c *service.Context, s *session) {
	fd := s.fd
	delete(l.online, fd)
	s.fd = 0
	_ = c.Send(s.agent, cmdAway, fd)
	s.grace = c.Timeout(l.cfg.Grace, func(c *service.Context) { l.end(c, s, Expired) })
}

// end ends a session and returns when its agent has ended. Only the first call
// does, others wait for it.
func (l *login) end(c *service.Context, s *session, why Reason) {
	_ = s.change.Do(c, func() error {
		if !s.ended {
			l.finish(c, s, why)
		}
		return nil
	})
}

// finish is end for who holds s.change.
func (l *login) finish(c *service.Context, s *session, why Reason) {
	s.ended = true
	l.detach(c, s, why)
	if s.agent != 0 {
		s.watch()
		_, err := c.WithTimeout(l.cfg.Ending).Call(s.agent, cmdEnd, why)
		if !errors.Is(err, service.ErrExited) && !errors.Is(err, service.ErrNoService) {
			c.Logf("login: the agent of %s does not end: %v", s.user, err)
			_ = c.Kill(s.agent)
		}
	}
	delete(l.sessions, s.key)
	l.release(c, s)
}

// evict ends a session because its user logs in elsewhere; false when it stays.
func (l *login) evict(c *service.Context, key string) (bool, error) {
	s := l.sessions[key]
	if s == nil {
		return true, nil
	}
	if l.cfg.Second == Refuse {
		stays := false
		if err := s.change.Do(c, func() error { stays = s.fd != 0; return nil }); err != nil {
			return false, err
		}
		if stays {
			return false, nil
		}
	}
	l.end(c, s, Replaced)
	return true, nil
}
