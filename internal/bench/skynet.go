package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// scripts are the Lua services: start.lua does what this program asks for.
//
//go:embed testdata/*.lua
var scripts embed.FS

// threads is Skynet's default.
const threads = 8

// startSkynet starts a real Skynet as what mode says: client, cluster or gate.
// It returns where it listens, if it does.
func startSkynet(e *env, mode string) (*child, string, error) {
	dir, err := os.MkdirTemp("", "skynet-bench-")
	if err != nil {
		return nil, "", err
	}
	e.atEnd(func() error { return os.RemoveAll(dir) })
	if err := os.CopyFS(dir, scripts); err != nil {
		return nil, "", err
	}
	config := fmt.Sprintf(`thread = %d
harbor = 0
bootstrap = "snlua bootstrap"
start = "start"
logger = %q
luaservice = %q
lualoader = "lualib/loader.lua"
cpath = "./cservice/?.so"
mode = %q
mark = %q
`, threads, os.DevNull, filepath.Join(dir, "testdata", "?.lua")+";./service/?.lua", mode, answerMark)
	path := filepath.Join(dir, "config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, "", err
	}
	cmd := exec.Command(filepath.Join(e.home, "skynet"), path)
	cmd.Dir = e.home
	return startChild(e, cmd)
}

// onSkynet is a row that one Skynet does by itself.
func onSkynet(name string) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		p, _, err := startSkynet(e, "client")
		return p.runs(name, "", p), err
	}
}

// onSkynetPair is a row that takes two.
func onSkynetPair(name string) func(e *env) (work, error) {
	return func(e *env) (work, error) {
		peer, addr, err := startSkynet(e, "cluster")
		if err != nil {
			return work{}, err
		}
		p, _, err := startSkynet(e, "client")
		return p.runs(name, addr, p, peer), err
	}
}

// runs is work that a Skynet does and times: its answer is how many operations,
// how many nanoseconds, and more things that it has measured, each a name, a unit
// and a number.
func (p *child) runs(name, addr string, procs ...*child) work {
	return work{procs: procs, away: true, do: func(m *meter, ops int) error {
		m.start()
		words, err := p.ask(fmt.Sprintf("run %s %d %s", name, ops, addr))
		if err != nil {
			return err
		}
		var values []float64
		for i, w := range words {
			if i > 1 && i%3 != 1 { // 2 and 3: name and unit, 4: number
				continue
			}
			v, err := strconv.ParseFloat(w, 64)
			if err != nil {
				return fmt.Errorf("skynet: %v", words)
			}
			values = append(values, v)
		}
		if len(words)%3 != 2 {
			return fmt.Errorf("skynet: %v", words)
		}
		m.stopAfter(int(values[0]), time.Duration(values[1]))
		for i, v := range values[2:] {
			m.note(words[2+3*i], words[3+3*i], v)
		}
		return nil
	}}
}
