package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain lets the tests' program be the children of the benchmarks.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		exit(serve(role, os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

var (
	figureLine = regexp.MustCompile(`(?m)^([a-z]\w+) +(-?[\d.e+-]+) +(-?[\d.e+-]+) +(-?[\d.e+-]+) (\S.*)$`)
	ratioLine  = regexp.MustCompile(`(?m)^([a-z]\w+_vs_\w+) +[\d.e+-]+$`)
)

// runQuickly runs everything and returns what was printed and written.
func runQuickly(t *testing.T, home string) (printed string, rep *report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bench.json")
	var out bytes.Buffer
	if err := bench(&out, options{only: regexp.MustCompile(""), quick: true, home: home}, path); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	rep, err := readReport(path)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), rep
}

// checkLines wants a line of each side that was measured, with what it has used,
// and a comparison of each with the first.
func checkLines(t *testing.T, printed string, sides func(s side) bool) {
	t.Helper()
	lines := make(map[string]string)
	for _, m := range figureLine.FindAllStringSubmatch(printed, -1) {
		if _, twice := lines[m[1]]; twice {
			t.Errorf("%s is printed twice", m[1])
		}
		lines[m[1]] = m[5]
	}
	for _, m := range ratioLine.FindAllStringSubmatch(printed, -1) {
		lines[m[1]] = "ratio"
	}
	for _, r := range rows(options{quick: true}) {
		for _, s := range r.sides {
			if !sides(s) {
				continue
			}
			name := joined(r.name, s.name)
			if lines[name] != r.unit.name {
				t.Errorf("%s is in %q, want %q", name, lines[name], r.unit.name)
			}
			if lines[name+"_cpu"] == "" {
				t.Errorf("no line %s_cpu", name)
			}
			if s.name != "skynet" && lines[name+"_allocs"] == "" {
				t.Errorf("no line %s_allocs", name)
			}
			if vs := r.name + "_vs_" + s.name; s.name != "" && !r.apart && lines[vs] != "ratio" {
				t.Errorf("no line %s", vs)
			}
		}
	}
}

func TestQuick(t *testing.T) {
	printed, rep := runQuickly(t, "")
	checkLines(t, printed, func(s side) bool { return s.name != "skynet" })
	if !rep.Quick || rep.Machine == "" || rep.Commit == "" {
		t.Errorf("the report does not say what it is: %+v", rep)
	}
	measured := make(map[string]bool)
	for _, f := range rep.Figures {
		measured[f.Name] = true
		if len(f.Samples) == 0 || f.Min > f.Median || f.Median > f.Max {
			t.Errorf("%+v", f)
		}
	}
	for _, r := range rep.Ratios {
		measured[r.Name] = true
	}
	_, table, _ := strings.Cut(printed, "# figure")
	for _, g := range rep.Goals {
		if beside := strings.HasSuffix(g.Name, "_vs_skynet"); measured[g.Name] == beside {
			t.Errorf("goal %s: measured %v", g.Name, !beside)
		} else if shown := strings.Contains(table, "# "+g.Name+" "); shown == beside {
			t.Errorf("goal %s: in the table %v", g.Name, shown)
		}
	}
	checkPlots(t, rep)
}

// checkPlots wants all plots, as XML, with a dot for each side of their rows.
func checkPlots(t *testing.T, rep *report) {
	t.Helper()
	dir := t.TempDir()
	from := filepath.Join(dir, "bench.json")
	if err := errors.Join(rep.write(from), drawAll(from, dir)); err != nil {
		t.Fatal(err)
	}
	for _, p := range plots {
		f, err := os.Open(filepath.Join(dir, p.file+".svg"))
		if err != nil {
			t.Error(err)
			continue
		}
		dots := 0
		for d := xml.NewDecoder(f); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", p.file, err)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
				dots++
			}
		}
		f.Close()
		if want := 3 * len(p.lines); dots != want {
			t.Errorf("%s has %d dots, want %d", p.file, dots, want)
		}
	}
	if err := (&report{}).write(from); err != nil {
		t.Fatal(err)
	}
	if err := drawAll(from, dir); err == nil {
		t.Error("plots of nothing were drawn")
	}
}

func TestNoRow(t *testing.T) {
	if err := bench(io.Discard, options{only: regexp.MustCompile("^nosuch")}, ""); err == nil {
		t.Error("no row was no error")
	}
}

// A side that fails ends the run, says which it is, and closes what was opened.
func TestSideFails(t *testing.T) {
	closed := false
	bad := errors.New("bad")
	r := row{name: "r", unit: perSecond("calls"), sides: []side{
		{"", func(e *env) (work, error) {
			e.atEnd(func() error { closed = true; return nil })
			return work{do: func(m *meter, n int) error { m.start(); m.stop(n); return nil }}, nil
		}},
		{"raw", func(*env) (work, error) { return work{do: func(*meter, int) error { return bad }}, nil }},
	}}
	_, err := r.run(options{quick: true})
	if !errors.Is(err, bad) || !strings.Contains(fmt.Sprint(err), `side "raw"`) || !closed {
		t.Errorf("%v, closed %v", err, closed)
	}
}

func TestChildFails(t *testing.T) {
	e := new(env)
	p, addr, err := startRole(e, "link")
	if err != nil || addr == "" {
		t.Fatal(addr, err)
	}
	if u, err := p.usage(); err != nil || u.cpu < 0 || u.allocs <= 0 {
		t.Errorf("usage: %+v, %v", u, err)
	}
	if err := e.end(); err != nil {
		t.Error(err)
	}
	if _, err := p.memory(); err == nil {
		t.Error("a child that has ended answered")
	}
	if _, _, err := startRole(new(env), "nosuch"); err == nil {
		t.Error("a role that does not exist was played")
	}
}

func TestFigures(t *testing.T) {
	s := &series{row: row{name: "r", unit: timeOf("us", time.Microsecond)}, side: "raw"}
	for _, v := range []float64{5, 1, 2, 4} {
		s.values = append(s.values, note{"p99", "us", v})
	}
	got := s.figures()
	if len(got) != 1 || got[0].Name != "r_raw_p99" || got[0].Median != 3 || got[0].Min != 1 || got[0].Max != 5 {
		t.Errorf("%+v", got)
	}
	all := append(got, figure{Row: "r", What: "p99", Median: 6}, figure{Row: "r", What: whatCPU, Median: 1}, figure{Row: "r", Side: "raw", What: whatCPU, Median: 1})
	if r := ratios("r", all); len(r) != 1 || r[0] != (ratio{"r_p99_vs_raw", 2}) {
		t.Errorf("%+v", r)
	}
	if rate := perSecond("x").of(10, 2*time.Second); rate != 5 {
		t.Errorf("rate %v", rate)
	}
	if each := s.row.unit.of(10, time.Millisecond); each != 100 {
		t.Errorf("time of one %v", each)
	}
}

func TestTable(t *testing.T) {
	rep := &report{
		Figures: []figure{{Name: "a", Unit: "us", Median: 2}},
		Ratios:  []ratio{{"a_vs_raw", 0.5}},
		Goals:   []goal{atMost("a", 2), atLeast("a", 2.5), atLeast("a_vs_raw", 0.5), atMost("a_vs_raw", 0.4), atLeast("a_vs_skynet", 1)},
	}
	var out strings.Builder
	rep.table(&out)
	var words []string
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n")[1:] {
		words = append(words, strings.Fields(line)[5])
	}
	if got := strings.Join(words, " "); got != "yes no yes no" {
		t.Errorf("%s\n%s", got, out.String())
	}
}
