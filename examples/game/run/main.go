// Command run starts all nodes of the game, one process each, and stops them in
// order at Ctrl-C. With robots it does so on a copy, at other ports and with other
// data, lets the robots play and says how it went.
//
//	go run ./examples/game/run
//	go run ./examples/game/run -robots 1000 -for 1m
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/skynetgo/skynet/examples/game/internal/nodes"
	"github.com/skynetgo/skynet/examples/game/internal/robot"
)

func main() {
	robots := flag.Int("robots", 0, "how many robots play; 0 starts the game for people")
	deaf := flag.Int("deaf", 0, "how many more never read")
	length := flag.Duration("for", 30*time.Second, "how long the robots play")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *robots == 0 {
		err = serve(ctx)
	} else {
		err = play(ctx, *robots, *deaf, *length)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "game:", err)
		os.Exit(1)
	}
}

// serve runs the game in this folder until ctx ends.
func serve(ctx context.Context) error {
	program, err := filepath.Abs("bin/game")
	if err != nil {
		return err
	}
	if err := nodes.Build(".", program); err != nil {
		return err
	}
	ns := nodes.New(program, ".")
	if err := ns.StartAll(); err != nil {
		return err
	}
	fmt.Println("open http://127.0.0.1:9111 or http://127.0.0.1:9112; the logs are in bin; Ctrl-C stops")
	fmt.Println("for operators: http://127.0.0.1:9140 to http://127.0.0.1:9145 show", strings.Join(nodes.Names, ", "))
	<-ctx.Done()
	return ns.StopAll()
}

// play has robots play on a copy of the game.
func play(ctx context.Context, robots, deaf int, length time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "game-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	moved, err := nodes.Copy(".", dir)
	if err != nil {
		return err
	}
	program := filepath.Join(dir, "game")
	if err := nodes.Build(".", program); err != nil {
		return err
	}
	ns := nodes.New(program, dir)
	if err := ns.StartAll(); err != nil {
		return err
	}
	doors := []string{moved["127.0.0.1:9121"], moved["127.0.0.1:9122"]}
	stats := &robot.Stats{}
	kicked := crowd(ctx, robots, deaf, length, doors, stats)
	sum := stats.Summary()
	err = ns.StopAll()
	fmt.Printf("\n%-28s %d\n%-28s %v\n%-28s %v\n%-28s %v\n", "moves", sum.Moves, "move to picture, p50", round(sum.P50), "p99", round(sum.P99), "longest without a picture", round(sum.Longest))
	if deaf > 0 {
		fmt.Printf("%-28s %d of %d\n", "deaf clients kicked", kicked, deaf)
	}
	fmt.Printf("%-28s %d\n", "points lost", sum.Lost)
	failed := 0
	for text, n := range sum.Errors {
		fmt.Printf("%-28s %d x %s\n", "error", n, text)
		failed += n
	}
	fmt.Printf("%-28s %d\n\n%-8s %8s %10s\n", "errors", failed, "node", "CPU", "memory")
	for _, name := range nodes.Names {
		u := ns.Usage(name)
		fmt.Printf("%-8s %8v %6d MiB\n", name, u.CPU.Round(10*time.Millisecond), u.Memory/1024)
	}
	if err == nil && failed+sum.Lost > 0 {
		err = fmt.Errorf("%d errors, %d points lost", failed, sum.Lost)
	}
	return err
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// crowd has them all play, and returns how many deaf ones were kicked.
func crowd(ctx context.Context, robots, deaf int, length time.Duration, doors []string, stats *robot.Stats) int {
	playing, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	kinds := []string{"ruby", "emerald", "sapphire", "amber"}
	for i := range robots {
		r := &robot.Robot{Name: fmt.Sprint("robot", i), Kind: kinds[i%len(kinds)], Pace: 500 * time.Millisecond, Stats: stats}
		all.Go(func() { r.Play(playing, doors...) })
		if i%20 == 19 {
			progress(ctx, stats, robots, 50*time.Millisecond)
		}
	}
	for s := stats.Summary(); s.Playing < robots && ctx.Err() == nil; s = stats.Summary() {
		progress(ctx, stats, robots, 100*time.Millisecond)
	}
	stats.Reset()
	var mu sync.Mutex
	kicked := 0
	for i := range deaf {
		all.Go(func() {
			k, err := robot.Deaf(playing, doors[i%len(doors)], fmt.Sprint("deaf", i), kinds[i%len(kinds)])
			mu.Lock()
			defer mu.Unlock()
			if k || err != nil {
				kicked++ // or not even let in
			}
		})
	}
	for end := time.Now().Add(length); time.Now().Before(end) && ctx.Err() == nil; {
		progress(ctx, stats, robots, time.Second)
	}
	stop()
	all.Wait()
	fmt.Println()
	return kicked
}

// progress waits, and shows where it is.
func progress(ctx context.Context, stats *robot.Stats, robots int, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	s := stats.Summary()
	fmt.Printf("\r%d of %d play, %d moves, p50 %v, p99 %v, %d kinds of errors   ", s.Playing, robots, s.Moves, round(s.P50), round(s.P99), len(s.Errors))
}
