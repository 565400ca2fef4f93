//go:build unix

package process_test

import (
	"os"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest/leak"
	"github.com/skynetgo/skynet/internal/process"
)

func TestMain(m *testing.M) { leak.Check(m) }

func TestWait(t *testing.T) {
	dir := t.TempDir()
	p := process.Start(t, dir, []string{"WORD=hello"}, "/bin/sh", "-c", "echo one; pwd; echo $WORD >&2; cat; echo end")
	p.Wait(`^one$`)
	if got := p.Wait(`/([^/]+)$`)[1]; !strings.HasSuffix(dir, got) {
		t.Errorf("it runs in folder %s, want %s", got, dir)
	}
	p.Wait(`^hello$`)
	p.Stop()
	p.Continue()
	p.Stop()
	p.Kill() // also one that is stopped, and whose input is still open
	p.Kill()
}

func TestConfig(t *testing.T) {
	path := process.Config(t, "scripts", "first", map[string]string{"port": "7", "thread": "1"})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`start = "first"`, `port = "7"`, `thread = "1"`, `/internal/process/scripts/?.lua;./service/?.lua"`} {
		if !strings.Contains(string(b), line+"\n") {
			t.Errorf("no line %s in\n%s", line, b)
		}
	}
}
