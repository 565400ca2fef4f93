package debugconsole_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/snax"
	"github.com/skynetgo/skynet/services/debugconsole"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// limit is how long something may take that shall happen.
const limit = time.Minute

// board is a node with a console and two services, a and b.
type board struct {
	*nodetest.Node
	t    *testing.T
	addr string // of the console
	a, b service.Handle
}

// never is a patience that no test exceeds, for clients that speak HTTP.
const never = time.Hour

// newBoard starts a node whose console greets after patience.
func newBoard(t *testing.T, patience time.Duration, options ...nodetest.Option) *board {
	t.Helper()
	options = append(options, nodetest.Services(
		debugconsole.DefinitionWith(patience),
		service.Def("subject", startSubject),
		service.Def("refuses", func(*service.Context, ...any) error { return errors.New("not today") }),
		service.Def("leaves", func(c *service.Context, _ ...any) error {
			c.Exit()
			return nil
		}),
		snax.Def(snax.NewInterface("pingsnax"), func(*service.Context, ...any) (snax.Methods, error) { return nil, nil }),
	))
	b := &board{Node: nodetest.Start(t, options...), t: t}
	b.Run(func(c *service.Context) (err error) {
		if b.a, err = c.NewService("subject", "x", 1); err != nil {
			return err
		}
		if b.b, err = c.UniqueService("subject"); err != nil {
			return err
		}
		_, err = c.NewService(debugconsole.Name, "127.0.0.1", 0)
		return err
	})
	line := b.Log.Wait(t, "Start debug console at ")
	_, b.addr, _ = strings.Cut(line, "console at ")
	return b
}

// startSubject sets up a service to be looked at.
func startSubject(c *service.Context, _ ...any) error {
	c.Handle("WAIT", service.P1(waitsInSubject))
	c.Handle("WAKE", service.F1(func(c *service.Context, token string) (bool, error) { return c.Wakeup(token), nil }))
	c.Handle("FAIL", service.P0(func(*service.Context) error { return errors.New("as told") }))
	c.HandleUnknown(func(_ *service.Context, cmd string, args lualike.Args) (lualike.Args, error) {
		return append(lualike.Args{cmd}, args...), nil
	})
	c.Dispatch(service.PTypeClient, func(c *service.Context, m service.Message) { <-m.Data.(chan struct{}) }) // keeps it busy
	c.InfoFunc(func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
		if len(args) > 0 && args[0] == "none" {
			return nil, nil
		}
		return lualike.Args{lualike.Map(map[string]any{"a": 1, "b": lualike.Map(map[string]any{"d": "x", "c": 2}), "args": lualike.Array(args...)})}, nil
	})
	return nil
}

func waitsInSubject(c *service.Context, token string) error { return c.Wait(token) }

// wait has the service h wait for token, until the end of the test.
func (b *board) wait(h service.Handle, token string) {
	b.t.Helper()
	b.Run(func(c *service.Context) error { return c.Send(h, "WAIT", token) })
	b.WaitIdle()
}

// eventually waits until f is true.
func (b *board) eventually(f func() bool) {
	b.t.Helper()
	for end := time.Now().Add(limit); !f(); {
		if time.Now().After(end) {
			b.t.Fatal("it did not come about")
		}
	}
}

// session is one connection to the console in Skynet's way.
type session struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// dial connects and reads the greeting.
func (b *board) dial() *session {
	b.t.Helper()
	s := b.connect()
	if got := s.line(); got != "Welcome to skynet console" {
		b.t.Fatalf("greeted with %q", got)
	}
	return s
}

func (b *board) connect() *session { return b.connectTo(b.addr) }

func (b *board) connectTo(addr string) *session {
	b.t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(limit))
	return &session{b.t, conn, bufio.NewReader(conn)}
}

func (s *session) line() string {
	s.t.Helper()
	text, err := s.in.ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSuffix(text, "\n")
}

func (s *session) send(text string) {
	s.t.Helper()
	if _, err := s.conn.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// do sends a command and returns what is printed, the last line included.
func (s *session) do(format string, args ...any) string {
	s.t.Helper()
	s.send(fmt.Sprintf(format, args...) + "\n")
	var all []string
	for {
		line := s.line()
		all = append(all, line)
		if strings.HasPrefix(line, "<CMD ") {
			return strings.Join(all, "\n")
		}
	}
}

// wants sends a command and compares what is printed.
func (s *session) wants(cmd, want string) {
	s.t.Helper()
	if got := s.do("%s", cmd); got != want {
		s.t.Errorf("%s: got\n%s\nwant\n%s", cmd, got, want)
	}
}

// matches is wants with an expression for all that is printed.
func (s *session) matches(cmd, want string) []string {
	s.t.Helper()
	got := s.do("%s", cmd)
	m := regexp.MustCompile(`^(?s:` + want + `)$`).FindStringSubmatch(got)
	if m == nil {
		s.t.Errorf("%s: got\n%s\nwant a match of\n%s", cmd, got, want)
	}
	return m
}
