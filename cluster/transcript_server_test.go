package cluster_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// transcript is a recorded conversation between two real Skynet nodes.
type transcript struct {
	Wire  []wireEvent `json:"wire"`
	Cases []struct {
		Name       string      `json:"name"`
		Sent       []wireEvent `json:"sent"`
		Received   []wireEvent `json:"received"`
		Connection string      `json:"connection_at_end"`
	} `json:"cases"`
}

// wireEvent is one frame, or the opening or end of a connection. Of long frames
// the record has the ends and a sum only.
type wireEvent struct {
	Conn    int    `json:"conn"`
	Event   string `json:"ev"`
	Dir     string `json:"dir"`
	Hex     string `json:"hex"`
	HeadHex string `json:"head_hex"`
	TailHex string `json:"tail_hex"`
	Len     int    `json:"len"`
	SHA256  string `json:"sha256"`
}

func readTranscript(t *testing.T, name string) transcript {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "transcripts", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var tr transcript
	if err := json.Unmarshal(b, &tr); err != nil {
		t.Fatal(err)
	}
	return tr
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// frame returns the bytes of a frame. The middle of a long one is the byte that
// its known part ends with.
func (w wireEvent) frame(t *testing.T) []byte {
	t.Helper()
	if w.Hex != "" {
		return unhex(t, w.Hex)
	}
	head, tail := unhex(t, w.HeadHex), unhex(t, w.TailHex)
	fill := bytes.Repeat(head[len(head)-1:], w.Len-len(head)-len(tail))
	frame := append(append(head, fill...), tail...)
	if sum := sha256.Sum256(frame); hex.EncodeToString(sum[:]) != w.SHA256 {
		t.Fatalf("frame %s can not be made from its ends", w)
	}
	return frame
}

// position is what Skynet puts in front of an error text.
var position = regexp.MustCompile(`^\./[^ ]+:\d+: `)

// same compares a frame of ours with a recorded one, but for the position in an
// error text.
func (w wireEvent) same(t *testing.T, frame []byte) bool {
	t.Helper()
	if w.Hex == "" {
		sum := sha256.Sum256(frame)
		return len(frame) == w.Len && hex.EncodeToString(sum[:]) == w.SHA256 &&
			bytes.HasPrefix(frame, unhex(t, w.HeadHex)) && bytes.HasSuffix(frame, unhex(t, w.TailHex))
	}
	want := unhex(t, w.Hex)
	if len(want) >= 7 && want[6] == 0 && len(frame) >= 7 {
		return bytes.Equal(want[2:7], frame[2:7]) && position.ReplaceAllString(string(want[7:]), "") == string(frame[7:])
	}
	return bytes.Equal(want, frame)
}

func (w wireEvent) String() string {
	if w.Hex != "" {
		return w.Hex
	}
	return fmt.Sprintf("%s…%s (%d bytes)", w.HeadHex, w.TailHex, w.Len)
}

// session of an answer frame.
func (w wireEvent) session(t *testing.T) uint32 {
	t.Helper()
	return binary.LittleEndian.Uint32(unhex(t, w.Hex+w.HeadHex)[2:])
}

// handles are those of the recorded services, and what they are on our node.
type handles map[uint32]service.Handle

// Handles in the records.
const (
	recordedSdb    = 10
	recordedDead   = 11
	recordedVictim = 12
)

// request puts our handles in the place of the recorded ones.
func (h handles) request(frame []byte) []byte {
	frame = bytes.Replace(frame, []byte(service.Handle(recordedSdb).String()), []byte(h[recordedSdb].String()), 1)
	if len(frame) < 7 || frame[2]&0x80 != 0 || frame[2] != 0 && frame[2] != 1 && frame[2] != 0x41 {
		return frame
	}
	if ours, ok := h[binary.LittleEndian.Uint32(frame[3:])]; ok {
		binary.LittleEndian.PutUint32(frame[3:], uint32(ours))
	}
	return frame
}

// requestSession is the session of a request frame.
func (w wireEvent) requestSession(t *testing.T) uint32 {
	t.Helper()
	r, err := wire.ParseRequest(w.frame(t)[2:])
	if err != nil {
		t.Fatal(err)
	}
	return r.Session
}

// recordedServer starts a node with the services that the records were made
// with, and returns where it listens.
func recordedServer(t *testing.T) (string, handles) {
	t.Helper()
	n := nodetest.Start(t, nodetest.Services(recordedSDB()))
	var addr string
	known := make(handles)
	n.Run(func(c *service.Context) error {
		for recorded, name := range map[uint32]string{recordedSdb: "sdb", recordedDead: "dead", recordedVictim: "victim"} {
			h, err := c.NewService("recorded")
			if err != nil {
				return err
			}
			if err := cluster.Register(c, name, h); err != nil {
				return err
			}
			known[recorded] = h
		}
		if err := c.Name(".sdb", known[recordedSdb]); err != nil {
			return err
		}
		if err := c.Kill(known[recordedDead]); err != nil {
			return err
		}
		var err error
		addr, err = cluster.Open(c, 0)
		return err
	})
	return addr, known
}

// payload is the text that the recorded services make.
func payload(n int, seed string) string {
	p := "payload-" + seed + "-0123456789-"
	return strings.Repeat(p, n/len(p)+1)[:n]
}

// recordedSDB is t_sdb of the records (transcripts/README.json).
func recordedSDB() *service.Definition {
	return service.Def("recorded", func(c *service.Context, _ ...any) error {
		db := make(map[string]any)
		pushes := lualike.NewTable(0, 0)
		var pending *service.Response
		fail := func(c *service.Context, args lualike.Args) (lualike.Args, error) {
			return nil, fmt.Errorf("boom %v", args)
		}
		for name, f := range map[string]func(*service.Context, lualike.Args) (lualike.Args, error){
			"echo": func(_ *service.Context, args lualike.Args) (lualike.Args, error) { return args, nil },
			"set": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				key, _ := args.Str(0)
				old := db[key]
				db[key] = args.At(1)
				return lualike.Args{old}, nil
			},
			"get": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				key, _ := args.Str(0)
				return lualike.Args{db[key]}, nil
			},
			"add": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				a, err := args.Int(0)
				b, err2 := args.Int(1)
				return lualike.Args{a + b}, errors.Join(err, err2)
			},
			"none":      func(*service.Context, lualike.Args) (lualike.Args, error) { return nil, nil },
			"raw_empty": func(*service.Context, lualike.Args) (lualike.Args, error) { return nil, nil },
			"fail":      fail,
			"failtable": fail,
			"sleep": func(c *service.Context, args lualike.Args) (lualike.Args, error) {
				cs, err := args.Int(0)
				if err == nil {
					err = c.Sleep(time.Duration(cs) * 10 * time.Millisecond)
				}
				return lualike.Args{args.At(1)}, err
			},
			"big": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				n, err := args.Int(0)
				seed, ok := args.At(1).(string)
				if !ok {
					seed = "A"
				}
				return lualike.Args{payload(int(n), seed)}, err
			},
			"len": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				s, err := args.Str(0)
				sum := sha1.Sum([]byte(s))
				return lualike.Args{len(s), hex.EncodeToString(sum[:])}, err
			},
			"note": func(_ *service.Context, args lualike.Args) (lualike.Args, error) {
				note := lualike.Array(args...)
				pushes.Append(note)
				return nil, note.Set("n", len(args))
			},
			"notes": func(*service.Context, lualike.Args) (lualike.Args, error) {
				p := pushes
				pushes = lualike.NewTable(0, 0)
				return lualike.Args{p}, nil
			},
			"quit": func(c *service.Context, _ lualike.Args) (lualike.Args, error) { c.Exit(); return nil, nil },
			"ret_twice": func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
				_, err := c.Ret(1)
				_, err2 := c.Ret(2)
				return nil, errors.Join(err, err2)
			},
			"hold": func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
				pending = c.Response()
				return nil, nil
			},
			"release": func(*service.Context, lualike.Args) (lualike.Args, error) {
				ok, err := pending.Ret("released")
				return lualike.Args{ok}, err
			},
			"unresponse": func(*service.Context, lualike.Args) (lualike.Args, error) {
				ok, err := pending.Fail(nil)
				return lualike.Args{ok}, err
			},
			"noreply": func(c *service.Context, _ lualike.Args) (lualike.Args, error) {
				c.IgnoreRet() // the record's handler forgets; ours would answer with an error
				return nil, nil
			},
		} {
			c.Handle(name, service.Raw(f))
		}
		return nil
	})
}

