//go:build interop

// Real Skynet on one side and these programs on the other. SKYNET_HOME is the
// path of a built tree; make interop runs this.
package main_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const patience = 30 * time.Second

// program is a running process whose output can be waited for.
type program struct {
	t     *testing.T
	name  string
	lines chan string
	seen  []string
}

// run starts a program in a folder; it is killed when the test ends.
func run(t *testing.T, name, dir, path string, args ...string) *program {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	out, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, name: name, lines: make(chan string, 1024)}
	go func() {
		defer close(p.lines)
		in := bufio.NewReader(out)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			p.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = w.Close()
		for line := range p.lines {
			p.seen = append(p.seen, line)
		}
		for _, line := range p.seen {
			t.Logf("%s | %.200s", name, line)
		}
	})
	return p
}

// expect waits for a line that matches.
func (p *program) expect(pattern string) {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%s ended without %s", p.name, pattern)
			}
			p.seen = append(p.seen, line)
			if re.MatchString(line) {
				return
			}
		case <-timeout:
			p.t.Fatalf("%s: no line %s in %v", p.name, pattern, patience)
		}
	}
}

func skynetHome(t *testing.T) string {
	t.Helper()
	home := os.Getenv("SKYNET_HOME")
	if home == "" {
		t.Fatal("SKYNET_HOME is not set: it is the path of a built Skynet")
	}
	return home
}

// build compiles an example and returns the program and the repository's root,
// which its config's paths count from.
func build(t *testing.T, example string) (path, root string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), example)
	if out, err := exec.Command("go", "build", "-o", path, "../"+example).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", example, err, out)
	}
	return path, root
}

func TestInteropGoServesSkynet(t *testing.T) {
	home := skynetHome(t)
	path, root := build(t, "cluster1")
	server := run(t, "go cluster1", root, path, "examples/cluster1/config")
	server.expect(`Listen on 127\.0\.0\.1:2529`)
	client := run(t, "skynet cluster2", home, filepath.Join(home, "skynet"), "examples/config.c2")
	server.expect(`\] :[0-9a-f]{8} ping proxy$`) // after the large SET and GET through the proxy
	client.expect(`^foobar$`)
	client.expect(`^foobar2$`)
	server.expect(`\] :[0-9a-f]{8} ping db2:longstringR+\.\.\.\(102414\)$`)
	client.expect(`^false\t.*call failed$`)
	client.expect(`^hello$`)   // the answer of the snax service
	client.expect(`KILL self`) // bootstrap leaves: the program has come to its end
}

func TestInteropSkynetServesGo(t *testing.T) {
	home := skynetHome(t)
	path, root := build(t, "cluster2")
	server := run(t, "skynet cluster1", home, filepath.Join(home, "skynet"), "examples/config.c1")
	server.expect(`KILL self`) // bootstrap leaves when everything is open
	client := run(t, "go cluster2", root, path, "examples/cluster2/config")
	server.expect(`\] :[0-9a-f]{8} ping proxy$`)
	client.expect(`^foobar$`)
	client.expect(`^foobar2$`)
	server.expect(`\] :[0-9a-f]{8} ping db2:longstringR+\.\.\.\(102414\)$`)
	client.expect(`^false .*node is down`)
	client.expect(`^hello$`)
}
