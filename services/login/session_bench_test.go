package login_test

import (
	"context"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
	"github.com/skynetgo/skynet/services/gate"
	"github.com/skynetgo/skynet/services/login"
)

// BenchmarkIdlePlayers reports what a player costs who has said hello and then
// nothing, heap and stacks: agent, session and, while connected, the connection
// with both ends. 9,000 have room for both in a process of 20,000 descriptors.
func BenchmarkIdlePlayers(b *testing.B) {
	b.Run("away", func(b *testing.B) { idlePlayers(b, 10_000, false) })
	b.Run("connected", func(b *testing.B) { idlePlayers(b, 9_000, true) })
}

func idlePlayers(b *testing.B, players int, connected bool) {
	for b.Loop() {
		n, h, addr := benchServer(b)
		before, goroutines := inUse(), runtime.NumGoroutine()
		conns := make([]net.Conn, 0, players)
		for i := range players {
			conn := benchPlayer(b, addr, strconv.Itoa(i))
			if connected {
				conns = append(conns, conn)
			} else {
				conn.Close()
			}
		}
		for online := -1; online != len(conns); {
			if err := service.Run(b.Context(), n, func(c *service.Context) error {
				out, err := service.Debug(c, h, "INFO")
				if err != nil {
					return err
				}
				m, err := lualike.As[map[string]int](out.At(0))
				online = m["online"]
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(inUse()-before)/float64(players), "B/player")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(players), "goroutines/player")
		for _, c := range conns {
			c.Close()
		}
		if err := n.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
		if err := socket.Wait(context.Background(), n); err != nil {
			b.Error(err)
		}
	}
}

// benchServer starts a node as a user's program does, with its log thrown away.
func benchServer(b *testing.B) (n *service.Node, h service.Handle, addr string) {
	b.Helper()
	cfg, err := bootstrap.Parse("bench", "start = 'main'")
	if err != nil {
		b.Fatal(err)
	}
	cfg.LogFile = os.DevNull
	most := 1 << 16
	listening := make(chan string, 1)
	n, err = bootstrap.Start(b.Context(), cfg,
		login.Definition(func(*service.Context) (login.Config, error) {
			return login.Config{
				Gate:         gate.OpenConfig{Port: new(int), MaxClient: &most},
				Authenticate: func(_ *service.Context, credentials []byte) (string, error) { return string(credentials), nil },
				Agent:        "player",
				Grace:        time.Hour,
			}, nil
		}),
		login.Agent("player", func(_ *service.Context, s *login.Session) (login.Events, error) {
			return login.Events{Packet: func(c *service.Context, packet []byte) { _ = s.Send(c, packet) }}, nil
		}),
		service.Def("main", func(c *service.Context, _ ...any) (err error) {
			h, err = c.NewService(login.Name)
			for _, s := range socket.Info(c.Node()) {
				listening <- s.Peer
			}
			return err
		}))
	if err != nil {
		b.Fatal(err)
	}
	return n, h, <-listening
}

// benchPlayer logs in and says one thing.
func benchPlayer(b *testing.B, addr, user string) net.Conn {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	hello := append([]byte{0, byte(1 + len(user)), 'L'}, user...)
	if _, err := conn.Write(hello); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, welcomeSize)); err != nil {
		b.Fatal(err)
	}
	if _, err := conn.Write([]byte("\x00\x02hi")); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 2+1+4+2)); err != nil {
		b.Fatal(err)
	}
	return conn
}

// inUse is the memory of heap and stacks.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
