package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience is how long a node may take for anything that the demo waits for.
const patience = 10 * time.Second

// node is one process.
type node struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string // what it answers to commands
	done  chan error
}

func startNode(name, program, config string) (*node, error) {
	n := &node{name: name, cmd: exec.Command(program, config), lines: make(chan string, 64), done: make(chan error, 1)}
	var err error
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	n.cmd.Stderr = os.Stderr
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		n.read(out)
		n.done <- n.cmd.Wait()
	}()
	return n, nil
}

// read shows the log of the node and keeps its answers.
func (n *node) read(out io.Reader) {
	defer close(n.lines)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if !strings.HasPrefix(line, "[") {
			n.lines <- line
		} else if show(line) {
			fmt.Printf("%-7s| %s\n", n.name, line)
		}
	}
}

// show leaves out the start of services that have nothing to do with the cluster.
func show(line string) bool {
	_, launch, ok := strings.Cut(line, "] LAUNCH ")
	return !ok || strings.HasPrefix(launch, "snlua cluster")
}

// ask sends a command and waits for the line that answers it.
func (n *node) ask(command, answer string) (string, error) {
	if _, err := fmt.Fprintln(n.stdin, command); err != nil {
		return "", fmt.Errorf("%s: %w", n.name, err)
	}
	return n.await(answer)
}

func (n *node) await(answer string) (string, error) {
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-n.lines:
			switch {
			case !ok:
				return "", fmt.Errorf("%s stopped; the line above says why", n.name)
			case strings.HasPrefix(line, answer):
				return line, nil
			case strings.HasPrefix(line, "ERROR"):
				return "", fmt.Errorf("%s", line)
			}
		case <-timeout:
			return "", fmt.Errorf("%s: no %s after %v", n.name, answer, patience)
		}
	}
}

// stop asks the node to end and waits until it has.
func (n *node) stop() error {
	_, _ = fmt.Fprintln(n.stdin, "quit")
	select {
	case err := <-n.done:
		if err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		fmt.Println(n.name, "stopped")
		return nil
	case <-time.After(patience):
		_ = n.cmd.Process.Kill()
		return fmt.Errorf("%s did not stop in %v and was killed", n.name, patience)
	}
}
