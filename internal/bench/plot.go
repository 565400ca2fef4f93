package main

import (
	"errors"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// plot is how what one operation costs grows with how much there is of something.
type plot struct {
	file, title, x, y string
	lines             []line
}

// line is a row of growthRows, and which of its figures.
type line struct{ label, row, what string }

var plots = []plot{
	{"bench-services", "A call while other services are alive", "services alive", "µs for a call", []line{
		{"to one of them", "grow_services", ""}, {"to each in turn", "grow_targets", ""},
	}},
	{"bench-mailbox", "A send into a mailbox that is not empty", "messages waiting", "ns for a send", []line{{"", "grow_mailbox", ""}}},
	{"bench-inflight", "Calls at once on one link", "calls on their way", "µs for a call, overall", []line{{"", "grow_inflight", ""}}},
	{"bench-links", "One call after the other, over all links in turn", "links of the node", "µs for a call", []line{{"", "grow_links", ""}}},
	{"bench-connections", "100 packets at a time, over all connections in turn", "connections of the gate", "µs for a round trip, overall", []line{{"", "grow_connections", ""}}},
	{"bench-memory", "Memory of a connection and its agent", "connections of the gate", "bytes for each", []line{{"", "grow_connections", "memory"}}},
}

// drawAll draws the plots of the report in the file from into the folder dir.
func drawAll(from, dir string) error {
	rep, err := readReport(from)
	if err != nil {
		return err
	}
	drawn := 0
	for _, p := range plots {
		text, ok := p.svg(rep)
		if !ok {
			continue
		}
		drawn++
		if err := os.WriteFile(filepath.Join(dir, p.file+".svg"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if drawn == 0 {
		return errors.New(from + " has nothing to draw")
	}
	return nil
}

type point struct{ x, y float64 }

// points are the medians of the line, for each side of its row.
func (l line) points(rep *report) []point {
	var out []point
	for _, f := range rep.Figures {
		x, err := strconv.ParseFloat(f.Side, 64)
		if f.Row == l.row && f.What == l.what && err == nil {
			out = append(out, point{x, f.Median})
		}
	}
	slices.SortFunc(out, func(a, b point) int { return int(a.x - b.x) })
	return out
}

// The size of a picture and of the part that the lines are in.
const (
	width, height            = 640, 320
	left, right, top, bottom = 70, 620, 50, 260
)

// style leaves the page's background and follows what the reader prefers.
const style = `<style>
text { font: 13px sans-serif; fill: #333 } .title { font-size: 15px; font-weight: bold }
.axis { stroke: #888; fill: none } .grid { stroke: #8884 } .line { fill: none; stroke-width: 2 }
.s0 { stroke: #1f6feb } .s1 { stroke: #d1570c } .d0 { fill: #1f6feb } .d1 { fill: #d1570c }
@media (prefers-color-scheme: dark) { text { fill: #ccc } .s0 { stroke: #58a6ff } .s1 { stroke: #ffa657 } .d0 { fill: #58a6ff } .d1 { fill: #ffa657 } }
</style>
`

// svg draws the plot, x by its logarithm; false when rep has no point of it.
func (p plot) svg(rep *report) (string, bool) {
	var all []point
	for _, l := range p.lines {
		all = append(all, l.points(rep)...)
	}
	if len(all) == 0 {
		return "", false
	}
	lo, hi, most := math.Inf(1), 0.0, 0.0
	for _, q := range all {
		lo, hi, most = min(lo, q.x), max(hi, q.x), max(most, q.y)
	}
	step := niceStep(most)
	most = step * math.Ceil(most/step)
	px := func(x float64) float64 {
		if lo == hi {
			return (left + right) / 2
		}
		return left + 20 + (right-left-40)*math.Log(x/lo)/math.Log(hi/lo)
	}
	py := func(y float64) float64 { return bottom - (bottom-top)*y/most }

	var b strings.Builder
	text := func(class, anchor string, x, y float64, s string) {
		fmt.Fprintf(&b, "<text class=%q text-anchor=%q x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, anchor, x, y, html.EscapeString(s))
	}
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n%s", width, height, style)
	text("title", "start", left, 22, p.title)
	text("", "start", left, 40, p.y)
	text("", "end", right, bottom+40, p.x)
	for y := 0.0; y <= most+step/2; y += step {
		fmt.Fprintf(&b, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", left, py(y), right)
		text("", "end", left-6, py(y)+4, digits(y))
	}
	fmt.Fprintf(&b, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", left, top, bottom, right)
	for i, l := range p.lines {
		points := l.points(rep)
		if len(points) == 0 {
			continue
		}
		var path []string
		for _, q := range points {
			path = append(path, fmt.Sprintf("%.1f %.1f", px(q.x), py(q.y)))
			fmt.Fprintf(&b, "<circle class=\"d%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", i, px(q.x), py(q.y))
			if i == 0 {
				text("", "middle", px(q.x), bottom+18, strconv.FormatFloat(q.x, 'f', 0, 64))
			}
		}
		fmt.Fprintf(&b, "<path class=\"line s%d\" d=\"M%s\"/>\n", i, strings.Join(path, "L"))
		text("d"+strconv.Itoa(i), "end", right, float64(22+18*i), l.label)
	}
	b.WriteString("</svg>\n")
	return b.String(), true
}

// niceStep is 1, 2 or 5 times a power of ten, so that there are about five steps.
func niceStep(most float64) float64 {
	if most <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, k := range []float64{1, 2, 5} {
		if power*k >= most/5 {
			return power * k
		}
	}
	return power * 10
}
