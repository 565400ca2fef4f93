// Package freeport finds ports for servers that open them later, in other
// processes too.
package freeport

import (
	"errors"
	"net"
	"os"
	"regexp"
	"strconv"
	"sync/atomic"
)

// The ports that are looked at end below those that Linux and others give to
// connections: what listens later would find one of them taken by a client.
const first, count = 20_000, 12_000

// next begins elsewhere in every process: tests of packages run side by side.
var next atomic.Uint32

func init() { next.Store(uint32(os.Getpid()) * 101) }

// Addr returns an address of the loopback interface at whose port nobody listens,
// another one every time.
func Addr() (string, error) {
	var failed error
	for range count {
		addr := "127.0.0.1:" + strconv.Itoa(first+int(next.Add(1)%count))
		l, err := net.Listen("tcp4", addr)
		if err == nil {
			return addr, l.Close()
		}
		failed = err
	}
	return "", errors.Join(errors.New("freeport: all ports are taken"), failed)
}

var address = regexp.MustCompile(`127\.0\.0\.1:[0-9]+`)

// Replace returns text with other ports in its loopback addresses. Equal
// addresses stay equal: moved is what has become of them, here and in texts
// before.
func Replace(text string, moved map[string]string) (string, error) {
	var failed error
	text = address.ReplaceAllStringFunc(text, func(old string) string {
		if moved[old] == "" {
			addr, err := Addr()
			failed = errors.Join(failed, err)
			moved[old] = addr
		}
		return moved[old]
	})
	return text, failed
}
