package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is everything that was measured; its JSON is the file for comparisons.
type report struct {
	Machine string    `json:"machine"`
	Commit  string    `json:"commit"`
	Time    time.Time `json:"time"`
	Quick   bool      `json:"quick"`
	Figures []figure  `json:"figures"`
	Ratios  []ratio   `json:"ratios"`
	Goals   []goal    `json:"goals"`
}

// figure is one thing measured, in all rounds of one side.
type figure struct {
	Name    string    `json:"name"` // row, side and what, joined by _
	Row     string    `json:"row"`
	Side    string    `json:"side,omitempty"`
	What    string    `json:"what,omitempty"`
	Unit    string    `json:"unit"`
	Median  float64   `json:"median"`
	Min     float64   `json:"min"`
	Max     float64   `json:"max"`
	Samples []float64 `json:"samples"`
}

// ratio is a figure of this project over the same of another side.
type ratio struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

func newReport(o options) *report {
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return &report{
		Machine: fmt.Sprintf("%s %s/%s, %d processors (%s), GOMAXPROCS %d",
			runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(), runtime.GOMAXPROCS(0)),
		Commit: strings.TrimSpace(string(commit)),
		Time:   time.Now(),
		Quick:  o.quick,
	}
}

// processor is what Linux calls it.
func processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return "unknown"
}

// add takes the figures of a row in, and returns what is new.
func (rep *report) add(r row, figures []figure) *report {
	part := &report{Figures: figures, Goals: r.goals}
	if !r.apart {
		part.Ratios = ratios(r.name, figures)
	}
	rep.Figures = append(rep.Figures, part.Figures...)
	rep.Ratios = append(rep.Ratios, part.Ratios...)
	rep.Goals = append(rep.Goals, part.Goals...)
	return part
}

// ratios compares the figures of this project with the same of the others, but
// for what they have used.
func ratios(row string, figures []figure) []ratio {
	ours := make(map[string]float64)
	for _, f := range figures {
		if f.Side == "" && f.What != whatAllocs && f.What != whatCPU {
			ours[f.What] = f.Median
		}
	}
	var out []ratio
	for _, f := range figures {
		if v, ok := ours[f.What]; ok && f.Side != "" && f.Median > 0 {
			out = append(out, ratio{joined(row, f.What, "vs", f.Side), v / f.Median})
		}
	}
	return out
}

func (rep *report) print(w io.Writer) {
	for _, f := range rep.Figures {
		say(w, "%-36s %12s %12s %12s %s", f.Name, digits(f.Median), digits(f.Min), digits(f.Max), f.Unit)
	}
	for _, r := range rep.Ratios {
		say(w, "%-36s %12s", r.Name, digits(r.Value))
	}
}

// table prints what was to be reached and whether it was.
func (rep *report) table(w io.Writer) {
	values, units := make(map[string]float64), make(map[string]string)
	for _, f := range rep.Figures {
		values[f.Name], units[f.Name] = f.Median, f.Unit
	}
	for _, r := range rep.Ratios {
		values[r.Name] = r.Value
	}
	say(w, "# %-34s %12s %14s  %-7s %s", "figure", "is", "to reach", "reached", "unit")
	for _, g := range rep.Goals {
		v, measured := values[g.Name]
		if !measured { // beside Skynet, which is not there
			continue
		}
		word, sign := "no", "<="
		if g.Least {
			sign = ">="
		}
		if g.reached(v) {
			word = "yes"
		}
		say(w, "# %-34s %12s %14s  %-7s %s", g.Name, digits(v), sign+" "+digits(g.Value), word, units[g.Name])
	}
}

func (g goal) reached(v float64) bool {
	if g.Least {
		return v >= g.Value
	}
	return v <= g.Value
}

func (rep *report) write(path string) error {
	b, err := json.MarshalIndent(rep, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func readReport(path string) (*report, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rep := new(report)
	return rep, json.Unmarshal(b, rep)
}

// say writes a line. Whoever does not take it does not want it.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}

func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "_")
}

func digits(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