// readFrame reads one whole frame.
func readFrame(r io.Reader) ([]byte, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head))
	_, err := io.ReadFull(r, body)
	return append(head, body...), err
}

// Our server gets what a real client sent and answers as the real server did.
func TestTranscriptsServer(t *testing.T) {
	for _, name := range []string{
		"a_call_name", "b_call_number", "f_errors", "f_ret_twice", "g_large_response_limits", "q_out_of_order",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, known := recordedServer(t)
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			var due []wireEvent
			collect := func() {
				expectFrames(t, conn, due)
				due = nil
			}
			for _, w := range readTranscript(t, name).Wire {
				switch w.Dir {
				case "c2s":
					collect()
					if _, err := conn.Write(known.request(w.frame(t))); err != nil {
						t.Fatal(err)
					}
				case "s2c":
					due = append(due, w)
				}
			}
			collect()
		})
	}
}

// expectFrames reads as many frames as are due and compares those of each
// session, in their order.
func expectFrames(t *testing.T, conn net.Conn, due []wireEvent) {
	t.Helper()
	bySession := make(map[uint32][]wireEvent)
	for _, w := range due {
		bySession[w.session(t)] = append(bySession[w.session(t)], w)
	}
	for range due {
		frame, err := readFrame(conn)
		if err != nil {
			t.Fatalf("%v while these are due: %v", err, bySession)
		}
		session := binary.LittleEndian.Uint32(frame[2:])
		want := bySession[session]
		if len(want) == 0 {
			t.Fatalf("an answer that is not recorded here: %x", frame)
		}
		if !want[0].same(t, frame) {
			t.Fatalf("session %d: answered %.80x\nrecorded %s", session, frame, want[0])
		}
		bySession[session] = want[1:]
	}
}

