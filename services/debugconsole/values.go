package debugconsole

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/skynetgo/skynet/lualike"
)

// maxDepth is how deep tables stand in each other.
const maxDepth = 32

// parseValues reads a list of Lua values as source code has them: nil, true,
// false, numbers, strings in quotes, tables of these. There are no names and no
// operators but the minus of a number.
func parseValues(text string) ([]any, error) {
	p := &parser{rest: text}
	var all []any
	for {
		v, err := p.value(0)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if !p.take(",") {
			break
		}
	}
	if p.space(); p.rest != "" {
		return nil, p.unexpected()
	}
	return all, nil
}

// parser reads from the front of rest.
type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take reads a token if it comes next.
func (p *parser) take(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *parser) unexpected() error {
	if p.rest == "" {
		return errors.New("something is missing at the end")
	}
	return fmt.Errorf("not a value: %.20s", p.rest)
}

func (p *parser) value(depth int) (any, error) {
	if p.take("{") {
		if depth == maxDepth {
			return nil, errors.New("tables stand too deep in each other")
		}
		return p.table(depth + 1)
	}
	if p.take(`"`) {
		return p.quoted('"')
	}
	if p.take("'") {
		return p.quoted('\'')
	}
	word := p.word()
	switch word {
	case "nil":
		return nil, nil
	case "true", "false":
		return word == "true", nil
	}
	if n, ok := number(word); ok {
		return n, nil
	}
	p.rest = word + p.rest
	return nil, p.unexpected()
}

// word reads what may be a name or a number.
func (p *parser) word() string {
	p.space()
	end := 0
	for end < len(p.rest) {
		c := p.rest[end]
		sign := (c == '-' || c == '+') && (end == 0 || strings.ContainsRune("eEpP", rune(p.rest[end-1])) && !isName(p.rest[:end]))
		if !sign && c != '.' && !isName(p.rest[end:end+1]) && (c < '0' || c > '9') {
			break
		}
		end++
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// isName reports whether s is a name of Lua.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func number(word string) (any, bool) {
	if word == "" || strings.Contains(word, "_") || strings.ContainsAny(word, "iInN") || word[0] == '+' {
		return nil, false
	}
	digits, negative := strings.CutPrefix(word, "-")
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "0x"); ok && !strings.ContainsAny(hex, ".p") {
		n, err := strconv.ParseUint(hex, 16, 64) // which goes round, as in Lua
		if negative {
			n = -n
		}
		return int64(n), err == nil
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(word, 64)
	return f, err == nil || math.IsInf(f, 0)
}

func (p *parser) table(depth int) (any, error) {
	t := lualike.NewTable(0, 0)
	for next := int64(1); ; {
		if p.take("}") {
			return t, nil
		}
		key, err := p.key(depth)
		if err != nil {
			return nil, err
		}
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		if key == nil {
			key = next
			next++
		}
		if err := t.Set(key, v); err != nil {
			return nil, err
		}
		if !p.take(",") && !p.take(";") {
			if !p.take("}") {
				return nil, p.unexpected()
			}
			return t, nil
		}
	}
}

// key reads "name =" or "[value] =", or nothing when a value without a key comes.
func (p *parser) key(depth int) (any, error) {
	if p.take("[") {
		key, err := p.value(depth)
		if err == nil && (key == nil || !p.take("]") || !p.take("=")) {
			err = p.unexpected()
		}
		return key, err
	}
	before := p.rest
	if name := p.word(); isName(name) && p.take("=") {
		return name, nil
	}
	p.rest = before
	return nil, nil
}

var escapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\', '"': '"', '\'': '\'',
}

// quoted reads a string up to its closing quote.
func (p *parser) quoted(quote byte) (any, error) {
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == quote:
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c != '\\':
			b.WriteByte(c)
			continue
		}
		n, err := escape(&b, p.rest[i+1:])
		if err != nil {
			return nil, err
		}
		i += n
	}
	return nil, errors.New("a string does not end")
}

// escape reads what stands behind a backslash and returns how long it is.
func escape(b *strings.Builder, s string) (int, error) {
	if s == "" {
		return 0, errors.New("a string does not end")
	}
	if c, ok := escapes[s[0]]; ok {
		b.WriteByte(c)
		return 1, nil
	}
	switch c := s[0]; {
	case c == 'x' && len(s) >= 3:
		if n, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			b.WriteByte(byte(n))
			return 3, nil
		}
	case c == 'u' && strings.HasPrefix(s, "u{"):
		if end := strings.IndexByte(s, '}'); end > 0 {
			if n, err := strconv.ParseUint(s[2:end], 16, 32); err == nil && utf8.ValidRune(rune(n)) {
				b.WriteRune(rune(n))
				return end + 1, nil
			}
		}
	case c >= '0' && c <= '9':
		end := 1
		for end < min(3, len(s)) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		if n, err := strconv.ParseUint(s[:end], 10, 8); err == nil {
			b.WriteByte(byte(n))
			return end, nil
		}
	}
	return 0, fmt.Errorf("no escape: \\%.5s", s)
}
