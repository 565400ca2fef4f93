package wire

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestNodeName(t *testing.T) {
	for name, tt := range map[string]struct {
		host string
		err  error
		want string
	}{
		"plain":          {"box-1.lan", nil, "box-1.lan77"},
		"blanks":         {"my box\t\x01", nil, "my_box__77"},
		"above ASCII":    {"bücher", nil, "b__cher77"},
		"no name":        {"", errors.New("no host name"), "noname77"},
		"name and error": {"half", errors.New("cut short"), "noname77"},
		"empty":          {"", nil, "77"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := nodeName(tt.host, tt.err, 77); got != tt.want {
				t.Errorf("nodeName = %q, want %q", got, tt.want)
			}
		})
	}
	if got := NodeName(); !strings.HasSuffix(got, strconv.Itoa(os.Getpid())) {
		t.Errorf("NodeName = %q, want the process id %d at its end", got, os.Getpid())
	}
}
