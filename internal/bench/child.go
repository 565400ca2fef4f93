package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// roleEnv is the environment variable that makes this program a server: what it
// holds names one of roles.
const roleEnv = "SKYNET_BENCH_ROLE"

// answerMark begins the lines of a child that are answers.
const answerMark = "BENCH "

// patience is how long a child may take to answer.
const patience = 2 * time.Minute

// roles are the servers that run in processes of their own. They return where
// they listen, and end with the process.
var roles = map[string]func(e *env) (addr string, err error){
	"cluster":  serveCluster,
	"link":     func(*env) (string, error) { return serveRaw(echoLink) },
	"gate":     serveGate,
	"raw gate": func(*env) (string, error) { return serveRaw(echoGate) },
}

// serve is what a child does: it says where it listens, then answers the
// questions usage and memory, a line each, until its input ends.
func serve(role string, in io.Reader, out io.Writer) error {
	open, ok := roles[role]
	if !ok {
		return fmt.Errorf("no role %q", role)
	}
	addr, err := open(&env{})
	if err != nil {
		return err
	}
	say(out, "%s%s", answerMark, addr)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		switch lines.Text() {
		case "usage":
			u := ownUsage()
			say(out, "%s%.0f %d", answerMark, u.allocs, u.cpu)
		case "memory":
			say(out, "%s%.0f", answerMark, inUse())
		default:
			return fmt.Errorf("no question %q", lines.Text())
		}
	}
	return nil
}

// child is another process: this program in a role, or a Skynet. One goroutine
// at a time uses it.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

// startRole starts this program once more and returns where it listens.
func startRole(e *env, role string) (*child, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	return startChild(e, cmd)
}

// startChild starts a process, which ends with e, and returns the first thing
// that it says.
func startChild(e *env, cmd *exec.Cmd) (*child, string, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	p := &child{cmd: cmd, in: in, lines: bufio.NewScanner(out)}
	e.atEnd(func() error {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // which says that it was killed
		return nil
	})
	words, err := p.answer()
	return p, words[0], err
}

// ask puts a question and returns the words of the answer, of which there is at
// least one.
func (p *child) ask(question string) ([]string, error) {
	if _, err := io.WriteString(p.in, question+"\n"); err != nil {
		return []string{""}, err
	}
	return p.answer()
}

func (p *child) answer() ([]string, error) {
	stuck := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer stuck.Stop()
	for p.lines.Scan() {
		if text, ok := strings.CutPrefix(p.lines.Text(), answerMark); ok {
			if words := strings.Fields(text); len(words) > 0 {
				return words, nil
			}
			return []string{""}, errors.New("a child's answer is empty")
		}
	}
	return []string{""}, errors.Join(errors.New("a child has ended"), p.lines.Err())
}

func (p *child) numbers(question string, want int) ([]float64, error) {
	words, err := p.ask(question)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, w := range words {
		v, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if len(out) < want {
		return nil, fmt.Errorf("%s: %v is too short an answer", question, words)
	}
	return out, nil
}

func (p *child) usage() (usage, error) {
	v, err := p.numbers("usage", 2)
	if err != nil {
		return usage{}, err
	}
	return usage{allocs: v[0], cpu: time.Duration(v[1])}, nil
}

func (p *child) memory() (float64, error) {
	v, err := p.numbers("memory", 1)
	if err != nil {
		return 0, err
	}
	return v[0], nil
}
