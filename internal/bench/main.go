// Command bench measures this project beside plain Go that does the same work
// without a framework and, when SKYNET_HOME names a built Skynet, beside that.
// make bench runs it; docs/benchmarks.md describes it.
//
// It prints a line "name median min max unit" for each figure and a line
// "name_vs_other ratio" for each comparison, ratios being those of the medians,
// and at the end what was to be reached. It starts itself again for the work that
// takes two processes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/pprof"
	"time"
)

// options are what the flags say.
type options struct {
	only  *regexp.Regexp // rows to run
	quick bool           // see that all works; the numbers mean nothing
	home  string         // a built Skynet, "" for none
	alone bool           // leave the other sides out
}

// some is n, or fewer when it must be quick.
func (o options) some(n int) int {
	if o.quick {
		return n/30 + 1
	}
	return n
}

func main() {
	if role := os.Getenv(roleEnv); role != "" {
		exit(serve(role, os.Stdin, os.Stdout))
	}
	only := flag.String("only", "", "run the rows whose name begins with this `regexp`")
	out := flag.String("out", "", "write the figures as JSON to this `file`, or read them for -plots")
	quick := flag.Bool("quick", false, "run everything as briefly as possible: the numbers mean nothing")
	list := flag.Bool("list", false, "print the names of the rows")
	profile := flag.String("cpuprofile", "", "write a CPU profile of this process to this `file`; the other sides are left out")
	plots := flag.String("plots", "", "draw the plots of the figures in -out into this `folder`")
	flag.Parse()
	switch re, err := regexp.Compile("^(?:" + *only + ")"); {
	case err != nil:
		exit(err)
	case *list:
		for _, r := range rows(options{}) {
			fmt.Println(r.name)
		}
	case *plots != "":
		exit(drawAll(*out, *plots))
	default:
		o := options{only: re, quick: *quick, home: os.Getenv("SKYNET_HOME"), alone: *profile != ""}
		exit(profiled(*profile, func() error { return bench(os.Stdout, o, *out) }))
	}
}

// profiled runs f and writes its CPU profile to the file path, unless that is "".
func profiled(path string, f func() error) (err error) {
	if path == "" {
		return f()
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// bench runs the rows and writes the report to w, and to the file path unless
// that is "".
func bench(w io.Writer, o options, path string) error {
	var chosen []row
	for _, r := range rows(o) {
		if o.only.MatchString(r.name) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no row begins with %v", o.only)
	}
	rep := newReport(o)
	say(w, "# %s", rep.Machine)
	begin := time.Now()
	for i, r := range chosen {
		say(w, "# %d/%d, %v: %s", i+1, len(chosen), time.Since(begin).Round(time.Second), r.name)
		figures, err := r.run(o)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		rep.add(r, figures).print(w)
	}
	rep.table(w)
	if path == "" {
		return nil
	}
	return rep.write(path)
}

// rows are all that is measured, in the order in which it is.
func rows(o options) []row {
	var all []row
	for _, some := range [][]row{localRows(), launchRows(), valueRows(), clusterRows(), gateRows(), fairRows(), growthRows(o)} {
		all = append(all, some...)
	}
	return all
}
