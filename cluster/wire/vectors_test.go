package wire

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
)

const vectorCount = 267

// vector is one record of testdata/cluster_frames.jsonl: a call of a function of Skynet's cluster core and
// what it returned. The first line of the file describes the fields.
type vector struct {
	ID    string `json:"id"`
	Group string `json:"group"`
	Fn    string `json:"fn"`
	Note  string `json:"note"`

	Addr       *vectorAddr     `json:"addr"`
	Session    int64           `json:"session"`
	OK         json.RawMessage `json:"ok"`
	Payload    *vectorBytes    `json:"payload"`
	MessageHex *string         `json:"message_hex"`
	Tag        *vectorBytes    `json:"tag"`
	TagHex     string          `json:"tag_hex"`
	BodyHex    string          `json:"body_hex"`
	ArgHex     string          `json:"arg_hex"`

	NextSession uint32        `json:"next_session"`
	Multi       bool          `json:"multi"`
	Frames      []vectorFrame `json:"frames"`
	NFrames     int           `json:"n_frames"`
	TotalLen    int           `json:"total_len"`
	SHA256All   string        `json:"sha256_all"`
	Returns     []vectorValue `json:"returns"`
	Result      bool          `json:"result"`
	ResultHex   string        `json:"result_hex"`
	Count       int           `json:"count"`
	Error       string        `json:"error"`
}

type vectorAddr struct {
	Num     *int64  `json:"num"`
	NameHex *string `json:"name_hex"`
	Lua     string  `json:"lua"`
}

type vectorBytes struct {
	RepeatHex string `json:"repeat_hex"`
	Len       int    `json:"len"`
}

// vectorFrame is a frame in full, or its length, beginning and digest.
type vectorFrame struct {
	Len     int    `json:"len"`
	Hex     string `json:"hex"`
	HeadHex string `json:"head_hex"`
	SHA256  string `json:"sha256"`
}

func (f *vectorFrame) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &f.Hex)
	}
	type plain vectorFrame
	return json.Unmarshal(b, (*plain)(f))
}

type vectorValue struct {
	T   string          `json:"t"`
	V   json.RawMessage `json:"v"`
	Hex string          `json:"hex"`
}

// inexpressible are the records whose arguments the Go types rule out: an address that is neither number
// nor string, no message, and a concat of something that is not a list of parts.
var inexpressible = map[string]bool{
	"frame-0089": true, "frame-0090": true, "frame-0096": true,
	"frame-0185": true, "frame-0186": true, "frame-0192": true,
	"frame-0372": true,
}

func TestVectors(t *testing.T) {
	ran, skipped := 0, 0
	for _, v := range loadVectors(t) {
		if inexpressible[v.ID] {
			skipped++
			continue
		}
		ran++
		t.Run(v.Group+"/"+v.ID, func(t *testing.T) {
			switch v.Fn {
			case "packrequest":
				checkPackRequest(t, v, AppendRequest)
			case "packpush":
				checkPackRequest(t, v, AppendPush)
			case "packtrace":
				checkPackTrace(t, v)
			case "packresponse":
				checkPackResponse(t, v)
			case "unpackrequest":
				checkUnpackRequest(t, v)
			case "unpackresponse":
				checkUnpackResponse(t, v)
			case "concat":
				checkConcat(t, v)
			case "isname":
				if got := IsName(string(unhex(t, v.ArgHex))); got != v.Result {
					t.Errorf("IsName = %v, want %v", got, v.Result)
				}
			default:
				t.Fatalf("no check for function %q", v.Fn)
			}
		})
	}
	if ran+skipped != vectorCount || skipped != len(inexpressible) {
		t.Errorf("%d records checked, %d skipped; want %d in all, %d skipped", ran, skipped, vectorCount, len(inexpressible))
	}
}

