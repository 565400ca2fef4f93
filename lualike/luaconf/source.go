package luaconf

import (
	"errors"
	"io"
	"os"
	"strings"
)

// maxSource bounds one file: the compiler behind this package works in memory
// and looks constants up one by one.
const maxSource = 1 << 20

var errTooLong = errors.New("longer than 1 MiB")

func readSource(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var b strings.Builder
	n, err := io.Copy(&b, io.LimitReader(f, maxSource+1))
	if err != nil {
		return "", err
	}
	if n > maxSource {
		return "", errTooLong
	}
	return b.String(), nil
}

// substitute replaces every $NAME by the variable's value, wherever it stands.
func substitute(file, text string, getenv func(string) (string, bool)) (string, error) {
	i := strings.IndexByte(text, '$')
	if i < 0 {
		return text, nil
	}
	var b strings.Builder
	done := 0
	for ; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		end := i + 1
		for end < len(text) && (isLetter(text[end]) || isDigit(text[end])) {
			end++
		}
		name := text[i+1 : end]
		if name == "" {
			continue
		}
		value, ok := getenv(name)
		if !ok {
			return "", &Error{File: file, Line: lineAt(text, i), Text: "os.getenv() failed: " + name}
		}
		b.WriteString(text[done:i])
		b.WriteString(value)
		done = end
		if b.Len() > maxSource {
			return "", &Error{File: file, Line: lineAt(text, i), Text: errTooLong.Error()}
		}
	}
	b.WriteString(text[done:])
	return b.String(), nil
}

// lineAt gives the line of an offset; \r\n and \n\r are one line end.
func lineAt(text string, offset int) int {
	line := 1
	for i := 0; i < offset; i++ {
		c := text[i]
		if c != '\n' && c != '\r' {
			continue
		}
		line++
		if i+1 < offset && (text[i+1] == '\n' || text[i+1] == '\r') && text[i+1] != c {
			i++
		}
	}
	return line
}
