//go:build unix

// Package program runs an example in a test as its user does: built, from the
// module's root, with its config file as argument.
package program

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may run.
const patience = time.Minute

// Program is a running example and what it has printed. Only its test uses it.
type Program struct {
	t      testing.TB
	cmd    *exec.Cmd
	out    *bufio.Reader
	seen   strings.Builder
	stderr bytes.Buffer
}

// Start builds the package in the test's own folder or in dir, seen from there,
// and runs it in root, the path of the module's root, with more environment
// than the test has. It ends with the test, with all processes of its making.
func Start(t testing.TB, dir, root string, env []string, args ...string) *Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, ".") // linked in two thirds of the time
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	p := &Program{t: t, cmd: exec.Command(path, args...)}
	p.cmd.Dir = root
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
	stuck := time.AfterFunc(patience, kill)
	t.Cleanup(func() {
		stuck.Stop()
		kill()
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("%s printed\n%.20000s\nand on standard error\n%s", dir, &p.seen, &p.stderr)
		}
	})
	return p
}

// Until reads what the program prints, up to a line that contains text.
func (p *Program) Until(text string) {
	p.t.Helper()
	for {
		line, err := p.out.ReadString('\n')
		p.seen.WriteString(line)
		if err != nil {
			p.t.Fatalf("no line with %q", text)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

// Signal sends a signal to the program and all processes of its making, as a
// terminal does.
func (p *Program) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil {
		p.t.Fatal(err)
	}
}

// Exits waits for the end of the program, checks its exit code and returns what
// it wrote to standard error.
func (p *Program) Exits(code int) string {
	p.t.Helper()
	for {
		line, err := p.out.ReadString('\n')
		p.seen.WriteString(line)
		if err != nil {
			break
		}
	}
	err := p.cmd.Wait()
	if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) {
		p.t.Fatal(err)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("%s, want code %d", p.cmd.ProcessState, code)
	}
	return p.stderr.String()
}

// Printed returns what has been read of the output.
func (p *Program) Printed() string { return p.seen.String() }

// Lines checks that lines which match the regular expressions have been read, in
// any order.
func (p *Program) Lines(patterns ...string) {
	p.t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile("(?m)^" + pattern + "$").MatchString(p.Printed()) {
			p.t.Errorf("no line %s", pattern)
		}
	}
}
