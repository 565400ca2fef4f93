package cluster

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/skynetgo/skynet/service/socket"
)

// Settings are the options of a node table: its lines "__name = value". A
// field says what its name is. Times are numbers of seconds in the table.
type Settings struct {
	// NoWaiting, __nowaiting: a call to a node that the table does not name
	// fails at once.
	NoWaiting bool `lua:"nowaiting"`
	// Backoff, __backoff: the longest pause between two attempts to connect to a
	// node that can not be reached. 0: every use tries.
	Backoff time.Duration `lua:"backoff"`
	// Probe, __probe: how long a node may owe answers, or say nothing at all,
	// before it is asked for a sign of life; it then has as long again. 0: never.
	Probe time.Duration `lua:"probe"`
	// Silence, __silence: how long a host may not answer before its connections
	// fail. 0: for ever.
	Silence time.Duration `lua:"silence"`
	// FirstFrame, __firstframe: how long a connection that was accepted may send
	// nothing. 0: for ever.
	FirstFrame time.Duration `lua:"firstframe"`
	// PartAge, __partage: how long a message in parts may take from one part to
	// the next. 0: for ever.
	PartAge time.Duration `lua:"partage"`
	// MaxMessage, __maxmessage: bytes of one message, in and out.
	MaxMessage int `lua:"maxmessage"`
	// MaxParts, __maxparts: unfinished messages in parts on one connection.
	MaxParts int `lua:"maxparts"`
	// MaxPartBytes, __maxpartbytes: what has come of them, on one connection.
	MaxPartBytes int `lua:"maxpartbytes"`
	// MaxNodeBytes, __maxnodebytes: what the accepted connections of the node may
	// take together, counted apart: their unfinished messages, the payloads of
	// their requests without an answer, their output that waits.
	MaxNodeBytes int `lua:"maxnodebytes"`
	// MaxRequests, __maxrequests: requests without an answer yet, on one
	// connection.
	MaxRequests int `lua:"maxrequests"`
	// MaxOutput, __maxoutput: bytes that wait to be sent on one connection.
	MaxOutput int `lua:"maxoutput"`
	// Allow, __allow: the networks that may connect, "10.0.0.0/8 ::1", separated
	// by blanks. Empty: all.
	Allow string `lua:"allow"`
	// Cert, Key and CA, __cert, __key and __ca: PEM files, the own certificate
	// and key, and who signs those of the other nodes. They are for nodes whose
	// address begins with "tls://", and read again when they change.
	Cert string `lua:"cert"`
	Key  string `lua:"key"`
	CA   string `lua:"ca"`
}

// DefaultSettings returns what holds where a table says nothing.
func DefaultSettings() Settings {
	return Settings{
		Backoff:      2 * time.Second,
		Silence:      150 * time.Second,
		FirstFrame:   30 * time.Second,
		PartAge:      time.Minute,
		MaxMessage:   64 << 20,
		MaxParts:     1024,
		MaxPartBytes: 64 << 20,
		MaxNodeBytes: 256 << 20,
		MaxRequests:  1 << 16,
		MaxOutput:    256 << 20,
	}
}

// Set takes the value of one option, named without the underlines, or with nil
// its default. An option that does not exist is no error, as in Skynet: known
// is false then.
func (s *Settings) Set(option string, value any) (known bool, err error) {
	field := s.field(option)
	if field == nil {
		return false, nil
	}
	if value == nil {
		d := DefaultSettings()
		value = d.value(option)
	}
	switch p := field.(type) {
	case *bool:
		v, ok := value.(bool)
		if !ok {
			return true, fmt.Errorf("is neither true nor false: %v", value)
		}
		*p = v
	case *time.Duration:
		n, ok := number(value)
		if !ok || n < 0 || n > math.MaxInt32 {
			return true, fmt.Errorf("is not a number of seconds: %v", value)
		}
		*p = time.Duration(n * float64(time.Second))
	case *int:
		n, ok := number(value)
		if !ok || n < 1 || n > math.MaxUint32 || n != math.Trunc(n) {
			return true, fmt.Errorf("is not a number from 1 to %d: %v", uint32(math.MaxUint32), value)
		}
		*p = int(n)
	case *string:
		v, ok := value.(string)
		if !ok {
			return true, fmt.Errorf("is not a string: %v", value)
		}
		if option == "allow" {
			if _, err := ParseNetworks(v); err != nil {
				return true, err
			}
		}
		*p = v
	}
	return true, nil
}

// Socket returns what connections to other nodes, and those they open, are made
// with. log gets a line when certificates change; it must be safe from any
// goroutine.
func (s Settings) Socket(log func(text string)) socket.Config {
	cfg := socket.Config{TLS: socket.MutualTLS(s.Cert, s.Key, s.CA, log), Silence: s.Silence}
	if s.Silence == 0 {
		cfg.Silence = -1 // 0 is a default there
	}
	return cfg
}

func (s *Settings) field(option string) any {
	switch option {
	case "nowaiting":
		return &s.NoWaiting
	case "backoff":
		return &s.Backoff
	case "probe":
		return &s.Probe
	case "silence":
		return &s.Silence
	case "firstframe":
		return &s.FirstFrame
	case "partage":
		return &s.PartAge
	case "maxmessage":
		return &s.MaxMessage
	case "maxparts":
		return &s.MaxParts
	case "maxpartbytes":
		return &s.MaxPartBytes
	case "maxnodebytes":
		return &s.MaxNodeBytes
	case "maxrequests":
		return &s.MaxRequests
	case "maxoutput":
		return &s.MaxOutput
	case "allow":
		return &s.Allow
	case "cert":
		return &s.Cert
	case "key":
		return &s.Key
	case "ca":
		return &s.CA
	}
	return nil
}

// value returns an option as Set takes it.
func (s *Settings) value(option string) any {
	switch p := s.field(option).(type) {
	case *bool:
		return *p
	case *time.Duration:
		return p.Seconds()
	case *int:
		return *p
	case *string:
		return *p
	}
	return nil
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// ParseNetworks reads a list of networks or addresses, separated by blanks or
// commas.
func ParseNetworks(list string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' }) {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			ip, err := netip.ParseAddr(word)
			if err != nil {
				return nil, fmt.Errorf("is not a network or an address: %s", word)
			}
			p = netip.PrefixFrom(ip, ip.BitLen())
		}
		networks = append(networks, p.Masked())
	}
	return networks, nil
}
