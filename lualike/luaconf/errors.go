package luaconf

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

// Error is every error of this package. File, Line and Key are left out of the
// message where they are not known.
type Error struct {
	File string // as given to the loader, or joined from the including file's folder
	Line int    // 0 when the error belongs to no line
	Key  string // the global concerned, "" when there is none
	Text string // what is wrong

	cause error
}

// Error gives one line: file:line: key: text.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		b.WriteByte(':')
		if e.Line > 0 {
			b.WriteString(strconv.Itoa(e.Line))
			b.WriteByte(':')
		}
		b.WriteByte(' ')
	}
	if e.Key != "" {
		b.WriteString(e.Key)
		b.WriteString(": ")
	}
	b.WriteString(e.Text)
	return oneLine.Replace(b.String())
}

// Unwrap gives the error of the file system, if one is the reason.
func (e *Error) Unwrap() error { return e.cause }

var oneLine = strings.NewReplacer("\n", " ", "\r", " ")

// fileError says in C's words, which are the ones Skynet prints, why a file
// could not be read.
func fileError(path string, err error) *Error {
	return &Error{File: path, Text: fileErrorText(err), cause: err}
}

func fileErrorText(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}
