package cluster_test

import (
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/lualike"
)

// answersInstead are the malformed requests that real Skynet leaves without an
// answer, or dies of, and the error that ours gives: name or payload can not be
// read. multi_huge_announced it answers when the parts have come.
var answersInstead = map[string]string{
	"unpack_error_in_service": cluster.TextCallFailed,
	"addr0_empty":             cluster.TextNameNotFound,
	"addr0_garbage":           cluster.TextNameNotFound,
	"empty_name":              cluster.TextInvalidName,
	"plain_name":              cluster.TextInvalidName,
	"deep_payload":            cluster.TextCallFailed,
	"multi_huge_announced":    "cluster: message too large: 2147483647 bytes, the limit is 67108864",
}

// What a real server makes of malformed frames, ours does too: it drops them,
// or answers with the recorded error, and goes on with the next.
func TestReplayServerOMalformedRequests(t *testing.T) {
	srv := recordedServer(t, "")
	for _, c := range readTranscript(t, "o_malformed_requests").Cases {
		t.Run(c.Name, func(t *testing.T) {
			conn, err := net.Dial("tcp", srv.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			received := c.Received
			if c.Name == "multi_huge_announced" {
				received = received[1:]
			}
			if text, differs := answersInstead[c.Name]; differs {
				frame, _ := wire.AppendResponse(nil, c.Sent[0].requestSession(), false, []byte(text))
				received = append([]wireEvent{{Hex: hex.EncodeToString(frame)}}, received...)
			}
			if c.Name == "addr0_push" { // answers with a handle, ours
				packed, err := lualike.Pack(srv.known[recordedSdb])
				if err != nil {
					t.Fatal(err)
				}
				frame, _ := wire.AppendResponse(nil, 0, true, packed)
				received[0].Hex = hex.EncodeToString(frame)
			}
			for i, w := range c.Sent {
				if c.Name == "same_session_twice" && i == 1 { // which answer is whose, only time tells
					expectFrames(t, conn, received[:1], wireEvent.same)
					received = received[1:]
				}
				if w.Event != "" {
					if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					continue
				}
				frame, err := w.frame()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Write(srv.known.request(frame)); err != nil {
					t.Fatal(err)
				}
			}
			expectFrames(t, conn, received, wireEvent.same)
			if strings.HasPrefix(c.Connection, "server closed") && c.Name != "deep_payload" {
				if frame, err := readFrame(conn); err != io.EOF {
					t.Errorf("the connection is still there: %x, %v", frame, err)
				}
			}
		})
	}
}
