// Command rolling restarts one of two equal nodes, again and again, while others
// call them, and no call fails.
//
//	go run ./examples/rolling -restarts 20
//
// A node that stops lets nobody in any more, goes on with what it has begun for
// as long as the config key stoptimeout says, and closes its connections. A
// caller that finds it down (cluster.ErrNodeDown) takes the other one: see
// load.go. Once the node is back the next call goes there again.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/skynetgo/skynet/bootstrap"
	"github.com/skynetgo/skynet/service"
)

// patience is how long anything may take that this program waits for.
const patience = 20 * time.Second

func main() {
	restarts := flag.Int("restarts", 5, "how often a node is restarted")
	callers := flag.Int("callers", 20, "how many call at once")
	flag.Parse()
	if err := run(*restarts, *callers); err != nil {
		fmt.Fprintln(os.Stderr, "rolling:", err)
		os.Exit(1)
	}
}

func run(restarts, callers int) error {
	servers := []*server{{addr: "127.0.0.1:10021"}, {addr: "127.0.0.1:10022"}}
	load := &load{callers: callers, done: make(chan struct{}, callers)}
	for _, s := range servers {
		if err := s.start(); err != nil {
			return fmt.Errorf("start %s: %w", s.addr, err)
		}
		load.nodes = append(load.nodes, s.addr)
	}
	cfg, err := bootstrap.Parse("callers", `start = "load"`)
	if err != nil {
		return err
	}
	n, err := bootstrap.Start(context.Background(), cfg, service.Def("load", load.start))
	if err != nil {
		return err
	}
	for i := range restarts {
		s := servers[i%len(servers)]
		if err := restart(s, servers, load); err != nil {
			return err
		}
		fmt.Println("restarted", s.addr)
	}
	load.ends.Store(true)
	for range callers {
		<-load.done
	}
	if err := n.Shutdown(context.Background()); err != nil {
		return err
	}

	calls, answered := load.calls.Load(), int64(0)
	fmt.Printf("\n%-16s %8s %8s\n", "node", "restarts", "answered")
	for _, s := range servers {
		if err := s.stop(); err != nil {
			return err
		}
		fmt.Printf("%-16s %8d %8d\n", s.addr, s.restarts, s.answered.Load())
		answered += s.answered.Load()
	}
	fmt.Printf("\n%d calls, %d failed, %d went to the other node, %d answers were lost, the slowest call took %v\n",
		calls, load.failed, load.moved.Load(), answered-(calls-load.failed), load.slowest.Round(time.Millisecond))
	return load.err
}

// restart stops s while all servers work, and starts it again when the other has
// done its work for a while.
func restart(s *server, servers []*server, load *load) error {
	for _, s := range servers {
		from := s.answered.Load()
		if err := until(s.addr+" answers", func() bool { return s.answered.Load() >= from+100 }); err != nil {
			return err
		}
	}
	if err := s.stop(); err != nil {
		return err
	}
	from := load.calls.Load()
	if err := until("calls go on", func() bool { return load.calls.Load() >= from+100 }); err != nil {
		return err
	}
	s.restarts++
	return s.start()
}

func until(what string, ok func() bool) error {
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("not in %v: %s", patience, what)
		}
	}
	return nil
}
