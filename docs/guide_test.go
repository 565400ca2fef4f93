package docs_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// asked is typed into the console of the guide's first page.
const asked = `$ call 6 "LEAVE", "alice"
$ call 6 "JOIN", "carol"
$ stat
`

var (
	colour      = regexp.MustCompile("\x1b\\[[0-9]*m")
	consolePort = regexp.MustCompile(`(debug_console |127\.0\.0\.1:)[0-9]+`)
	cpuSeconds  = regexp.MustCompile(`cpu:\S+`)
)

// checkFirst compares a block with what the node of the guide's first page
// prints, or says on its console.
func checkFirst(text string, console bool) error {
	return sameOutput(text, func() (string, error) {
		run, err := firstRun()
		if console {
			return run.console, err
		}
		return run.log, err
	})
}

type nodeRun struct{ log, console string }

// firstRun does what the page says: a module of its own with the two files. It
// finds this repository by a workspace instead of go get, and a free port.
var firstRun = sync.OnceValues(func() (nodeRun, error) {
	var run nodeRun
	dir, err := os.MkdirTemp("", "docs-")
	if err != nil {
		return run, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	files := map[string]string{"go.mod": "module first\n\ngo 1.26.0\n"}
	for _, name := range []string{"main.go", "config"} {
		text, err := os.ReadFile(filepath.Join(root, "examples", "first", name))
		if err != nil {
			return run, err
		}
		files[name] = strings.Replace(string(text), "console = 10081", "console = 0", 1)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return run, err
		}
	}
	env, err := workspace(dir, ".")
	if err != nil {
		return run, err
	}
	if _, err := goCommand(dir, env, "build", "-o", "first", "."); err != nil {
		return run, err
	}
	cmd := exec.Command(filepath.Join(dir, "first"), "config")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		return run, err
	}
	if err := cmd.Start(); err != nil {
		return run, err
	}
	stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	run, err = converse(out)
	err = errors.Join(err, cmd.Process.Signal(os.Interrupt))
	_, _ = io.Copy(io.Discard, out)
	return run, errors.Join(err, cmd.Wait())
})

// converse reads the log up to the end of the start, and asks the console.
func converse(out io.Reader) (run nodeRun, err error) {
	log, addr := bufio.NewReader(out), ""
	for !strings.HasSuffix(run.log, "KILL self\n") {
		line, err := log.ReadString('\n')
		run.log += colour.ReplaceAllString(line, "")
		if err != nil {
			return run, fmt.Errorf("the node ended: %w\n%s", err, run.log)
		}
		if _, found, ok := strings.Cut(line, "Start debug console at "); ok {
			addr = strings.TrimSpace(found)
		}
	}
	run.console, err = typed(addr, asked)
	run.console = strings.ReplaceAll(run.console, "\t", "    ")
	return run, err
}
