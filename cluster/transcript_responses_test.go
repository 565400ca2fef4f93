package cluster_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
)

// answerCase is one malformed answer: what goes over the wire for a call and
// for a second one, the probe, that tells whether the connection still works.
type answerCase struct {
	name        string
	wire        []wireEvent
	call, probe recorded
	log         []string
}

// fine is the answer that a probe gets.
var fine = recorded{OK: true, Values: []any{notation("fine")}}

var failed = recorded{Error: "call failed"}

// caseFrames are the two requests of a case on a connection, with the answers
// of the first between them.
func caseFrames(conn int, session uint32, events ...wireEvent) []wireEvent {
	packed := []byte{0x24, 'f', 'i', 'n', 'e'}
	frame, _ := wire.AppendResponse(nil, session+1, true, packed)
	request := func(conn int, session uint32, payload string) wireEvent {
		b, _, _ := wire.AppendRequest(nil, wire.NameAddr("@x"), session, []byte(payload))
		return wireEvent{Conn: conn, Dir: "c2s", Hex: hex.EncodeToString(b)}
	}
	out := []wireEvent{request(conn, session, "\x24case")}
	for _, w := range events {
		w.Conn = conn
		out = append(out, w)
		if strings.HasSuffix(w.Event, "closed") || strings.HasSuffix(w.Event, "closes") {
			conn++
			out = append(out, wireEvent{Conn: conn, Event: "open"})
		}
	}
	return append(out, request(conn, session+1, "\x2cprobe"), wireEvent{Conn: conn, Dir: "s2c", Hex: hex.EncodeToString(frame)})
}

// answers makes answer frames of a session.
func answers(frames ...string) (out []wireEvent) {
	for _, f := range frames {
		b := make([]byte, 2, 2+len(f))
		binary.BigEndian.PutUint16(b, uint16(len(f)))
		out = append(out, wireEvent{Dir: "s2c", Hex: hex.EncodeToString(append(b, f...))})
	}
	return out
}

// moreAnswers stand where the record's run of sessions has a gap.
var moreAnswers = map[string]answerCase{
	"frame_size_0": { // the one before closes the connection, too
		name: "shorter than 5 bytes",
		wire: caseFrames(2, 0x0b, append(answers("\x0b\x00\x00\x00"), wireEvent{Event: "client closed"})...),
		call: failed, probe: fine, log: []string{"[Error: socket]"},
	},
	"multi_end_only": {
		name: "more parts than announced",
		wire: caseFrames(4, 0x17, answers("\x17\x00\x00\x00\x02\x03\x00\x00\x00", "\x17\x00\x00\x00\x04\x24more")...),
		call: failed, probe: fine, // Skynet: no values
	},
	"multi_begin_bad_size": {
		name: "an ordinary answer",
		wire: caseFrames(4, 0x1f, answers("\x1f\x00\x00\x00\x01\x1cyes")...),
		call: recorded{OK: true, Values: []any{notation("yes")}}, probe: fine,
	},
	"half_frame_close": {
		name: "closed after a begin",
		wire: caseFrames(6, 0x27, append(answers("\x27\x00\x00\x00\x02\x03\x00\x00\x00"), wireEvent{Event: "server closes"})...),
		call: failed, probe: fine, log: []string{"[Error: socket]"},
	},
	"error_type_then_next": {
		name: "an error with binary text",
		wire: caseFrames(8, 0x2f, answers("\x2f\x00\x00\x00\x00\xff\x00\xfe")...),
		call: failed, probe: fine,
	},
}

// answersDiffer are the cases in which ours says more than Skynet, or is not
// stuck.
func answersDiffer(c *answerCase) {
	switch c.name {
	case "frame_size_0": // as too short, at once
		c.wire = caseFrames(3, 0x0d, wireEvent{Dir: "s2c", Hex: "0000"}, wireEvent{Event: "client closed"})
		c.probe, c.log = fine, []string{"[Error: socket]"}
	case "bad_payload": // its connection is there already
		c.wire = c.wire[1:]
	case "multi_fewer", "multi_part_only": // no values
		c.call = failed
	}
}

// What a real client makes of malformed answers, ours does too: one connection
// closed, or one call failed, and the next call works.
func TestReplayClientPMalformedResponses(t *testing.T) {
	var cases []answerCase
	var events []wireEvent
	for _, rc := range readTranscript(t, "p_malformed_responses").Cases {
		if more, ok := moreAnswers[rc.Name]; ok {
			cases = append(cases, more)
		}
		c := answerCase{name: rc.Name, wire: rc.Wire, log: rc.ClientLog}
		for _, r := range rc.Results {
			switch {
			case strings.HasSuffix(r.Label, "probe"):
				c.probe = r
			case r.Label != "":
				c.call = r
			}
		}
		answersDiffer(&c)
		cases = append(cases, c)
	}
	for _, c := range cases {
		events = append(events, c.wire...)
	}
	p := startPeer(t, append(events, wireEvent{Conn: 8, Event: "client closed"}))
	go p.play()
	n := client(t, cluster.Table{"srv": p.listener.Addr().String()})
	for _, c := range cases {
		before := len(n.Log.Lines())
		n.Run(func(ctx *service.Context) error {
			values, err := cluster.Call(ctx, "srv", "@x", "case")
			if err = c.call.check(values, err); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			values, err = cluster.Call(ctx, "srv", "@x", "probe")
			if err = c.probe.check(values, err); err != nil {
				return fmt.Errorf("%s: probe: %w", c.name, err)
			}
			return nil
		})
		n.WaitIdle()
		logged := strings.Join(n.Log.Lines()[before:], "\n")
		for _, line := range c.log {
			if line = plain(line); !strings.HasPrefix(line, "LAUNCH") && !strings.Contains(logged, line) {
				t.Errorf("%s: no line %q in:\n%s", c.name, line, logged)
			}
		}
	}
	n.Stop()
	if <-p.end; p.err != nil {
		t.Error(p.err)
	}
}
