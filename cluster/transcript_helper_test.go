package cluster_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// transcript is a recorded conversation between two real Skynet nodes.
type transcript struct {
	Wire       []wireEvent `json:"wire"`
	WireSecond []wireEvent `json:"wire_second_proxy"`
	Results    []recorded  `json:"results"`
	ClientLog  []struct {
		Line string `json:"line"`
	} `json:"client_log"`
	ServerLog []struct {
		Line string `json:"line"`
	} `json:"server_log"`
	Cases []struct {
		Name       string      `json:"name"`
		Sent       []wireEvent `json:"sent"`
		Received   []wireEvent `json:"received"`
		Connection string      `json:"connection_at_end"`
		Wire       []wireEvent `json:"wire"`
		Results    []recorded  `json:"results"`
		ClientLog  []string    `json:"client_log"`
		ServerLog  []string    `json:"server_log"`
	} `json:"cases"`
}

// recorded is what a call of the recorded client gave.
type recorded struct {
	Label  string `json:"label"`
	OK     bool   `json:"ok"`
	Values []any  `json:"values"`
	Error  string `json:"error"`
}

// wireEvent is one frame, or something that happened to a connection. Of long
// frames the record has the ends and a sum only.
type wireEvent struct {
	Conn    int    `json:"conn"`
	Event   string `json:"ev"`
	By      string `json:"by"`
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

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// head is the beginning of a frame: all of it when it is short.
func (w wireEvent) head() []byte { return unhex(w.Hex + w.HeadHex) }

// frame returns the bytes of a frame. The middle of a long one is made from
// what it is known to consist of: one byte again and again, or the text of
// payload.
func (w wireEvent) frame() ([]byte, error) {
	if w.Hex != "" {
		return unhex(w.Hex), nil
	}
	head, tail := w.head(), unhex(w.TailHex)
	fills := [][]byte{head[len(head)-1:]}
	for _, seed := range []string{"A", "B", "D", "N"} {
		if i, text := strings.Index(payload(63, seed), string(head[len(head)-4:])), payload(63, seed); i >= 0 {
			fills = append(fills, []byte(text[i+4:i+4+21]))
		}
	}
	for _, fill := range fills {
		middle := bytes.Repeat(fill, w.Len/len(fill)+1)[:w.Len-len(head)-len(tail)]
		frame := bytes.Join([][]byte{head, middle, tail}, nil)
		if w.sum(frame) {
			return frame, nil
		}
	}
	return nil, fmt.Errorf("frame %s can not be made from its ends", w)
}

func (w wireEvent) sum(frame []byte) bool {
	sum := sha256.Sum256(frame)
	return hex.EncodeToString(sum[:]) == w.SHA256
}

// position is what Skynet puts in front of an error text.
var position = regexp.MustCompile(`\./[^ ]+:\d+: `)

// same compares a frame of ours with a recorded one, but for positions in the
// text of an error answer.
func (w wireEvent) same(frame []byte) bool {
	if w.Hex == "" {
		return len(frame) == w.Len && w.sum(frame)
	}
	want := unhex(w.Hex)
	if w.Dir != "c2s" && len(want) >= 7 && want[6] == 0 && len(frame) >= 7 {
		return bytes.Equal(want[2:7], frame[2:7]) && position.ReplaceAllString(string(want[7:]), "") == string(frame[7:])
	}
	return bytes.Equal(want, frame)
}

func (w wireEvent) String() string {
	switch {
	case w.Event != "":
		return w.Event
	case w.Hex != "":
		return w.Hex
	}
	return fmt.Sprintf("%s…%s (%d bytes)", w.HeadHex, w.TailHex, w.Len)
}

// large tells a part of a large message, or its begin.
func (w wireEvent) large() bool {
	head := w.head()
	return len(head) > 2 && head[2]&0x7f != 0
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

// session of an answer frame.
func (w wireEvent) session() uint32 { return binary.LittleEndian.Uint32(w.head()[2:]) }

// requestSession is the session of a request frame that is not large.
func (w wireEvent) requestSession() uint32 {
	r, err := wire.ParseRequest(w.head()[2:])
	if err != nil {
		return 0
	}
	return r.Session
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

// notation is a value as the records write it.
func notation(v any) any {
	switch v := v.(type) {
	case nil:
		return map[string]any{"t": "nil"}
	case bool:
		return map[string]any{"t": "bool", "v": v}
	case int64:
		return map[string]any{"t": "int", "v": strconv.FormatInt(v, 10)}
	case service.Handle:
		return notation(int64(v))
	case string:
		if len(v) > 300 {
			sum := sha1.Sum([]byte(v))
			return map[string]any{"t": "str", "len": float64(len(v)), "sha1": hex.EncodeToString(sum[:])}
		}
		return map[string]any{"t": "str", "hex": hex.EncodeToString([]byte(v))}
	case *lualike.Table:
		array, hash := []any{}, []any{}
		for key, value := range v.All() {
			if i, ok := key.(int64); ok && i <= int64(v.Len()) {
				array = append(array, notation(value))
				continue
			}
			hash = append(hash, []any{notation(key), notation(value)})
		}
		return map[string]any{"t": "table", "array": array, "hash": hash}
	}
	return fmt.Sprintf("%T", v)
}

func notations(args lualike.Args) []any {
	out := make([]any, len(args))
	for i, v := range args {
		out[i] = notation(v)
	}
	return out
}
