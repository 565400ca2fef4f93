package socket_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// newWebServer listens for WebSocket clients at /play.
func newWebServer(t testing.TB, cfg socket.Config) *server {
	t.Helper()
	n, _ := newNode(t)
	s := &server{watcher: newWatcher(t), node: n}
	run(t, n, func(c *service.Context) (err error) {
		s.fd, s.addr, err = cfg.Listen(c, "ws://127.0.0.1:0/play", s.Handler)
		return err
	})
	return s
}

// page is a client of package websocket.
type page struct {
	*websocket.Conn
	t   testing.TB
	ctx context.Context
}

// browse connects.
func (s *server) browse() (*page, socket.FD) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	wc, _, err := websocket.Dial(ctx, "ws://"+s.addr+"/play", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = wc.CloseNow() })
	e := s.next()
	if e.kind != "open" {
		s.t.Fatalf("got %v, want open", e)
	}
	return &page{wc, s.t, ctx}, e.fd
}

func (p *page) send(b string) {
	p.t.Helper()
	if err := p.Write(p.ctx, websocket.MessageBinary, []byte(b)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) want(b string) {
	p.t.Helper()
	kind, got, err := p.Read(p.ctx)
	if err != nil || kind != websocket.MessageBinary || string(got) != b {
		p.t.Fatalf("got %v %.80q, %v, want %.80q", kind, got, err, b)
	}
}

// wantClose checks the code that the peer is told.
func (p *page) wantClose(code websocket.StatusCode) {
	p.t.Helper()
	if _, _, err := p.Read(p.ctx); websocket.CloseStatus(err) != code {
		p.t.Fatalf("got %v, want %v", err, code)
	}
}

func (s *server) start(fd socket.FD) {
	s.t.Helper()
	s.do(func(c *service.Context) error { return socket.Start(c, fd) })
}

func (s *server) write(fd socket.FD, bufs ...[]byte) {
	s.t.Helper()
	s.do(func(c *service.Context) error { return socket.Write(c, fd, bufs...) })
}

func TestWebSocketPackets(t *testing.T) {
	s := newWebServer(t, socket.Config{})
	p, fd := s.browse()
	p.SetReadLimit(socket.MaxFrame)
	p.send("early")
	p.send("")
	s.start(fd)
	s.want("data", fd, "early")
	s.want("data", fd, "")
	sizes := []int{0, 1, 7, 8, 9, 125, 126, 1000, 1025, 4000, 65534, 65535}
	for _, size := range sizes {
		text := strings.Repeat("0123456", size/7+1)[:size]
		p.send(text)
		s.want("data", fd, text)
		s.write(fd, packet(text))
		p.want(text)
	}
	// A packet may be written in pieces, and several at once.
	s.write(fd, []byte("\x00"))
	s.write(fd, []byte("\x04a"), []byte("bc"))
	s.write(fd, append([]byte("d"), packet("second")...))
	s.do(func(c *service.Context) error { return socket.WriteLow(c, fd, packet("third")) })
	s.do(func(c *service.Context) error { return socket.WriteLowFrames(c, fd, packet("fourth"), packet("")) })
	s.do(func(c *service.Context) error { return socket.WriteNow(c, fd, packet("fifth")) })
	for _, text := range []string{"abcd", "second", "third", "fourth", "", "fifth"} {
		p.want(text)
	}
	st := stat(s.node, fd)
	if st.Scheme != socket.WebScheme || st.Packets != uint64(len(sizes))+2 || st.Read < 1<<17 {
		t.Errorf("%+v", st)
	}
	s.do(func(c *service.Context) error { return socket.Close(c, fd) })
	p.wantClose(websocket.StatusNormalClosure)
	s.want("close", fd, "")
	s.gone(fd)
	s.nothing()
}

func TestWebSocketEnds(t *testing.T) {
	for name, end := range map[string]func(p *page){
		"close": func(p *page) {
			if err := p.Close(websocket.StatusGoingAway, "bye"); err != nil {
				p.t.Error(err)
			}
		},
		"cut": func(p *page) { _ = p.CloseNow() },
	} {
		for _, accepted := range []bool{true, false} {
			s := newWebServer(t, socket.Config{})
			p, fd := s.browse()
			if accepted {
				s.start(fd)
				p.send("last")
				s.want("data", fd, "last")
			}
			t.Log(name, accepted)
			end(p)
			s.want("close", fd, "")
			s.gone(fd)
			s.nothing()
		}
	}
}

// A TCP connection that ends without a close frame, with half a message on its
// way and an answer to it.
func TestWebSocketHalfClose(t *testing.T) {
	s := newWebServer(t, socket.Config{})
	cl, fd := s.upgrade("")
	s.start(fd)
	cl.send([]byte(frame(0x82, 4, "last") + "\x82\x89part"))
	s.want("data", fd, "last")
	s.write(fd, packet("answer"))
	if err := cl.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	s.want("close", fd, "")
	if rest := cl.rest(); rest != "\x82\x06answer" {
		t.Errorf("%q", rest)
	}

	cl, fd = s.upgrade("")
	s.start(fd)
	cl.reset()
	s.want("error", fd, "Connection reset by peer")
	s.want("close", fd, "")
	s.gone(fd)
	s.nothing()
}

// What waits to be sent goes out before the close frame.
func TestWebSocketCloseAfterOutput(t *testing.T) {
	s := newWebServer(t, socket.Config{})
	p, fd := s.browse()
	p.SetReadLimit(socket.MaxFrame)
	large := strings.Repeat("x", socket.MaxFrame)
	s.do(func(c *service.Context) error {
		for range 100 {
			if err := socket.Write(c, fd, packet(large)); err != nil {
				return err
			}
		}
		return socket.Close(c, fd)
	})
	for range 100 {
		p.want(large)
	}
	p.wantClose(websocket.StatusNormalClosure)
}

func TestWebSocketPing(t *testing.T) {
	s := newWebServer(t, socket.Config{})
	p, fd := s.browse()
	s.start(fd)
	_ = p.CloseRead(p.ctx)
	if err := p.Ping(p.ctx); err != nil {
		t.Error(err)
	}
	if st := stat(s.node, fd); st.Packets != 0 {
		t.Errorf("%+v", st)
	}
}

// What is no packet counts as one for the rate, and with its bytes.
func TestWebSocketRate(t *testing.T) {
	for _, limits := range []socket.Limits{{PacketRate: 1000}, {ByteRate: 6000}} {
		s := newWebServer(t, socket.Config{Limits: limits})
		cl, fd := s.upgrade("")
		s.start(fd)
		const pings = 1700 // of which the first second's allowance is 1000
		began := time.Now()
		cl.send([]byte(strings.Repeat(frame(0x89, 0, ""), pings)))
		if _, err := io.ReadFull(cl, make([]byte, pings*len("\x8a\x00"))); err != nil {
			t.Fatal(err)
		}
		pieces := frame(0x02, 1, "x") + strings.Repeat(frame(0x00, 0, ""), pings) + frame(0x80, 0, "")
		cl.send([]byte(pieces))
		s.want("data", fd, "x")
		if d := time.Since(began); d < 1800*time.Millisecond {
			t.Errorf("%+v: it took %v", limits, d)
		}
		cl.send([]byte(strings.Repeat(frame(0x89, 0, ""), pings)))
		s.do(func(c *service.Context) error { return socket.Shutdown(c, fd) })
		s.want("close", fd, "")
		s.nothing()
	}
}

// An answer to a ping does not go out inside a packet that is written in pieces.
func TestWebSocketPingInsidePacket(t *testing.T) {
	s := newWebServer(t, socket.Config{})
	cl, fd := s.upgrade("")
	s.start(fd)
	s.write(fd, []byte("\x00\x04ab"))
	cl.send([]byte(frame(0x89, 2, "hi") + frame(0x82, 5, "after")))
	s.want("data", fd, "after")
	s.write(fd, append([]byte("cd"), packet("next")...))
	want := "\x82\x04abcd\x8a\x02hi\x82\x04next"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(cl, got); err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestWebSocketRefuses(t *testing.T) {
	s := newWebServer(t, socket.Config{Origins: []string{"play.example.com"}})
	dial := func(path, origin string) int {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		wc, resp, err := websocket.Dial(ctx, "ws://"+s.addr+path, &websocket.DialOptions{HTTPHeader: header})
		if err == nil {
			_ = wc.CloseNow()
			s.next()
			s.next()
		}
		if resp == nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	for _, test := range []struct {
		path, origin string
		code         int
	}{
		{"/play", "", 101},
		{"/play", "http://" + s.addr, 101},
		{"/play", "https://play.example.com", 101},
		{"/other", "", 404},
		{"/play", "https://evil.example.com", 403},
	} {
		if code := dial(test.path, test.origin); code != test.code {
			t.Errorf("%v: %d", test, code)
		}
	}
	if e := s.next(); e.kind != "error" || e.fd != s.fd || !strings.Contains(e.text, "evil.example.com") {
		t.Errorf("got %v", e)
	}
	resp, err := http.Get("http://" + s.addr + "/play")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("no upgrade asked for: %s", resp.Status)
	}
	if e := s.next(); e.kind != "error" {
		t.Errorf("got %v", e)
	}
	s.nothing()
}

// A peer that asks for nothing does not stay.
func TestWebSocketSilentRequest(t *testing.T) {
	n, _ := newNode(t)
	socket.SetHandshake(n, 10*time.Millisecond)
	run(t, n, func(c *service.Context) error {
		_, addr, err := socket.Listen(c, "ws://127.0.0.1:0", nil)
		if err != nil {
			return err
		}
		dial(t, addr).wantEnd()
		cl := dial(t, addr) // nor one that promises more than it sends
		cl.send([]byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"))
		cl.wantEnd()
		return nil
	})
}

func TestWebSocketTLS(t *testing.T) {
	n, _ := newNode(t)
	cert, key, ca := nodetest.NewAuthority(t).Write(t.TempDir())
	tc := socket.MutualTLS(cert, key, ca, func(string) {})
	s := &server{watcher: newWatcher(t), node: n}
	run(t, n, func(c *service.Context) (err error) {
		s.fd, s.addr, err = socket.Config{TLS: tc}.Listen(c, "wss://127.0.0.1:0", s.Handler)
		return err
	})
	mine, err := tc()
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: mine}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	wc, _, err := websocket.Dial(ctx, "wss://"+s.addr, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	defer wc.CloseNow() //nolint:errcheck // it has ended
	p := &page{wc, t, ctx}
	fd := s.next().fd
	s.start(fd)
	p.send("hi")
	s.want("data", fd, "hi")
	s.write(fd, packet("ho"))
	p.want("ho")
	if st := stat(n, fd); st.Scheme != socket.SecureWebScheme {
		t.Errorf("%+v", st)
	}
	s.do(func(c *service.Context) error { return socket.Close(c, fd) })
	p.wantClose(websocket.StatusNormalClosure)
	s.want("close", fd, "")
}

// frame is a WebSocket frame of a client.
func frame(first byte, size byte, payload string) string {
	b := []byte{first, 0x80 | size, 1, 2, 3, 4}
	for i := range len(payload) {
		b = append(b, payload[i]^(byte(i&3)+1))
	}
	return string(b)
}

const upgradeRequest = "GET /play HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n"

// upgrade sends early right after the request, and returns what is left of the
// answer.
func (s *server) upgrade(early string) (*client, socket.FD) {
	s.t.Helper()
	cl := dial(s.t, s.addr)
	cl.send([]byte(upgradeRequest + early))
	var answer []byte
	for !bytes.HasSuffix(answer, []byte("\r\n\r\n")) {
		b := make([]byte, 1)
		if _, err := io.ReadFull(cl, b); err != nil {
			s.t.Fatalf("%q: %v", answer, err)
		}
		answer = append(answer, b...)
	}
	e := s.next()
	if e.kind != "open" {
		s.t.Fatalf("got %v, want open", e)
	}
	return cl, e.fd
}

// Messages in several frames, with control frames between, and in any pieces.
func TestWebSocketFragments(t *testing.T) {
	s := newWebServer(t, socket.Config{})
	early := frame(0x82, 5, "early") + frame(0x02, 2, "fr") + frame(0x89, 2, "hi") + frame(0x00, 2, "ag") +
		frame(0x80, 5, "ments") + frame(0x82, 4, "late") + frame(0x01<<1, 0, "") + frame(0x80, 0, "")
	for _, cut := range []int{0, 1, 3, 7, len(early)} {
		cl, fd := s.upgrade(early[:cut])
		s.start(fd)
		for i := cut; i < len(early); i++ {
			cl.send([]byte{early[i]})
		}
		for _, text := range []string{"early", "fragments", "late", ""} {
			s.want("data", fd, text)
		}
		pong := make([]byte, 4)
		if _, err := io.ReadFull(cl, pong); err != nil || string(pong) != "\x8a\x02hi" {
			t.Errorf("%q, %v", pong, err)
		}
		cl.send([]byte(frame(0x88, 2, "\x03\xe8")))
		s.want("close", fd, "")
		if rest := cl.rest(); rest != "\x88\x02\x03\xe8" {
			t.Errorf("%q", rest)
		}
	}
}

func TestWebSocketBreaches(t *testing.T) {
	s := newWebServer(t, socket.Config{Limits: socket.Limits{MaxPacket: 100}})
	for name, test := range map[string]struct {
		sent string
		code uint16
	}{
		"text":                    {frame(0x81, 1, "x"), 1003},
		"not masked":              {"\x82\x01x    ", 1002},
		"reserved bit":            {frame(0xc2, 1, "x"), 1002},
		"unknown kind":            {frame(0x83, 1, "x"), 1002},
		"unknown control":         {frame(0x8b, 0, ""), 1002},
		"end of nothing":          {frame(0x80, 1, "x"), 1002},
		"two beginnings":          {frame(0x02, 1, "x") + frame(0x82, 1, "x"), 1002},
		"control in pieces":       {frame(0x09, 1, "x"), 1002},
		"large control":           {"\x89\xfe\x00\x7e1234", 1002},
		"too large":               {frame(0x82, 101, ""), 1009},
		"too large with fragment": {frame(0x02, 60, strings.Repeat("x", 60)) + frame(0x80, 60, strings.Repeat("x", 60)), 1009},
		"huge":                    {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff1234", 1009},
	} {
		t.Run(name, func(t *testing.T) {
			cl, fd := s.upgrade("")
			s.start(fd)
			cl.send([]byte(frame(0x82, 2, "ok") + test.sent))
			s.want("data", fd, "ok")
			if e := s.next(); e.kind != "error" || e.fd != fd {
				t.Fatalf("got %v", e)
			}
			s.want("close", fd, "")
			want := string(binary.BigEndian.AppendUint16([]byte("\x88\x02"), test.code))
			if rest := cl.rest(); rest != want {
				t.Errorf("%q, want %q", rest, want)
			}
			cl.close()
		})
	}
	s.nothing()
}

// FuzzWebSocket sends messages in pieces, and anything after them.
func FuzzWebSocket(f *testing.F) {
	f.Add([]byte("\x03abc\x00"), []byte{1, 2}, []byte(frame(0x89, 2, "hi")))
	f.Add(bytes.Repeat([]byte("\xff"), 600), []byte{200}, []byte("\x82"))
	f.Fuzz(func(t *testing.T, texts, sizes, tail []byte) {
		var stream []byte
		var want []string
		for r := rand.New(rand.NewPCG(uint64(len(texts)), 1)); len(texts) > 0; {
			n := min(int(texts[0]%120), len(texts)-1)
			text := string(texts[1 : 1+n])
			texts = texts[1+n:]
			want = append(want, text)
			for first := byte(0x02); ; first = 0 {
				k := len(text)
				if r.IntN(2) == 0 {
					k = r.IntN(k + 1)
				}
				if k == len(text) {
					stream = append(stream, frame(first|0x80, byte(k), text)...)
					break
				}
				stream = append(stream, frame(first, byte(k), text[:k])...)
				text = text[k:]
			}
		}
		in := socket.NewWebFrames(&pieces{stream: append(stream, tail...), sizes: sizes})
		for i, text := range want {
			if got, ok := in(); !ok || string(got) != text {
				t.Fatalf("%d: %q, want %q", i, got, text)
			}
		}
		for _, ok := in(); ok; _, ok = in() {
		}
	})
}
