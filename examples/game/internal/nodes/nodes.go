// Package nodes runs the nodes of the game as processes, for those who play on
// them: the program run, and tests.
package nodes

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/skynetgo/skynet/internal/freeport"
)

// Names are the nodes in the order that they start in; they stop in reverse, so
// that who saves finds where to.
var Names = []string{"center", "room1", "room2", "gate", "login1", "login2"}

// Config is the folder with the config files, seen from where the nodes run.
const Config = "examples/game/config"

// patience is how long a node may take to start or to stop.
const patience = 30 * time.Second

// Nodes are the processes.
type Nodes struct {
	program string
	dir     string
	running map[string]*process
	usage   map[string]Usage
}

// Usage is what a node has taken, all its processes together.
type Usage struct {
	CPU    time.Duration
	Memory int // the most, in KiB
}

type process struct {
	cmd   *exec.Cmd
	ready chan struct{} // closed once the node is open
	ended chan struct{}
}

// New returns nodes that are not running yet. The program runs in dir, where
// Config is; logs go to bin there.
func New(program, dir string) *Nodes {
	return &Nodes{program, dir, make(map[string]*process), make(map[string]Usage)}
}

// Build builds the nodes' program from the module whose root is root.
func Build(root, program string) error {
	build := exec.Command("go", "build", "-o", program, "./examples/game")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}

// Copy makes a copy of the config files in dir, for nodes at free ports with data
// of their own, and returns which address has become which.
func Copy(root, dir string) (map[string]string, error) {
	moved := make(map[string]string)
	files, err := os.ReadDir(filepath.Join(root, Config))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, Config), 0o755); err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(root, Config, f.Name()))
		if err != nil {
			return nil, err
		}
		here, err := freeport.Replace(string(text), moved)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, Config, f.Name()), []byte(here), 0o600); err != nil {
			return nil, err
		}
	}
	return moved, nil
}

// StartAll starts all nodes; when one fails none stays.
func (ns *Nodes) StartAll() error {
	for _, name := range Names {
		if err := ns.Start(name); err != nil {
			return errors.Join(err, ns.StopAll())
		}
	}
	return nil
}

// Start starts a node and returns once it is open to others.
func (ns *Nodes) Start(name string) error {
	if err := os.MkdirAll(filepath.Join(ns.dir, "bin"), 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(ns.Log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	p := &process{exec.Command(ns.program, Config+"/"+name+".conf"), make(chan struct{}), make(chan struct{})}
	p.cmd.Dir = ns.dir
	p.cmd.Stderr = log
	setGroup(p.cmd) // Ctrl-C is not for the nodes: they stop in order
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(p.ended)
		defer log.Close()
		open := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			_, _ = fmt.Fprintln(log, lines.Text())
			if !open && strings.Contains(lines.Text(), name+" is open at") {
				open = true
				close(p.ready)
			}
		}
		_ = p.cmd.Wait()
	}()
	select {
	case <-p.ready:
		ns.running[name] = p
		return nil
	case <-p.ended:
		return fmt.Errorf("%s has ended: see %s", name, ns.Log(name))
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		return fmt.Errorf("%s is not open after %v", name, patience)
	}
}

// Log returns the path of a node's log.
func (ns *Nodes) Log(name string) string { return filepath.Join(ns.dir, "bin", name+".log") }

// Kill ends a node as a crash would.
func (ns *Nodes) Kill(name string) {
	if p := ns.running[name]; p != nil {
		_ = p.cmd.Process.Kill()
		<-p.ended
		ns.ended(name)
	}
}

// Stop has nodes end, all at the same time; what one says at its end otherwise is
// an error.
func (ns *Nodes) Stop(names ...string) error {
	for _, name := range names {
		if p := ns.running[name]; p != nil {
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	var errs []error
	for _, name := range names {
		p := ns.running[name]
		if p == nil {
			continue
		}
		stuck := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
		<-p.ended
		stuck.Stop()
		ns.ended(name)
		if !p.cmd.ProcessState.Success() {
			errs = append(errs, fmt.Errorf("%s: %v: see %s", name, p.cmd.ProcessState, ns.Log(name)))
		}
	}
	return errors.Join(errs...)
}

// StopAll stops what runs, one after the other.
func (ns *Nodes) StopAll() error {
	var errs []error
	for _, name := range slices.Backward(Names) {
		errs = append(errs, ns.Stop(name))
	}
	return errors.Join(errs...)
}

func (ns *Nodes) ended(name string) {
	state := ns.running[name].cmd.ProcessState
	u := ns.usage[name]
	ns.usage[name] = Usage{u.CPU + state.UserTime() + state.SystemTime(), max(u.Memory, peak(state))}
	delete(ns.running, name)
}

// Usage returns what a node that has ended has taken.
func (ns *Nodes) Usage(name string) Usage { return ns.usage[name] }
