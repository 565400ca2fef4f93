package nodefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynetgo/skynet/cluster/nodefile"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.lua")
	f := nodefile.New(path)
	begun := time.Now()
	for _, step := range []struct {
		what, text string // text as it is found; "-": there is no file
		want       string // the table, or text of the error
	}{
		{"none yet", "-", "no such file"},
		{"at the start", "a = 'h:1'", "map[a:h:1]"},
		{"unchanged", "a = 'h:1'", "map[a:h:1]"},
		{"changed, same size and time", "a = 'h:2'", "map[a:h:1]"},
		{"stays so", "a = 'h:2'", "map[a:h:2]"},
		{"empty, for a moment", "", "map[a:h:2]"},
		{"written in part", "a = 'h:3'\n", "map[a:h:2]"},
		{"written", "a = 'h:3'\nb = false\n", "map[a:h:2]"},
		{"stays so", "a = 'h:3'\nb = false\n", "map[a:h:3 b:false]"},
		{"wrong, for a moment", "a = ", "map[a:h:3 b:false]"},
		{"wrong", "a = ", path + ":1:"},
		{"wrong still", "a = ", path + ":1:"},
		{"gone", "-", "no such file"},
		{"as before", "a = 'h:3'\nb = false\n", "map[a:h:3 b:false]"},
		{"emptied", "", "map[a:h:3 b:false]"},
		{"stays so", "", "map[]"},
	} {
		if step.text == "-" {
			_ = os.Remove(path)
		} else if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		} else if err := os.Chtimes(path, begun, begun); err != nil {
			t.Fatal(err)
		}
		table, err := f.Resolve(t.Context())
		got := fmt.Sprint(map[string]any(table))
		if err != nil {
			got = err.Error()
		}
		if got != step.want && (err == nil || !strings.Contains(got, step.want)) {
			t.Errorf("%s: got %s, want %s", step.what, got, step.want)
		}
	}
}
