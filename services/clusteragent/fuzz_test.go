package clusteragent_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
)

// Limits small enough for the fuzzer to reach.
const (
	fuzzMaxParts   = 4
	fuzzMaxMessage = 3 * wire.PartSize
)

// mirror is a service that answers every request: with what came, or an error
// when that has an even number of bytes.
func mirror() *service.Definition {
	return service.Def("mirror", func(c *service.Context, _ ...any) error {
		c.Dispatch(service.PTypeLua, func(c *service.Context, m service.Message) {
			b, _ := m.Data.([]byte)
			if len(b)%2 == 0 {
				r := c.Response()
				_, _ = r.Fail(nil)
				return
			}
			_, _ = c.RetRaw(b)
		})
		return nil
	})
}

// FuzzAgent sends any frames, split anywhere, over a connection. Whatever they
// are, each session gets as many answers as it has a right to, and then a plain
// request its own; or the connection ends, when a limit says so.
func FuzzAgent(f *testing.F) {
	for _, frames := range recordedFrames(f) {
		f.Add(frames, []byte{})
		f.Add(frames, []byte{0, 0, 0, 5, 0})
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		n := nodetest.Start(t, nodetest.Services(mirror()))
		var known, dead service.Handle
		var addr string
		n.Run(func(c *service.Context) (err error) {
			if known, err = c.NewService("mirror"); err != nil {
				return err
			}
			if dead, err = c.NewService("mirror"); err != nil {
				return err
			}
			if err = c.Kill(dead); err != nil {
				return err
			}
			if err = cluster.Register(c, "sdb", known); err != nil {
				return err
			}
			if err = cluster.Reload(c, cluster.Table{"__maxparts": fuzzMaxParts, "__maxmessage": fuzzMaxMessage}); err != nil {
				return err
			}
			addr, err = cluster.Open(c, 0)
			return err
		})
		e := expected{due: make(map[uint32]int), large: make(map[uint32]*wire.Assembly), begin: make(map[uint32]wire.Request)}
		var out []byte
		stream = bytes.Clone(stream) // it is changed
		for !e.closed && len(stream) >= 2 {
			size := min(int(binary.BigEndian.Uint16(stream)), len(stream)-2)
			body := stream[2 : 2+size]
			stream = stream[2+size:]
			redirect(body, []service.Handle{0, known, dead})
			out = append(binary.BigEndian.AppendUint16(out, uint16(size)), body...)
			e.frame(body)
		}
		p := connect(t, addr)
		for _, c := range cuts {
			k := min(1+int(c), len(out))
			p.send(out[:k])
			out = out[k:]
		}
		p.send(out)
		e.check(p)
		n.WaitIdle()
		if n.Log.Count("goroutine ") > 0 {
			t.Error("a handler has panicked")
		}
	})
}

// redirect makes a request go to one of the services that it may reach.
func redirect(body []byte, to []service.Handle) {
	r, err := wire.ParseRequest(body)
	switch {
	case err != nil || r.Kind != wire.KindRequest && r.Kind != wire.KindBegin:
	case !r.Addr.ByName():
		binary.LittleEndian.PutUint32(body[1:], uint32(to[int(r.Addr.Handle%uint32(len(to)))]))
	case r.Addr.Name != "":
		if c := r.Addr.Name[0]; c == '.' || c == ':' {
			body[2] = '@'
		}
	}
}

// expected tells what the agent must do, in the simplest way.
type expected struct {
	due    map[uint32]int // answers by session
	large  map[uint32]*wire.Assembly
	begin  map[uint32]wire.Request // the zero Request: answered already
	closed bool
}

func (e *expected) frame(body []byte) {
	r, err := wire.ParseRequest(body)
	if err != nil {
		return
	}
	large := e.large[r.Session]
	switch r.Kind {
	case wire.KindRequest:
		e.request(r)
	case wire.KindBegin:
		if large != nil {
			*large = wire.Assembly{}
			return
		}
		large = new(wire.Assembly)
		if r.Size > fuzzMaxMessage {
			e.due[r.Session]++
			r = wire.Request{Session: r.Session}
		} else {
			large.Reset(r.Size)
		}
		e.add(r, large)
	case wire.KindPart:
		if large == nil {
			large = new(wire.Assembly)
			e.add(r, large)
		}
		large.Append(r.Payload)
	case wire.KindEnd:
		if large == nil {
			e.due[r.Session]++
			return
		}
		large.Append(r.Payload)
		begin := e.begin[r.Session]
		delete(e.large, r.Session)
		if _, ok := large.Bytes(); ok {
			e.request(begin)
		} else if begin.Kind != 0 {
			e.due[r.Session]++
		}
	}
}

func (e *expected) add(r wire.Request, large *wire.Assembly) {
	e.large[r.Session], e.begin[r.Session] = large, r
	e.closed = len(e.large) > fuzzMaxParts
}

// request counts the answer to a request that is whole. A push gets one only
// when it asks for a name, or for one that is not there.
func (e *expected) request(r wire.Request) {
	query := !r.Addr.ByName() && r.Addr.Handle == 0
	unknown := wire.IsName(r.Addr.Name) && r.Addr.Name != "@sdb"
	if !r.Push || query || unknown {
		e.due[r.Session]++
	}
}

func (e *expected) check(p *peer) {
	p.t.Helper()
	due := 0
	for _, n := range e.due {
		due += n
	}
	for due > 0 {
		r, err := p.frame()
		if err != nil {
			if e.closed {
				return
			}
			p.t.Fatalf("%v while these are due: %v", err, e.due)
		}
		if r.Kind == wire.KindBegin || r.Kind == wire.KindPart {
			continue
		}
		if e.due[r.Session] == 0 {
			p.t.Fatalf("answer %d: %q, these are due: %v", r.Session, r.Payload, e.due)
		}
		e.due[r.Session]--
		due--
	}
	if e.closed {
		p.wantEnd()
		return
	}
	p.call(77, true, 7)
	p.want(77, true)
}

// recordedFrames are the malformed and other requests that real Skynet was sent,
// and messages in parts.
func recordedFrames(f *testing.F) [][]byte {
	f.Helper()
	b, err := os.ReadFile("../../cluster/testdata/transcripts/o_malformed_requests.json")
	if err != nil {
		f.Fatal(err)
	}
	var record struct {
		Cases []struct {
			Sent []struct {
				Hex string `json:"hex"`
			} `json:"sent"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(b, &record); err != nil {
		f.Fatal(err)
	}
	var out [][]byte
	for _, c := range record.Cases {
		var frames []byte
		for _, s := range c.Sent {
			frame, err := hex.DecodeString(s.Hex)
			if err != nil {
				f.Fatal(err)
			}
			frames = append(frames, frame...)
		}
		out = append(out, frames)
	}
	var all []byte
	for session := range uint32(fuzzMaxParts + 1) {
		all = append(all, unfinished(session+1, 2*wire.PartSize)...)
		out = append(out, all)
	}
	return append(out, wire.AppendPart(unfinished(1, wire.PartSize+1), 1, make([]byte, wire.PartSize+1), 1))
}
