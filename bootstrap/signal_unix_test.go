//go:build unix

package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what a process must do.
const patience = 30 * time.Second

// process is the test binary as a program.
type process struct {
	*exec.Cmd
	t      *testing.T
	log    string
	stderr bytes.Buffer
}

// program starts a program with a config, and its standard output where stdout
// says, nil for nowhere.
func program(t *testing.T, text string, stdout *os.File) *process {
	t.Helper()
	path, log := config(t, text)
	p := &process{Cmd: exec.Command(os.Args[0], path), t: t, log: log}
	p.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0")
	p.Stderr = &p.stderr
	if stdout != nil {
		p.Stdout = stdout
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	return p
}

// eventually polls cond, for what only shows in the file system.
func (p *process) eventually(what string, cond func() bool) {
	p.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-timeout:
			b, _ := os.ReadFile(p.log)
			p.t.Fatalf("no %s; log:\n%s", what, b)
		}
	}
}

// logs waits for a text in the log.
func (p *process) logs(text string) {
	p.t.Helper()
	p.eventually(fmt.Sprintf("%q in the log", text), func() bool {
		b, _ := os.ReadFile(p.log)
		return bytes.Contains(b, []byte(text))
	})
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// exits waits for the end of the process.
func (p *process) exits(code int, stderr string) {
	p.t.Helper()
	stuck := time.AfterFunc(patience, func() { _ = p.Process.Signal(syscall.SIGQUIT) })
	defer stuck.Stop()
	err := p.Wait()
	if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) {
		p.t.Fatal(err)
	}
	if p.ProcessState.ExitCode() != code || p.stderr.String() != stderr {
		p.t.Errorf("%s, want code %d; standard error:\n%s", p.ProcessState, code, &p.stderr)
	}
}

// The services end in the reverse order of their start, and what they log while
// they end is written.
func TestOrderedStop(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := program(t, `start = "row"`, nil)
		p.logs("] up")
		p.logs("[:00000002] KILL self") // bootstrap has left
		p.signal(s)
		p.exits(0, "")
		want := "end of c\n[:00000007] end of b\n[:00000006] end of a\n"
		if log := logged(t, p.log); !strings.HasSuffix(log, want) {
			t.Errorf("%v: the log does not end with\n%s:\n%s", s, want, log)
		}
	}
}

// A handler that is at work when the node is told to stop comes to its end, with
// the help of services that were started before its own; unless stoptimeout says
// that nobody waits for it.
func TestDrain(t *testing.T) {
	for text, finishes := range map[string]bool{"stoptimeout = 30": true, "stoptimeout = 0": false} {
		p := program(t, "start = 'works'; "+text, nil)
		p.logs("] at work")
		p.logs("[:00000002] KILL self") // bootstrap has left
		p.signal(syscall.SIGTERM)
		p.exits(0, "")
		log := logged(t, p.log)
		const ends = "[:00000007] end of worker\n[:00000006] end of db\n"
		if !strings.HasSuffix(log, ends) || strings.Contains(log, "[:00000007] work is done: value nil\n"+ends) != finishes {
			t.Errorf("%s: log:\n%s", text, log)
		}
	}
}

func TestSignalDuringTheStart(t *testing.T) {
	p := program(t, `start = "waits"`, nil)
	p.logs("] waiting")
	p.signal(syscall.SIGTERM)
	p.exits(0, "")
}

func TestSecondSignalForces(t *testing.T) {
	t.Run("later", func(t *testing.T) {
		p := program(t, `start = "hangslater"`, nil)
		p.logs("] hanging")
		p.signal(syscall.SIGTERM)
		p.logs("] end of a") // the first has been taken
		p.signal(syscall.SIGTERM)
		p.exits(1, ErrForced.Error()+"\n")
	})
	t.Run("during the start", func(t *testing.T) {
		p := program(t, `start = "hangs"`, nil)
		p.logs("] hanging")
		p.signal(syscall.SIGINT)
		p.signal(syscall.SIGTERM)
		p.exits(1, ErrForced.Error()+"\n")
	})
}

func TestB132HangupReopensTheLog(t *testing.T) {
	for _, name := range []string{"up", "waits"} { // before and after the start has ended
		p := program(t, fmt.Sprintf("start = %q", name), nil)
		p.logs("LAUNCH snlua " + name)
		old := p.log + ".1"
		if err := os.Rename(p.log, old); err != nil {
			t.Fatal(err)
		}
		p.signal(syscall.SIGHUP)
		p.eventually("new log file", func() bool { _, err := os.Stat(p.log); return err == nil })
		p.signal(syscall.SIGTERM)
		p.exits(0, "")
		if log := logged(t, old); !strings.Contains(log, "LAUNCH snlua bootstrap") {
			t.Errorf("old log:\n%s", log)
		}
	}
}

// A log that nobody reads any more does not end the node.
func TestBrokenStandardOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	file := filepath.Join(t.TempDir(), "touched")
	p := program(t, fmt.Sprintf("logger = nil; start = 'touches %s'", file), w)
	_ = w.Close()
	p.eventually("touched file", func() bool { _, err := os.Stat(file); return err == nil })
	p.signal(syscall.SIGTERM)
	_ = p.Wait()
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s; standard error:\n%s", p.ProcessState, &p.stderr)
	}
}

// Nobody waits for who reads the log from standard output, and nothing is lost.
func TestUnreadStandardOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	file := filepath.Join(t.TempDir(), "touched")
	p := program(t, fmt.Sprintf("logger = nil; start = 'touches %s'", file), w)
	_ = w.Close()
	p.eventually("touched file", func() bool { _, err := os.Stat(file); return err == nil })
	p.signal(syscall.SIGTERM)
	log, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	p.exits(0, "")
	if got := bytes.Count(log, []byte("] a line that nobody reads\n")); got != touchLines {
		t.Errorf("%d of %d lines", got, touchLines)
	}
}

func TestProgramThatFails(t *testing.T) {
	p := program(t, `start = "fails"`, nil)
	p.exits(1, p.Args[1]+":2: start: newservice fails: the reason is this\n")
}
