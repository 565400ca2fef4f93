package socket_test

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

const benchFrame = 64

func noIsolate(cfg *actor.Config) { cfg.Isolate = nil }

// BenchmarkForward is frames from a connection straight into a mailbox.
func BenchmarkForward(b *testing.B) {
	n, _ := newNode(b, noIsolate)
	s := newServer(b, n)
	left, done := b.N, make(chan struct{})
	service.Install(n, service.Def("sink", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeClient, func(*service.Context, service.Message) {
			if left--; left == 0 {
				close(done)
			}
		})
		return nil
	}))
	sink, err := service.Launch(n, "sink")
	if err != nil {
		b.Fatal(err)
	}
	cl, fd := s.client()
	s.do(func(c *service.Context) error { return socket.Forward(c, fd, sink, service.PTypeClient, 0) })
	b.SetBytes(benchFrame)
	b.ReportAllocs()
	w := bufio.NewWriterSize(cl, 1<<16)
	frame := packet(string(make([]byte, benchFrame-2)))
	b.ResetTimer()
	for range b.N {
		_, _ = w.Write(frame)
	}
	_ = w.Flush()
	<-done
}

// BenchmarkWrite is small writes of one service, as they gather.
func BenchmarkWrite(b *testing.B) {
	n, _ := newNode(b, noIsolate)
	s := newServer(b, n)
	cl, fd := s.client()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, cl)
	}()
	frame := bytes.Repeat([]byte("x"), benchFrame)
	b.SetBytes(benchFrame)
	b.ReportAllocs()
	s.do(func(c *service.Context) error {
		for b.Loop() {
			if err := socket.Write(c, fd, frame); err != nil {
				return err
			}
		}
		return socket.Close(c, fd)
	})
	<-drained
	cl.close()
}

// BenchmarkRequest is one request after the other on a Channel.
func BenchmarkRequest(b *testing.B) {
	n, _ := newNode(b, noIsolate)
	s := newServer(b, n)
	s.Data = func(c *service.Context, fd socket.FD, frame []byte) {
		_ = socket.Write(c, fd, packet(string(frame[:4])+"o"))
	}
	s.Open = func(c *service.Context, fd socket.FD, _ string) { _ = socket.Start(c, fd) }
	ch := socket.NewChannel(socket.ChannelConfig{Addr: s.addr, Response: readAnswer})
	b.ReportAllocs()
	s.do(func(c *service.Context) error {
		for b.Loop() {
			if _, err := ch.Request(c, 1, ask(1, "q"), false); err != nil {
				return err
			}
		}
		ch.Close(c)
		return nil
	})
}
