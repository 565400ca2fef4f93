package clustersender_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/services/clustersender"
)

func TestMain(m *testing.M) { nodetest.CheckLeaks(m) }

// event is one frame of a recorded conversation.
type event struct {
	Dir     string `json:"dir"`
	Hex     string `json:"hex"`
	HeadHex string `json:"head_hex"`
	SHA256  string `json:"sha256"`
}

// The other recorded conversations are replayed in package cluster. This one
// needs a sender that begins with session 0x7ffffffe, as the record does with its
// second call.
func TestReplayClientQSessionWrap(t *testing.T) {
	b, err := os.ReadFile("../../cluster/testdata/transcripts/q_session_wrap.json")
	if err != nil {
		t.Fatal(err)
	}
	var record struct {
		Wire []event `json:"wire"`
	}
	if err := json.Unmarshal(b, &record); err != nil {
		t.Fatal(err)
	}
	var small, large []event // requests, which leave in order, but the small before the large
	answers := make(map[uint32][]byte)
	for _, w := range record.Wire {
		frame, err := hex.DecodeString(w.Hex + w.HeadHex)
		switch {
		case err != nil:
			t.Fatal(err)
		case w.Dir == "s2c":
			answers[binary.LittleEndian.Uint32(frame[2:])] = frame
		case w.Dir == "c2s" && frame[2]&0x7f != 0:
			large = append(large, w)
		case w.Dir == "c2s":
			small = append(small, w)
		}
	}
	small = small[1:] // the call before the number was set

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		defer func() { _ = conn.Close() }()
		err = conn.SetDeadline(time.Now().Add(20 * time.Second))
		for err == nil && len(small)+len(large) > 0 {
			err = step(conn, &small, &large, answers)
		}
		served <- err
	}()
	n := nodetest.Start(t, nodetest.Services(clustersender.DefinitionFrom(0x7ffffffe)))
	t.Cleanup(func() { _ = l.Close() })
	n.Run(func(c *service.Context) error {
		if err := cluster.Reload(c, cluster.Table{"srv": l.Addr().String()}); err != nil {
			return err
		}
		echo := func(i int) error {
			got, err := cluster.CallAs[int](c, "srv", "@sdb", "echo", i)
			if err == nil && got != i {
				err = fmt.Errorf("echo %d gave %d", i, got)
			}
			return err
		}
		return errors.Join(
			echo(2),
			cluster.Send(c, "srv", "@sdb", "note", "small push"),
			echo(3),
			echo(4),
			cluster.Send(c, "srv", "@sdb", "notebig", strings.Repeat("payload-A-0123456789-", 0x8000)[:0x8000]),
			echo(5),
		)
	})
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// step reads a frame, wants it to be the next small or large one, and answers a
// call.
func step(conn net.Conn, small, large *[]event, answers map[uint32][]byte) error {
	frame := make([]byte, 2)
	if _, err := io.ReadFull(conn, frame); err != nil {
		return err
	}
	frame = append(frame, make([]byte, binary.BigEndian.Uint16(frame))...)
	if _, err := io.ReadFull(conn, frame[2:]); err != nil {
		return err
	}
	due := small
	if frame[2]&0x7f != 0 {
		due = large
	}
	if len(*due) == 0 || !(*due)[0].same(frame) {
		return fmt.Errorf("the client sent %.80x, due are %v and %v", frame, *small, *large)
	}
	*due = (*due)[1:]
	if frame[2] != 0x80 {
		return nil
	}
	session := binary.LittleEndian.Uint32(frame[4+int(frame[3]):])
	_, err := conn.Write(answers[session]) // nothing for a push
	return err
}

func (w event) same(frame []byte) bool {
	if w.Hex != "" {
		want, err := hex.DecodeString(w.Hex)
		return err == nil && bytes.Equal(want, frame)
	}
	sum := sha256.Sum256(frame)
	return hex.EncodeToString(sum[:]) == w.SHA256
}
