package debugconsole

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// How an answer ends.
const (
	commandOK    = "<CMD OK>"
	commandError = "<CMD Error>"
)

// command is one word of the console. run returns nil, a text, or a table, which
// is printed a key to a line; it may block.
type command struct {
	help string
	run  func(c *service.Context, in input) (any, error)
}

// input is a line that was typed.
type input struct {
	line string
	args []string // the words behind the command
}

// arg returns an argument, "" when it is missing.
func (in input) arg(i int) string {
	if i < len(in.args) {
		return in.args[i]
	}
	return ""
}

// execute runs a line and returns what the console prints.
func (s *console) execute(c *service.Context, line string) []byte {
	var out bytes.Buffer
	words := strings.Fields(line)
	if len(words) == 0 {
		words = []string{""}
	}
	cmd, ok := s.commands[words[0]]
	if !ok {
		out.WriteString("Invalid command, type help for command list\n\n" + commandError + "\n")
		return out.Bytes()
	}
	result, err := cmd.run(c, input{line, words[1:]})
	if err == nil {
		err = printResult(&out, result)
	}
	if err != nil {
		out.WriteString(err.Error() + "\n" + commandError + "\n")
	} else {
		out.WriteString(commandOK + "\n")
	}
	return out.Bytes()
}

// printResult prints what a command has returned. Only tables and texts can be
// printed: where Skynet's console breaks its connection, this one says what there
// was.
func printResult(out *bytes.Buffer, result any) error {
	switch v := result.(type) {
	case nil:
	case string:
		out.WriteString(v + "\n")
	case *lualike.Table:
		for _, p := range sorted(v) {
			text := luaText(p.value)
			if t, ok := p.value.(*lualike.Table); ok {
				text = tableLine(t)
			}
			out.WriteString(p.key + "\t" + text + "\n")
		}
	default:
		return fmt.Errorf("the answer is no table but %s", luaText(v))
	}
	return nil
}

type pair struct {
	key   string
	value any
}

// sorted returns the pairs of a table by their keys as text.
func sorted(t *lualike.Table) []pair {
	var all []pair
	for k, v := range t.All() {
		all = append(all, pair{luaText(k), v})
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	return all
}

func tableLine(t *lualike.Table) string {
	var words []string
	for _, p := range sorted(t) {
		words = append(words, p.key+":"+luaText(p.value))
	}
	return strings.Join(words, "\t")
}

// luaText is Lua's tostring.
func luaText(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return v
	case float64:
		return luaFloat(v)
	}
	return fmt.Sprint(v)
}

// luaFloat always shows that f is a float.
func luaFloat(f float64) string {
	text := strconv.FormatFloat(f, 'g', 14, 64)
	if !strings.ContainsAny(text, ".einN") {
		text += ".0"
	}
	return text
}

// address reads ":0000000a", "a" or ".name".
func address(c *service.Context, text string) (service.Handle, error) {
	if strings.HasPrefix(text, ".") {
		if h := c.LocalName(text); h != 0 {
			return h, nil
		}
		return 0, errors.New("Not a valid name")
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(text, ":"), 16, 32)
	if err != nil {
		return 0, errors.New("Need an address")
	}
	return service.Handle(n), nil
}

// explain gives the error of a call to h Skynet's words in front.
func explain(h service.Handle, err error) error {
	switch {
	case errors.Is(err, service.ErrNoService):
		return fmt.Errorf("call to invalid address %s", h)
	case errors.Is(err, service.ErrCallFailed), errors.Is(err, service.ErrExited):
		return fmt.Errorf("call failed: %w", err)
	}
	return err
}
