package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

const (
	rounds = 7
	// span is how long a round takes.
	span = 250 * time.Millisecond
	// quickRounds and quickSpan replace them in quick mode.
	quickRounds = 2
	quickSpan   = time.Millisecond
)

// row is one piece of work, done in several ways that take turns.
type row struct {
	name  string
	unit  unit
	sides []side
	goals []goal
	apart bool // the sides are different work: each for itself, fewer rounds
}

// side is one way to do the work. The first one of a row, without a name, is
// this project's; "raw" is plain Go; "skynet" is left out when there is none.
type side struct {
	name string
	open func(e *env) (work, error)
}

// work does n operations or some more, and has the meter count them.
type work struct {
	do    func(m *meter, n int) error
	procs []*child // what takes part beside this process
	away  bool     // this process only waits for them
}

// env is what lives as long as the sides of a row.
type env struct {
	options
	ends []func() error
}

func (e *env) atEnd(f func() error) { e.ends = append(e.ends, f) }

func (e *env) end() error {
	var errs []error
	for _, f := range slices.Backward(e.ends) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// unit says what a number of operations in some time comes to.
type unit struct {
	name string
	of   func(ops int, d time.Duration) float64
}

func perSecond(what string) unit {
	return unit{what + "/s", func(ops int, d time.Duration) float64 { return float64(ops) / d.Seconds() }}
}

// timeOf is the time of one operation.
func timeOf(name string, u time.Duration) unit {
	return unit{name, func(ops int, d time.Duration) float64 { return float64(d) / float64(u) / float64(ops) }}
}

// goal is what a figure or a ratio is to reach.
type goal struct {
	Name  string  `json:"name"`
	Least bool    `json:"least"` // at least Value, else at most
	Value float64 `json:"value"`
}

func atLeast(name string, v float64) goal { return goal{name, true, v} }
func atMost(name string, v float64) goal  { return goal{name, false, v} }

// run measures the row: all sides are opened, warmed up, and take turns.
func (r row) run(o options) ([]figure, error) {
	times := rounds
	if o.quick {
		times = quickRounds
	}
	if !r.apart {
		return r.compete(o, r.sides, times)
	}
	var all []figure
	for _, s := range r.sides {
		figures, err := r.compete(o, []side{s}, (times+1)/2)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	return all, nil
}

func (r row) compete(o options, sides []side, times int) (figures []figure, err error) {
	e := &env{options: o}
	defer func() { err = errors.Join(err, e.end()) }()
	var series []*series
	for _, s := range sides {
		if s.name == "skynet" && o.home == "" || s.name != "" && o.alone {
			continue
		}
		one, err := r.prepare(e, s)
		if err != nil {
			return nil, fmt.Errorf("side %q: %w", s.name, err)
		}
		series = append(series, one)
	}
	for range times {
		for _, s := range series {
			if err := s.round(); err != nil {
				return nil, fmt.Errorf("side %q: %w", s.side, err)
			}
		}
	}
	for _, s := range series {
		figures = append(figures, s.figures()...)
	}
	return figures, nil
}

// series are the rounds of one side.
type series struct {
	row    row
	side   string
	work   work
	n      int
	values []note // of all rounds, one after the other
}

// prepare opens a side, and does its work until it is warm and one knows how
// much of it fills a round.
func (r row) prepare(e *env, s side) (*series, error) {
	w, err := s.open(e)
	if err != nil {
		return nil, err
	}
	want := span
	if e.quick {
		want = quickSpan
	}
	out := &series{row: r, side: s.name, work: w, n: 1}
	for {
		runtime.GC()
		begin := time.Now()
		m, err := out.once()
		if err != nil {
			return nil, err
		}
		took := time.Since(begin)
		grown := int(float64(m.ops) * min(float64(want)/float64(took), 20))
		if took >= want/2 {
			out.n = max(grown, 1)
			return out, nil
		}
		out.n = max(grown, out.n+1)
	}
}

func (s *series) once() (*meter, error) {
	m := &meter{procs: s.work.procs, away: s.work.away}
	if err := s.work.do(m, s.n); err != nil {
		return nil, err
	}
	return m, m.err
}

func (s *series) round() error {
	runtime.GC()
	m, err := s.once()
	if err == nil {
		s.values = append(s.values, note{"", s.row.unit.name, s.row.unit.of(m.ops, m.time)})
		s.values = append(s.values, m.all()...)
	}
	return err
}

func (s *series) figures() []figure {
	var out []figure
	for _, v := range s.values {
		name := joined(s.row.name, s.side, v.what)
		i := slices.IndexFunc(out, func(f figure) bool { return f.Name == name })
		if i < 0 {
			i = len(out)
			out = append(out, figure{Name: name, Row: s.row.name, Side: s.side, What: v.what, Unit: v.unit})
		}
		out[i].Samples = append(out[i].Samples, v.value)
	}
	for i := range out {
		sorted := slices.Sorted(slices.Values(out[i].Samples))
		out[i].Median, out[i].Min, out[i].Max = middle(sorted), sorted[0], sorted[len(sorted)-1]
	}
	return out
}

func middle(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
