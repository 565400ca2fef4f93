package cluster_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/snax"
)

// recordedSnax is the handle of t_snax in the records.
const recordedSnax = 13

// The snax services of the records; the second is closed to other nodes.
var (
	tSnax   = snax.NewInterface("t_snax", "response.ping", "response.count", "response.error", "accept.hello")
	tSnaxNo = snax.NewInterface("t_snaxno", "response.ping", "response.count", "response.error", "accept.hello")
)

func snaxService(i *snax.Interface) *service.Definition {
	return snax.Def(i, func(c *service.Context, _ ...any) (snax.Methods, error) {
		if i == tSnax {
			snax.EnableCluster(c)
		}
		n := 0
		return snax.Methods{
			"response.ping":  service.F1(func(_ *service.Context, s string) (string, error) { return "pong:" + s, nil }),
			"response.count": service.F0(func(*service.Context) (int, error) { return n, nil }),
			"response.error": service.P0(func(*service.Context) error { return errors.New("snax error") }),
			"accept.hello": service.P1(func(c *service.Context, s string) error {
				n++
				c.Error("snax hello", s)
				return nil
			}),
		}, nil
	})
}

// snaxServer starts a node with the snax services of the records and returns
// where it listens and the handle of t_snax.
func snaxServer(t *testing.T) (addr string, o snax.Object) {
	t.Helper()
	n := nodetest.Start(t, nodetest.Services(snaxService(tSnax), snaxService(tSnaxNo)))
	n.Run(func(c *service.Context) error {
		var err error
		if o, err = snax.UniqueService(c, tSnax); err != nil {
			return err
		}
		no, err := snax.UniqueService(c, tSnaxNo)
		if err != nil {
			return err
		}
		if err := cluster.Register(c, "snaxsvc", o.Handle()); err != nil {
			return err
		}
		if err := cluster.Register(c, "snaxno", no.Handle()); err != nil {
			return err
		}
		addr, err = cluster.Open(c, 0)
		return err
	})
	return addr, o
}

// Our server answers a real client of its snax services as the real one did.
func TestB195SnaxServer(t *testing.T) {
	addr, o := snaxServer(t)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	known := handles{recordedSnax: o.Handle()}
	for _, w := range readTranscript(t, "j_snax").Wire {
		switch w.Dir {
		case "c2s":
			if _, err := conn.Write(known.request(w.head())); err != nil {
				t.Fatal(err)
			}
		case "s2c":
			if w.session() == 5 { // the answer to the query is a handle
				w.Hex = hexAnswer(t, 5, o.Handle())
			}
			expectFrames(t, conn, []wireEvent{w}, wireEvent.same)
		}
	}
}

func hexAnswer(t *testing.T, session uint32, vals ...any) string {
	t.Helper()
	packed, err := lualike.Pack(vals...)
	if err != nil {
		t.Fatal(err)
	}
	frame, _ := wire.AppendResponse(nil, session, true, packed)
	return hex.EncodeToString(frame)
}

// recordedPeer plays the server of a record to one client: it wants the frames
// that the real client sent, byte for byte, and gives the recorded answers. It
// returns where it listens, and a channel for how the conversation went.
func recordedPeer(t *testing.T, events []wireEvent) (addr string, done <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	result := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			result <- err
			return
		}
		t.Cleanup(func() { _ = conn.Close() }) // the last request stays without an answer
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			result <- err
			return
		}
		for _, w := range events {
			switch w.Dir {
			case "c2s":
				frame, err := readFrame(conn)
				if err != nil || !bytes.Equal(frame, w.head()) {
					result <- fmt.Errorf("got %x, %v, recorded %s", frame, err, w)
					_ = conn.Close() // ends the client's calls
					return
				}
			case "s2c":
				if _, err := conn.Write(w.head()); err != nil {
					result <- err
					return
				}
			}
		}
		result <- nil
	}()
	return l.Addr().String(), result
}

