// Package wire reads and writes the frames that two nodes of a Skynet cluster exchange.
//
// It knows layouts and nothing else: no connection, no limit, no log. The packers append whole frames,
// their 2-byte length included, to a buffer of the caller; the parsers take one frame body, without
// that length, and point into it. Nothing here is kept between calls except by [Assembly], so every
// function may be called from any goroutine.
package wire

import "fmt"

const (
	// PartSize is the most payload one frame carries. Requests and pushes of PartSize bytes or more
	// leave in parts; answers only above it. Skynet splits the two differently, and so do we.
	PartSize = 0x8000

	// MaxSession is the largest session a request may carry; it is positive as a C int.
	MaxSession = 0x7fffffff

	maxName = 255
	maxTag  = 0x8000
)

// NextSession returns the session to use after s. Sessions go round without 0, which marks a push.
func NextSession(s uint32) uint32 {
	if s >= MaxSession {
		return 1
	}
	return s + 1
}

// Addr is where a request goes: a service's name when Name is not empty, its handle otherwise.
// The handle 0 asks the far node for the address of a registered name.
//
// Addr is comparable. A frame may also carry an empty name, which Skynet reads but refuses to write:
// that is NameAddr(""), different from the handle 0.
type Addr struct {
	Name   string
	Handle uint32

	emptyName bool
}

// NumAddr returns the address of the service with handle h.
func NumAddr(h uint32) Addr { return Addr{Handle: h} }

// NameAddr returns the address of the service called name. Names of 1 to 255 bytes can be sent.
func NameAddr(name string) Addr { return Addr{Name: name, emptyName: name == ""} }

// ByName tells whether a addresses a service by its name.
func (a Addr) ByName() bool { return a.Name != "" || a.emptyName }

// String returns the name, or the handle as Skynet writes it: a colon and eight hex digits.
func (a Addr) String() string {
	if a.ByName() {
		return a.Name
	}
	return fmt.Sprintf(":%08x", a.Handle)
}

// IsName tells whether s is a name of the cluster's own registry (it begins with '@'), which the
// receiving node looks up, rather than a local name of that node.
func IsName(s string) bool { return len(s) > 0 && s[0] == '@' }

// Kind tells what a frame is.
type Kind uint8

// The kinds of frames. A large message is one KindBegin frame with the size of the whole, any number
// of KindPart frames and one KindEnd frame with the last bytes.
const (
	KindRequest Kind = iota + 1 // a whole request or push
	KindTrace                   // the trace tag of the request that follows
	KindOK                      // a whole answer
	KindError                   // an answer that is an error text
	KindBegin                   // the announcement of a large request, push or answer
	KindPart                    // a part of it, with more to come
	KindEnd                     // its last part
)

var kindNames = [...]string{
	KindRequest: "request",
	KindTrace:   "trace",
	KindOK:      "ok",
	KindError:   "error",
	KindBegin:   "begin",
	KindPart:    "part",
	KindEnd:     "end",
}

// String returns the kind as one lower-case word.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// FormatError says that a message cannot be put into a frame, or that a frame's body is not one.
// Where Skynet has a text for the case, Text is that text to the letter, since it ends up in a log
// that is compared; so it bears no package prefix.
type FormatError struct {
	Text string
}

// Error returns Text.
func (e *FormatError) Error() string { return e.Text }

func errorf(format string, args ...any) *FormatError {
	return &FormatError{Text: fmt.Sprintf(format, args...)}
}
