package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
)

// ErrorText returns the text that Skynet has for a network error, which is the
// C library's: "Connection refused", without the operation and the addresses.
// What is about TLS has a text of its own.
func ErrorText(err error) string {
	var errno syscall.Errno
	var dns *net.DNSError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrTLS):
		return err.Error()
	case errors.As(err, &errno):
		text := errno.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "Connection timed out"
	case errors.As(err, &dns) && dns.IsTimeout:
		return "Temporary failure in name resolution"
	case errors.As(err, &dns):
		return "Name or service not known"
	}
	return err.Error()
}
