package lualike

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Sentinels of this package; test with errors.Is.
var (
	// ErrInvalidStream is returned when bytes are not a valid sequence of packed values.
	// The text of such an error is Skynet's: "Invalid serialize stream R", where R is the number of bytes left unread.
	ErrInvalidStream = errors.New("lualike: invalid serialize stream")
	// ErrUnsupported is returned for a Go value or target type that has no Lua form.
	ErrUnsupported = errors.New("lualike: type has no Lua form")
	// ErrTooDeep is returned when tables are nested deeper than packing or unpacking allows; cyclic values end here.
	ErrTooDeep = errors.New("lualike: nested too deep")
	// ErrRange is returned when a number or a size does not fit.
	ErrRange = errors.New("lualike: out of range")
	// ErrType is returned when a value has another type than the target or the caller asks for.
	ErrType = errors.New("lualike: wrong type")
	// ErrKey is returned for a value that cannot be a table key: nil, NaN, or a Go type without identity in Lua.
	ErrKey = errors.New("lualike: not a table key")
)

// pathEnds is how many elements of a long path are printed at either end.
const pathEnds = 16

// fault is every error of this package. The path is collected innermost first, while the error travels outwards.
type fault struct {
	kind  error
	cause error
	where string
	path  []string
	text  string
}

// Error joins where, path and text.
func (f *fault) Error() string {
	var b strings.Builder
	if f.where != "" {
		b.WriteString(f.where)
		b.WriteString(": ")
	}
	for i := len(f.path) - 1; i >= 0; i-- {
		if i >= pathEnds && i < len(f.path)-pathEnds {
			if i == pathEnds {
				b.WriteString("…")
			}
			continue
		}
		b.WriteString(f.path[i])
	}
	if len(f.path) > 0 {
		b.WriteString(": ")
	}
	b.WriteString(f.text)
	if f.cause != nil {
		b.WriteString(": ")
		b.WriteString(f.cause.Error())
	}
	return b.String()
}

// Unwrap gives the sentinel and, if there is one, the error of the code that was called.
func (f *fault) Unwrap() []error {
	if f.cause == nil {
		return []error{f.kind}
	}
	return []error{f.kind, f.cause}
}

func faultf(kind error, format string, args ...any) *fault {
	return &fault{kind: kind, text: fmt.Sprintf(format, args...)}
}

// under says that err happened in the element elem of a container.
func under(err error, elem string) error {
	if f, ok := err.(*fault); ok && f.kind != ErrInvalidStream {
		f.path = append(f.path, elem)
	}
	return err
}

// inPosition names the outermost place of err, "argument 2" or "value 2".
func inPosition(err error, what string, n int) error {
	if f, ok := err.(*fault); ok && f.kind != ErrInvalidStream {
		f.where = what + " " + strconv.Itoa(n)
	}
	return err
}
