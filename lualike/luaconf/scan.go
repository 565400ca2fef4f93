package luaconf

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxExact is the largest magnitude up to which float64 holds every integer.
const maxExact = 1 << 53

// scanner reads a source with the lexical rules of Lua 5.5. It refuses what
// gopher-lua does not know or would read as something else, and blanks out
// what gopher-lua needlessly stumbles over, so that lines stay where they are.
type scanner struct {
	file string
	src  string
	out  []byte
	pos  int
	line int

	tokens  int
	inLocal bool // in the list of names after "local", or in what follows without a symbol
}

// scan checks a source, and gives the text to parse and a count of its tokens.
func scan(file, src string) (code string, tokens int, err error) {
	s := &scanner{file: file, src: src, out: []byte(src), line: 1}
	for s.pos < len(s.src) {
		if err := s.token(); err != nil {
			return "", 0, err
		}
	}
	return string(s.out), s.tokens, nil
}

func (s *scanner) token() error {
	c := s.src[s.pos]
	switch {
	case c == '\n' || c == '\r':
		s.newline()
		return nil
	case c == ' ' || c == '\t':
		s.pos++
		return nil
	case c == '\v' || c == '\f':
		s.blank(s.pos, s.pos+1)
		s.pos++
		return nil
	case c == '-' && s.at(1) == '-':
		return s.comment()
	}
	s.tokens++
	switch {
	case isLetter(c):
		s.name()
	case isDigit(c) || c == '.' && isDigit(s.at(1)):
		s.inLocal = false
		return s.number()
	case c == '"' || c == '\'':
		s.inLocal = false
		return s.quoted(c)
	case c == '[' && (s.at(1) == '[' || s.at(1) == '='):
		s.inLocal = false
		start := s.pos
		level, ok := s.longOpening()
		if !ok {
			return s.errorf("invalid long string delimiter near '%s'", s.src[start:s.pos])
		}
		return s.longText(level, "string")
	default:
		return s.symbol(c)
	}
	return nil
}

// at gives the byte n places on, 0 behind the end.
func (s *scanner) at(n int) byte {
	if s.pos+n < len(s.src) {
		return s.src[s.pos+n]
	}
	return 0
}

// newline passes one line end; \r\n and \n\r are one.
func (s *scanner) newline() {
	c := s.src[s.pos]
	s.pos++
	if n := s.at(0); (n == '\n' || n == '\r') && n != c {
		s.pos++
	}
	s.line++
}

// blank overwrites source bytes except line ends.
func (s *scanner) blank(from, to int) {
	for i := from; i < to; i++ {
		if c := s.out[i]; c != '\n' && c != '\r' {
			s.out[i] = ' '
		}
	}
}

// comment passes a comment and blanks it out: gopher-lua takes the short
// comment --[=== for the start of a long one.
func (s *scanner) comment() error {
	start := s.pos
	s.pos += 2
	if s.at(0) == '[' {
		if level, ok := s.longOpening(); ok {
			if err := s.longText(level, "comment"); err != nil {
				return err
			}
			s.blank(start, s.pos)
			return nil
		}
	}
	for s.pos < len(s.src) && s.src[s.pos] != '\n' && s.src[s.pos] != '\r' {
		s.pos++
	}
	s.blank(start, s.pos)
	return nil
}

// longOpening passes [==[ and gives the number of equal signs.
func (s *scanner) longOpening() (level int, ok bool) {
	s.pos++
	for s.at(0) == '=' {
		level++
		s.pos++
	}
	if s.at(0) != '[' {
		return 0, false
	}
	s.pos++
	return level, true
}

func (s *scanner) longText(level int, what string) error {
	first := s.line
	end := "]" + strings.Repeat("=", level) + "]"
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == ']' && strings.HasPrefix(s.src[s.pos:], end):
			s.pos += len(end)
			return nil
		case c == '\n' || c == '\r':
			s.newline()
		default:
			s.pos++
		}
	}
	return s.errorf("unfinished long %s (starting at line %d) near <eof>", what, first)
}

func (s *scanner) name() {
	start := s.pos
	for isLetter(s.at(0)) || isDigit(s.at(0)) {
		s.pos++
	}
	switch s.src[start:s.pos] {
	case "local":
		s.inLocal = true
	case "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
		"nil", "not", "or", "repeat", "return", "then", "true", "until", "while":
		s.inLocal = false
	}
}