// answersInstead are the malformed requests that real Skynet leaves without an
// answer, or dies of, and the error that ours gives: name or payload can not be
// read.
var answersInstead = map[string]string{
	"unpack_error_in_service": cluster.TextCallFailed,
	"addr0_empty":             cluster.TextNameNotFound,
	"addr0_garbage":           cluster.TextNameNotFound,
	"empty_name":              cluster.TextInvalidName,
	"plain_name":              cluster.TextInvalidName,
	"deep_payload":            cluster.TextCallFailed,
}

// What a real server makes of malformed frames, ours does too: it drops them,
// or answers with the recorded error, and goes on with the next.
func TestTranscriptsMalformedRequests(t *testing.T) {
	addr, known := recordedServer(t)
	for _, c := range readTranscript(t, "o_malformed_requests").Cases {
		t.Run(c.Name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			received := c.Received
			if text, differs := answersInstead[c.Name]; differs {
				frame, _ := wire.AppendResponse(nil, c.Sent[0].requestSession(t), false, []byte(text))
				received = append([]wireEvent{{Hex: hex.EncodeToString(frame)}}, received...)
			}
			if c.Name == "addr0_push" { // answers with a handle, ours
				packed, err := lualike.Pack(known[recordedSdb])
				if err != nil {
					t.Fatal(err)
				}
				frame, _ := wire.AppendResponse(nil, 0, true, packed)
				received[0].Hex = hex.EncodeToString(frame)
			}
			for i, w := range c.Sent {
				if c.Name == "same_session_twice" && i == 1 { // which answer is whose, only time tells
					expectFrames(t, conn, received[:1])
					received = received[1:]
				}
				if w.Event != "" {
					if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if _, err := conn.Write(known.request(w.frame(t))); err != nil {
					t.Fatal(err)
				}
			}
			expectFrames(t, conn, received)
			if strings.HasPrefix(c.Connection, "server closed") && c.Name != "deep_payload" {
				if frame, err := readFrame(conn); err != io.EOF {
					t.Errorf("the connection is still there: %x, %v", frame, err)
				}
			}
		})
	}
}