func checkPackRequest(t *testing.T, v vector, pack func([]byte, Addr, uint32, []byte) ([]byte, int, error)) {
	var a Addr
	if v.Addr.Num != nil {
		a = NumAddr(uint32(*v.Addr.Num))
	} else {
		a = NameAddr(string(unhex(t, *v.Addr.NameHex)))
	}
	session := uint32(v.Session)
	payload := v.Payload.bytes(t)

	first, n, err := pack(nil, a, session, payload)
	if v.Error != "" {
		checkFormatError(t, err, v.Error)
		if first != nil || n != 0 {
			t.Errorf("on error: %d bytes and %d parts, want none", len(first), n)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	frames := [][]byte{first}
	for i := range n {
		frames = append(frames, AppendPart(nil, session, payload, i))
	}
	checkFrames(t, v, frames)
	if got := NextSession(session); got != v.NextSession {
		t.Errorf("NextSession(%d) = %d, want %d", session, got, v.NextSession)
	}
}

func checkPackTrace(t *testing.T, v vector) {
	tag := unhex(t, v.TagHex)
	if v.Tag != nil {
		tag = v.Tag.bytes(t)
	}
	frame, err := AppendTrace(nil, string(tag))
	if v.Error != "" {
		checkFormatError(t, err, v.Error)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	checkFrames(t, v, [][]byte{frame})
}

func checkPackResponse(t *testing.T, v vector) {
	var payload []byte
	if v.MessageHex != nil {
		payload = unhex(t, *v.MessageHex)
	} else {
		payload = v.Payload.bytes(t)
	}
	// Any Lua value but false and nil is true, such as the number and the string of two records.
	ok := string(v.OK) != "false"
	session := uint32(v.Session)
	first, n := AppendResponse(nil, session, ok, payload)
	frames := [][]byte{first}
	for i := range n {
		frames = append(frames, AppendResponsePart(nil, session, payload, i))
	}
	checkFrames(t, v, frames)
}

func checkUnpackRequest(t *testing.T, v vector) {
	r, err := ParseRequest(unhex(t, v.BodyHex))
	if v.Error != "" {
		checkFormatError(t, err, v.Error)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	checkValues(t, v, luaRequest(r))
}

func checkUnpackResponse(t *testing.T, v vector) {
	r, err := ParseResponse(unhex(t, v.BodyHex))
	if v.Count == 0 {
		if fe := (*FormatError)(nil); !errors.As(err, &fe) {
			t.Fatalf("error = %v, want a *FormatError", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	checkValues(t, v, luaResponse(r))
}

func checkConcat(t *testing.T, v vector) {
	var a Assembly
	switch v.Note {
	case "size 6, abc + def":
		a.Reset(6)
	case "size 5, abc + def: too many bytes, nothing returned":
		a.Reset(5)
	case "size 0, no part":
		a.Reset(0)
	case "no size first":
	default:
		t.Fatalf("unknown case %q", v.Note)
	}
	if v.Note != "size 0, no part" {
		a.Append([]byte("abc"))
		a.Append([]byte("def"))
	}
	b, ok := a.Bytes()
	if ok != (v.Count == 2) || !bytes.Equal(b, unhex(t, v.ResultHex)) {
		t.Errorf("Bytes = %q, %v; want %s, %v", b, ok, v.ResultHex, v.Count == 2)
	}
}

// luaRequest lists what Skynet's unpackrequest returns for r.
func luaRequest(r Request) []string {
	msg := []string{"msg " + hex.EncodeToString(r.Payload), fmt.Sprintf("int %d", len(r.Payload))}
	session := fmt.Sprintf("int %d", r.Session)
	addr := fmt.Sprintf("int %d", r.Addr.Handle)
	if r.Addr.ByName() {
		addr = "str " + hex.EncodeToString([]byte(r.Addr.Name))
	}
	switch r.Kind {
	case KindRequest:
		list := append([]string{addr, session}, msg...)
		if r.Push {
			list = append(list, "nil", "bool true")
		}
		return list
	case KindBegin:
		return []string{addr, session, "nil", fmt.Sprintf("int %d", r.Size), "bool true", fmt.Sprintf("bool %v", r.Push)}
	case KindPart, KindEnd:
		return append(append([]string{"bool false", session}, msg...), fmt.Sprintf("bool %v", r.Kind == KindPart))
	case KindTrace:
		return []string{"str " + hex.EncodeToString(r.Payload)}
	}
	return []string{"kind " + r.Kind.String()}
}

// luaResponse lists what Skynet's unpackresponse returns for r.
func luaResponse(r Response) []string {
	session := fmt.Sprintf("int %d", r.Session)
	msg := "str " + hex.EncodeToString(r.Payload)
	switch r.Kind {
	case KindError:
		return []string{session, "bool false", msg}
	case KindOK, KindEnd:
		return []string{session, "bool true", msg}
	case KindBegin:
		return []string{session, "bool true", fmt.Sprintf("int %d", r.Size), "bool true"}
	case KindPart:
		return []string{session, "bool true", msg, "bool true"}
	}
	return []string{"kind " + r.Kind.String()}
}

func checkValues(t *testing.T, v vector, got []string) {
	t.Helper()
	var want []string
	for _, val := range v.Returns {
		s := val.T
		switch val.T {
		case "msg", "str":
			s += " " + val.Hex
		case "int":
			n, err := strconv.Unquote(string(val.V))
			if err != nil {
				t.Fatal(err)
			}
			s += " " + n
		case "bool":
			s += " " + string(val.V)
		}
		want = append(want, s)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("returned %q, want %q", got, want)
	}
}

// checkFrames compares frames with the recorded ones. Of a long list only the first and last are
// recorded one by one; the digest of all of them joined covers the rest.
func checkFrames(t *testing.T, v vector, frames [][]byte) {
	t.Helper()
	if multi := len(frames) > 1; multi != v.Multi {
		t.Errorf("%d frames; want several: %v", len(frames), v.Multi)
	}
	total := v.NFrames
	if total == 0 {
		total = len(v.Frames)
	}
	if len(frames) != total {
		t.Fatalf("%d frames, want %d", len(frames), total)
	}
	shown := frames
	if len(v.Frames) < total {
		last := total - (len(v.Frames) - 3)
		shown = append(append([][]byte{}, frames[:3]...), frames[last:]...)
	}
	for i, want := range v.Frames {
		checkFrame(t, i, shown[i], want)
	}
	all := bytes.Join(frames, nil)
	if v.SHA256All != "" && (digest(all) != v.SHA256All || len(all) != v.TotalLen) {
		t.Errorf("all frames: %d bytes, sha256 %s; want %d, %s", len(all), digest(all), v.TotalLen, v.SHA256All)
	}
}

func checkFrame(t *testing.T, i int, got []byte, want vectorFrame) {
	t.Helper()
	if want.Hex != "" {
		if hex.EncodeToString(got) != want.Hex {
			t.Errorf("frame %d = %x, want %s", i, got, want.Hex)
		}
		return
	}
	if len(got) != want.Len {
		t.Fatalf("frame %d: %d bytes, want %d", i, len(got), want.Len)
	}
	if head := hex.EncodeToString(got[:16]); head != want.HeadHex || digest(got) != want.SHA256 {
		t.Errorf("frame %d begins %s, sha256 %s; want %s, %s", i, head, digest(got), want.HeadHex, want.SHA256)
	}
}

func checkFormatError(t *testing.T, err error, text string) {
	t.Helper()
	var fe *FormatError
	if !errors.As(err, &fe) || fe.Error() != text {
		t.Errorf("error = %v, want a *FormatError %q", err, text)
	}
}

func loadVectors(t *testing.T) []vector {
	t.Helper()
	f, err := os.Open("testdata/cluster_frames.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []vector
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		if v.ID != "" { // the first line describes the file
			list = append(list, v)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func (b *vectorBytes) bytes(t *testing.T) []byte {
	t.Helper()
	unit := unhex(t, b.RepeatHex)
	return bytes.Repeat(unit, b.Len/len(unit)+1)[:b.Len]
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
