// Command demo runs the three-node example as three processes: it builds and
// starts them, lets players log in, prints the calls and what the nodes have of
// the cluster, and stops them in order. With KEEP=1 they stay up until Ctrl-C.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/skynetgo/skynet/examples/cluster/internal/console"
)

const (
	folder = "examples/cluster"
	module = "github.com/skynetgo/skynet"
)

func main() {
	if err := demo(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo() (err error) {
	bin, err := os.MkdirTemp("", "skynet-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(bin) }()
	fmt.Println("building center and login")
	build := exec.Command("go", "build", "-o", bin+string(filepath.Separator), module+"/"+folder+"/center", module+"/"+folder+"/login")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)

	var nodes []*node
	defer func() {
		for i := len(nodes) - 1; i >= 0; i-- {
			if e := nodes[i].stop(); e != nil && err == nil {
				err = e
			}
		}
	}()
	for _, n := range []struct{ name, program string }{{"center", "center"}, {"login1", "login"}, {"login2", "login"}} {
		started, err := startNode(n.name, filepath.Join(bin, n.program), filepath.Join(folder, n.name+".conf"))
		if err != nil {
			return err
		}
		nodes = append(nodes, started)
		if _, err := started.await("READY"); err != nil {
			return err
		}
	}
	center, login1, login2 := nodes[0], nodes[1], nodes[2]

	fmt.Println("\nplayers log in; whoever was on the other login is sent away there")
	for _, step := range []struct {
		at     *node
		player string
	}{{login1, "alice"}, {login2, "bob"}, {login2, "alice"}, {login1, "bob"}} {
		if _, err := step.at.ask("login "+step.player, "DONE"); err != nil {
			return err
		}
	}
	if err := table(center, login1, login2); err != nil {
		return err
	}
	if os.Getenv("KEEP") != "" {
		fmt.Println("\nKEEP is set: the nodes run until Ctrl-C")
		<-stop
	}
	fmt.Println("\nstopping")
	return nil
}

// table prints what the nodes say of themselves, and checks it.
func table(nodes ...*node) error {
	total := console.Status{Node: "total"}
	var rows []console.Status
	for _, n := range nodes {
		line, err := n.ask("status", "STATUS")
		if err != nil {
			return err
		}
		var s console.Status
		if !s.Read(line) {
			return fmt.Errorf("%s: cannot read %q", n.name, line)
		}
		rows = append(rows, s)
		total.Opened += s.Opened
		total.Senders += s.Senders
		total.Accepted += s.Accepted
		total.Agents += s.Agents
	}
	fmt.Printf("\n%-8s %18s %16s %21s %15s\n", "node", "connections opened", "clustersenders", "connections accepted", "clusteragents")
	for _, s := range append(rows, total) {
		fmt.Printf("%-8s %18d %16d %21d %15d\n", s.Node, s.Opened, s.Senders, s.Accepted, s.Agents)
	}
	fmt.Printf("\n%d TCP connections, %d clustersenders, %d clusteragents\n", total.Opened, total.Senders, total.Agents)
	if want := (console.Status{Node: "total", Opened: 4, Senders: 4, Accepted: 4, Agents: 4}); total != want {
		return fmt.Errorf("expected 4 of each")
	}
	return nil
}