// Our client, making the recorded calls, sends the recorded bytes.
func TestB195SnaxClient(t *testing.T) {
	addr, done := recordedPeer(t, readTranscript(t, "j_snax").Wire)
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		o, err := cluster.Snax(c, "srv", tSnax, "@snaxsvc")
		if err != nil {
			return err
		}
		if got, err := snax.Req[string](c, o, "ping", "hi"); err != nil || got != "pong:hi" {
			return fmt.Errorf("ping: %q, %v", got, err)
		}
		if err := o.Post(c, "hello", "posted"); err != nil {
			return err
		}
		if got, err := snax.Req[int](c, o, "count"); err != nil || got != 1 {
			return fmt.Errorf("count: %d, %v", got, err)
		}
		if err := callFailed(o.Req(c, "error")); err != nil {
			return fmt.Errorf("error: %w", err)
		}
		if _, err := o.Req(c, "nosuch"); !errors.Is(err, service.ErrUnknownCommand) {
			return fmt.Errorf("nosuch: %v", err)
		}
		if o, err = cluster.Snax(c, "srv", tSnaxNo, "@snaxno"); err != nil {
			return err
		}
		if err := callFailed(o.Req(c, "ping", "x")); err != nil {
			return fmt.Errorf("a service that is closed: %w", err)
		}
		if o, err = cluster.Snax(c, "srv", tSnax); err != nil {
			return err
		}
		if got, err := snax.Req[string](c, o, "ping", "there"); err != nil || got != "pong:there" {
			return fmt.Errorf("ping after a query: %q, %v", got, err)
		}
		missing := snax.NewInterface("nosnax")
		if _, err := cluster.Snax(c.WithTimeout(20*time.Millisecond), "srv", missing); !errors.Is(err, service.ErrTimeout) {
			return fmt.Errorf("never launched: %v", err)
		}
		return nil
	})
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// callFailed wants the error that is all of the record's failures to a caller.
func callFailed(_ lualike.Args, err error) error {
	if remote := (*cluster.RemoteError)(nil); !errors.As(err, &remote) || position.ReplaceAllString(remote.Text, "") != cluster.TextCallFailed {
		return fmt.Errorf("got %w", err)
	}
	return nil
}

// Both sides are ours: what the records do not show.
func TestSnaxOfAnotherNode(t *testing.T) {
	failing := snax.NewInterface("failing")
	server := nodetest.Start(t, nodetest.Services(snaxService(tSnax),
		snax.Def(failing, func(*service.Context, ...any) (snax.Methods, error) { return nil, errors.New("no luck") })))
	var addr string
	server.Run(func(c *service.Context) (err error) {
		addr, err = cluster.Open(c, 0)
		return err
	})
	launch := func(c *service.Context, i *snax.Interface) (lualike.Args, error) {
		return cluster.Call(c, "srv", ".service", "LAUNCH", "snaxd", i.Name())
	}
	n := client(t, cluster.Table{"srv": addr})
	n.Run(func(c *service.Context) error {
		if vals, err := launch(c, failing); err != nil || vals.At(0) != nil {
			return fmt.Errorf("launch of a service that fails: %v, %v", vals, err)
		}
		_, err := cluster.Snax(c, "srv", failing)
		if remote := (*cluster.RemoteError)(nil); !errors.As(err, &remote) || remote.Text != "newservice snaxd failing: no luck" {
			return fmt.Errorf("a service that has failed: %w", err)
		}
		var launched lualike.Args
		var launchErr error
		c.Fork(func(c *service.Context) { launched, launchErr = launch(c, tSnax) })
		o, err := cluster.Snax(c, "srv", tSnax) // the launch is sent behind the query
		if err != nil {
			return err
		}
		if _, err := o.Req(c, "ping", "x"); err != nil {
			return err
		}
		if launchErr != nil || launched.At(0) == nil {
			return fmt.Errorf("launch: %v, %w", launched, launchErr)
		}
		if err := o.Kill(c); err != nil {
			return err
		}
		if _, err := o.Req(c, "ping", "x"); !errors.Is(err, service.ErrCallFailed) {
			return fmt.Errorf("after its end: %w", err)
		}
		return nil
	})
}