func (s *scanner) number() error {
	start := s.pos
	exponents := "eE"
	if s.at(0) == '0' && (s.at(1) == 'x' || s.at(1) == 'X') {
		exponents = "pP"
		s.pos += 2
	}
	for c := s.at(0); isLetter(c) || isDigit(c) || c == '.'; c = s.at(0) {
		s.pos++
		if n := s.at(0); strings.IndexByte(exponents, c) >= 0 && (n == '+' || n == '-') {
			s.pos++
		}
	}
	text := s.src[start:s.pos]
	if exponents == "pP" {
		return s.hexadecimal(text)
	}
	if _, err := strconv.ParseFloat(text, 64); errors.Is(err, strconv.ErrRange) {
		return s.errorf("the number %s is too large", text)
	} else if err != nil || strings.ContainsRune(text, '_') {
		return s.errorf("malformed number near '%s'", text)
	}
	// A leading zero makes gopher-lua read octal, or a float as two numbers.
	if rest := strings.TrimLeft(text, "0"); len(rest) < len(text)-1 {
		s.blank(start, start+len(text)-1-len(rest))
	}
	if strings.Trim(text, "0123456789") == "" {
		// Beyond 2^63-1 Lua reads a float too.
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > maxExact {
			return s.errorf("integer %s is beyond 2^53 and not exact here", text)
		}
	}
	return nil
}

func (s *scanner) hexadecimal(text string) error {
	digits := text[2:]
	if strings.ContainsAny(digits, ".pP") {
		return s.errorf("hexadecimal floats (%s) are not supported", text)
	}
	if digits == "" || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return s.errorf("malformed number near '%s'", text)
	}
	if n, err := strconv.ParseUint(digits, 16, 64); err != nil || n > maxExact {
		return s.errorf("integer %s is beyond 2^53 and not exact here", text)
	}
	return nil
}

func (s *scanner) quoted(quote byte) error {
	start := s.pos
	s.pos++
	for {
		if s.pos >= len(s.src) {
			return s.errorf("unfinished string near <eof>")
		}
		switch c := s.src[s.pos]; c {
		case quote:
			s.pos++
			return nil
		case '\n', '\r':
			return s.errorf("unfinished string near '%s'", s.src[start:s.pos])
		case '\\':
			if err := s.escape(start); err != nil {
				return err
			}
		default:
			s.pos++
		}
	}
}

// escape passes one escape sequence of the string that begins at start.
func (s *scanner) escape(start int) error {
	s.pos++
	switch c := s.at(0); {
	case c == '\n' || c == '\r':
		s.newline()
	case strings.IndexByte(`abfnrtv\"'`, c) >= 0 && c != 0:
		s.pos++
	case c == 'x' || c == 'u' || c == 'z':
		return s.errorf(`the escape \%c in a string is not supported`, c)
	case isDigit(c):
		n := 0
		for i := 0; i < 3 && isDigit(s.at(0)); i++ {
			n = n*10 + int(s.at(0)-'0')
			s.pos++
		}
		if n > math.MaxUint8 {
			return s.errorf("decimal escape too large near '%s'", s.src[start:min(s.pos+1, len(s.src))])
		}
	default:
		return s.errorf("invalid escape sequence near '%s'", s.src[start:min(s.pos+1, len(s.src))])
	}
	return nil
}

func (s *scanner) symbol(c byte) error {
	n := s.at(1)
	switch {
	case c == '<' && s.inLocal:
		text, _, _ := strings.Cut(s.src[s.pos:], ">")
		text, _, _ = strings.Cut(text, "\n")
		return s.errorf("the attribute %s> of a local is not supported", text)
	case c == '/' && n == '/':
		return s.errorf("integer division (//) is not supported")
	case c == '<' && n == '<', c == '>' && n == '>':
		return s.errorf("the bit operator %c%c is not supported", c, n)
	case c == '&' || c == '|' || c == '~' && n != '=':
		return s.errorf("the bit operator %c is not supported", c)
	case strings.IndexByte("+-*/%^#=~<>(){}[]:;,.", c) < 0:
		return s.errorf("unexpected symbol near '%s'", printable(c))
	}
	if c != ',' {
		s.inLocal = false
	}
	s.pos++
	switch {
	case n == '=' && strings.IndexByte("=~<>", c) >= 0:
		s.pos++
	case c == '.':
		// A dot of .. or ... does not begin a number.
		for i := 0; i < 2 && s.at(0) == '.'; i++ {
			s.pos++
		}
	}
	return nil
}

func (s *scanner) errorf(format string, args ...any) error {
	return &Error{File: s.file, Line: s.line, Text: fmt.Sprintf(format, args...)}
}

func printable(c byte) string {
	if c < ' ' || c > '~' {
		return fmt.Sprintf(`<\%d>`, c)
	}
	return string(rune(c))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
