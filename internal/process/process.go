//go:build unix

// Package process runs other programs beside a test, above all the real Skynet.
// They end with the test, and what they have printed is part of its log when it
// fails.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// HomeEnv is the environment variable with the path of a built Skynet.
const HomeEnv = "SKYNET_HOME"

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// Process is a running program. Only the goroutine of its test uses it.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	output string // a file: a program never waits for a test that does not read
	passed int    // how much of the output Wait has gone through
	ended  chan struct{}
}

// Start runs a program in a folder, with more environment than the test has. Its
// standard input stays open and empty for as long as the test's process lives.
func Start(t testing.TB, dir string, env []string, path string, args ...string) *Process {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "output")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := &Process{t: t, cmd: exec.Command(path, args...), output: out.Name(), ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if _, err := p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s printed\n%.20000s", filepath.Base(path), p.read())
		}
	})
	return p
}

// Skynet runs the Skynet in SKYNET_HOME on a config file, whose path and
// contents count from there.
func Skynet(t testing.TB, config string) *Process {
	t.Helper()
	home := os.Getenv(HomeEnv)
	if home == "" {
		t.Fatalf("%s is not set: it is the path of a built Skynet", HomeEnv)
	}
	return Start(t, home, nil, filepath.Join(home, "skynet"), config)
}

// Config writes a config file of Skynet and returns its path. The start service
// and all others come from the folder scripts before they come from Skynet; env
// holds more keys.
func Config(t testing.TB, scripts, start string, env map[string]string) string {
	t.Helper()
	scripts, err := filepath.Abs(scripts)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{
		"start":      start,
		"bootstrap":  "snlua bootstrap",
		"luaservice": scripts + "/?.lua;./service/?.lua",
		"snax":       scripts + "/?.lua",
		"lualoader":  "lualib/loader.lua",
		"cpath":      "./cservice/?.so",
		"harbor":     "0",
		"thread":     "2",
	}
	for k, v := range env {
		keys[k] = v
	}
	var text strings.Builder
	for k, v := range keys {
		fmt.Fprintf(&text, "%s = %q\n", k, v)
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Wait waits for a line that matches the regular expression, after the one that
// the Wait before has found, and returns the match and its groups.
func (p *Process) Wait(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	tick, timeout := time.NewTicker(5*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for ended := false; ; {
		for line := range strings.Lines(p.read()[p.passed:]) {
			text, whole := strings.CutSuffix(line, "\n")
			if !whole {
				break
			}
			p.passed += len(line)
			if match := re.FindStringSubmatch(text); match != nil {
				return match
			}
		}
		if ended {
			p.t.Fatalf("the program ended without a line %s", pattern)
		}
		select {
		case <-tick.C:
		case <-p.ended:
			ended = true // with all that it printed read only in the next round
		case <-timeout:
			p.t.Fatalf("no line %s in %v", pattern, patience)
		}
	}
}

// Stop freezes the program, and returns once none of its threads runs any more.
func (p *Process) Stop() {
	p.t.Helper()
	err := p.cmd.Process.Signal(syscall.SIGSTOP)
	for stopped := false; err == nil && !stopped; {
		var status syscall.WaitStatus
		_, err = syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		stopped = status.Stopped()
		if err == syscall.EINTR {
			err = nil
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// Continue has a stopped program go on.
func (p *Process) Continue() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		p.t.Fatal(err)
	}
}

// Kill ends the program with SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

func (p *Process) read() string {
	p.t.Helper()
	b, err := os.ReadFile(p.output)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}
