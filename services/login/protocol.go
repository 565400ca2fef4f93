package login

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// What goes over a connection, each in a frame of the gate; numbers are of four
// bytes, big-endian.
//
//	the client says first, one of
//	    'L' credentials          log in
//	    'T' token                log in with what 'G' gave
//	    'R' last key             resume: last is the number of the last packet it has
//	it is told, one of
//	    'W' lost received key    welcome: lost packets are gone; received of its own have come
//	    'G' token address        go to that address; the token has keySize bytes
//	    'N' reason [" " text]    no; the connection is closed, then or at any time later
//	then packets go
//	    to the client            'P' number packet, numbered from 1
//	    to the agent             the packet alone; empty ones are signs of life and not counted
const (
	kindLogin   = 'L'
	kindToken   = 'T'
	kindResume  = 'R'
	kindWelcome = 'W'
	kindGo      = 'G'
	kindNo      = 'N'
	kindPacket  = 'P'
)

const (
	headerSize = 2 // of a frame
	numberSize = 4
	// keySize is the length of a key or token, which rand.Text makes.
	keySize = 26
	// MaxPacket is the most bytes of a packet.
	MaxPacket = socket.MaxFrame - 1 - numberSize
)

// Reason says why a client is refused, or sent away later.
type Reason string

// Reasons.
const (
	Denied   Reason = "denied"   // not with these credentials, or with this token: unknown, used, too old
	Taken    Reason = "taken"    // the user is logged in and stays so: Refuse
	Replaced Reason = "replaced" // the user has logged in or resumed from elsewhere
	Gone     Reason = "gone"     // there is no such session, any more: log in again
	Ended    Reason = "ended"    // the agent has ended
	Stopping Reason = "stopping" // the node ends
	Expired  Reason = "expired"  // the player was away for too long; only agents hear it
	Invalid  Reason = "invalid"  // that was none of the packets above
	Failed   Reason = "failed"   // something on this side did not work: try again
)

// Refusal is a Reason as an error, with a text for people if there is one.
type Refusal struct {
	Reason Reason
	Text   string
}

func (r *Refusal) Error() string {
	if r.Text == "" {
		return "login: " + string(r.Reason)
	}
	return fmt.Sprintf("login: %s: %s", r.Reason, r.Text)
}

// refusal is what a client is told of err. Of errors of others it is told what
// service.Errorf has marked.
func refusal(err error, otherwise Reason) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	text, _ := service.ErrorText(err)
	return &Refusal{otherwise, text}
}

// frame makes one frame.
func frame(kind byte, parts ...[]byte) []byte {
	b := []byte{0, 0, kind}
	for _, p := range parts {
		b = append(b, p...)
	}
	b = b[:min(len(b), headerSize+socket.MaxFrame)]
	binary.BigEndian.PutUint16(b, uint16(len(b)-headerSize))
	return b
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// packetHeader is what stands before the packet with number n in its frame.
func packetHeader(n uint32, size int) []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, headerSize+1+numberSize), uint16(1+numberSize+size))
	return binary.BigEndian.AppendUint32(append(b, kindPacket), n)
}
