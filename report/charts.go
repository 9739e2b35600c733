package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Charts are SVG without a viewBox: places are in percent, so lines stretch with the page and letters don't. Paths, which know no
// percent, stand in an inner SVG that is stretched; their strokes are not (vector-effect). Colours are classes of the stylesheet.

// svg collects a chart.
type svg struct{ b strings.Builder }

// open begins a chart of a height in pixels; title and description are for who can't see it.
func (s *svg) open(height int, title, text string) {
	fmt.Fprintf(&s.b, `<svg class="chart" role="img" width="100%%" height="%d" aria-label="%s"><title>%s</title>`, height, attr(title+". "+text), esc(title))
}

func (s *svg) close() template.HTML {
	s.b.WriteString("</svg>")
	return template.HTML(s.b.String()) //nolint:gosec // made here, of escaped text and numbers
}

func esc(text string) string  { return template.HTMLEscapeString(visible(text)) }
func attr(text string) string { return esc(text) }

// at writes a place in percent.
func at(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) + "%" }

func short(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }

func (s *svg) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&s.b, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, at(x1), at(y1), at(x2), at(y2))
}

// text stands at a place, moved by pixels; anchor is start, middle or end.
func (s *svg) text(class, anchor string, x, y float64, dx, dy int, text string) {
	fmt.Fprintf(&s.b, `<text class="%s" text-anchor="%s" x="%s" y="%s" dx="%d" dy="%d">%s</text>`, class, anchor, at(x), at(y), dx, dy, esc(text))
}

// plot is the stretched part: paths in a field of 100 by 100.
func (s *svg) plot(paths func(add func(class, d string))) {
	s.b.WriteString(`<svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%" aria-hidden="true">`)
	paths(func(class, d string) {
		fmt.Fprintf(&s.b, `<path class="%s" d="%s" vector-effect="non-scaling-stroke"/>`, class, d)
	})
	s.b.WriteString("</svg>")
}

// path draws through points of the field.
func path(xs, ys []float64) string {
	var b strings.Builder
	for i := range xs {
		b.WriteByte("ML"[min(i, 1)])
		b.WriteString(short(xs[i]) + " " + short(ys[i]))
	}
	return b.String()
}

// steps draws a histogram's outline.
func steps(shares []float64, top float64) string {
	var b strings.Builder
	b.WriteString("M0 100")
	for i, s := range shares {
		x, next, y := float64(i)*100/float64(len(shares)), float64(i+1)*100/float64(len(shares)), 100-97*s/top
		fmt.Fprintf(&b, "L%s %sL%s %s", short(x), short(y), short(next), short(y))
	}
	b.WriteString("L100 100")
	return b.String()
}

// bar is a share as a bar; class says in which colour.
func bar(class string, share float64) template.HTML {
	var s svg
	fmt.Fprintf(&s.b, `<svg class="bar" width="100%%" height="14" aria-hidden="true"><rect class="track" width="100%%" height="14" rx="2"/><rect class="%s" width="%s" height="14" rx="2"/>`, class, at(100*min(1, max(0, share))))
	return s.close()
}

// histogram shows a signal's distributions: answers filled, the anchor as a line.
func histogram(sig SignalSummary, anchor string) template.HTML {
	var s svg
	text := fmt.Sprintf("Admitted: median %s, 5%% below %s, 5%% above %s.", value(sig.Admitted.Median), value(sig.Admitted.P5), value(sig.Admitted.P95))
	if sig.Anchor.N > 0 {
		text += fmt.Sprintf(" %s: median %s.", anchor, value(sig.Anchor.Median))
	}
	s.open(96, signalTitle(sig.Name), text)
	top := 0.0
	for _, d := range []Distribution{sig.Admitted, sig.Rejected, sig.Anchor} {
		for _, x := range d.Shares {
			top = max(top, x)
		}
	}
	s.plot(func(add func(class, d string)) {
		if top == 0 {
			return
		}
		if len(sig.Admitted.Shares) > 0 {
			add("fill-a", steps(sig.Admitted.Shares, top)+"Z")
		}
		if len(sig.Rejected.Shares) > 0 {
			add("stroke-r", steps(sig.Rejected.Shares, top))
		}
		if len(sig.Anchor.Shares) > 0 {
			add("stroke-b", steps(sig.Anchor.Shares, top))
		}
	})
	s.line("axis", 0, 100, 100, 100)
	return s.close()
}

// series is a line of a chart.
type series struct {
	class string
	ys    []float64
}

// chart is a field with lines over a common axis.
type chart struct {
	height      int
	title, text string
	xs          []float64 // 0 to 100
	lines       []series
	low, high   float64
	marks       []mark // horizontal lines
	ends        bool   // values at both ends of the lines
}

type mark struct {
	y     float64
	class string
	label string
}

func (c *chart) place(y float64) float64 {
	if c.high <= c.low {
		return 50
	}
	return 94 - 80*(min(c.high, max(c.low, y))-c.low)/(c.high-c.low)
}

func (c *chart) draw() template.HTML {
	var s svg
	s.open(c.height, c.title, c.text)
	for _, m := range c.marks {
		s.line(m.class, 0, c.place(m.y), 100, c.place(m.y))
	}
	s.plot(func(add func(class, d string)) {
		for _, l := range c.lines {
			ys := make([]float64, len(l.ys))
			for i, y := range l.ys {
				ys[i] = c.place(y)
			}
			add(l.class, path(c.xs[:len(ys)], ys))
		}
	})
	for _, m := range c.marks {
		s.text("mark", "end", 100, c.place(m.y), 0, -4, m.label)
	}
	for _, l := range c.lines {
		if n := len(l.ys); c.ends && n > 0 {
			s.text("value", "start", 0, c.place(l.ys[0]), 0, -7, value(l.ys[0]))
			if n > 1 && l.ys[n-1] != l.ys[0] {
				below := -7 // above a line that rises to its end, below one that falls
				if l.ys[n-1] < l.ys[n-2] {
					below = 17
				}
				s.text("value", "end", 100, c.place(l.ys[n-1]), 0, below, value(l.ys[n-1]))
			}
		}
	}
	return s.close()
}

// wealthChart is a gate's wealth on a logarithmic scale, with the height at which it holds.
func wealthChart(g GateTrace) template.HTML {
	if len(g.Points) == 0 {
		return ""
	}
	last := g.Points[len(g.Points)-1]
	c := chart{height: 220, title: "Wealth of the gate against " + g.Against,
		text: fmt.Sprintf("It begins at 1, holds the run at %s, and ended at %s behind %s answers.", value(g.Threshold), value(last.Wealth), number(last.Record))}
	log := func(x float64) float64 { return math.Log10(max(1e-3, x)) }
	line := series{class: "stroke-a thick"}
	high := log(g.Threshold) + 0.3
	low := -0.6
	for _, p := range g.Points {
		c.xs = append(c.xs, 100*float64(p.Record)/float64(last.Record))
		line.ys = append(line.ys, log(p.Wealth))
		high, low = max(high, log(p.Wealth)+0.1), min(low, max(-2, log(p.Wealth)))
	}
	c.lines, c.low, c.high = []series{line}, low, high
	c.marks = []mark{{log(g.Threshold), "limit", "held at " + value(g.Threshold)}, {0, "grid", "1, where it begins"}}
	if log(g.Threshold) > 1.2 {
		c.marks = append(c.marks, mark{1, "grid", "10"})
	}
	return c.draw()
}

// Classes of lines that stand for teachers or accounts, in order.
var lineClasses = []string{"stroke-a", "stroke-b", "stroke-c", "stroke-d", "stroke-e", "stroke-f"}

func lineClass(i int) string { return lineClasses[i%len(lineClasses)] }

// keyMark is a line's colour beside its name.
func keyMark(i int) template.HTML {
	return template.HTML(`<svg class="key" width="18" height="10" aria-hidden="true"><line class="` + lineClass(i) + ` thick" x1="0" y1="5" x2="18" y2="5"/></svg>`) //nolint:gosec // made here
}

// paceChart is answers a second over time, a line a teacher.
func paceChart(t *Timeline) template.HTML {
	c := chart{height: 180, title: "Answers a second over time"}
	var said []string
	for i, s := range t.Teachers {
		line := series{class: lineClass(i) + " thick"}
		var all int64
		for _, n := range s.Answers {
			rate := float64(n) * 1000 / float64(t.Step)
			line.ys = append(line.ys, rate)
			c.high = max(c.high, rate)
			all += n
		}
		c.lines = append(c.lines, line)
		said = append(said, fmt.Sprintf("%s: %s answers", s.Name, number(all)))
	}
	n := t.steps()
	for i := range n {
		c.xs = append(c.xs, 100*float64(i)/float64(max(1, n-1)))
	}
	c.text = strings.Join(said, "; ") + "."
	c.marks = []mark{{0, "grid", ""}, {c.high, "grid", value(c.high) + " a second"}}
	if n == 1 { // a line needs two points
		c.xs = []float64{0, 100}
		for i := range c.lines {
			c.lines[i].ys = append(c.lines[i].ys, c.lines[i].ys[0])
		}
	}
	return c.draw()
}

func (t *Timeline) steps() int {
	if len(t.Teachers) == 0 {
		return 0
	}
	return len(t.Teachers[0].Answers)
}

// trendChart is a measure of diversity from version to version; the anchor is a line across.
func trendChart(title string, values []float64, anchor float64, hasAnchor bool) template.HTML {
	c := chart{height: 110, ends: true, title: title, low: math.Inf(1), high: math.Inf(-1)}
	for i, v := range values {
		c.low, c.high = min(c.low, v), max(c.high, v)
		c.xs = append(c.xs, 100*float64(i)/float64(max(1, len(values)-1)))
	}
	c.text = fmt.Sprintf("First %s, now %s.", value(values[0]), value(values[len(values)-1]))
	if hasAnchor {
		c.low, c.high = min(c.low, anchor), max(c.high, anchor)
		c.text += " Anchor " + value(anchor) + "."
		c.marks = append(c.marks, mark{anchor, "limit-b", ""})
	}
	room := max((c.high-c.low)*0.25, math.Abs(c.high)*0.02, 1e-9)
	c.low, c.high = c.low-room, c.high+room
	c.lines = []series{{"stroke-a thick", values}}
	if len(values) == 1 {
		c.xs, c.lines[0].ys = []float64{0, 100}, []float64{values[0], values[0]}
	}
	return c.draw()
}

// value writes a number with three digits that say something.
func value(x float64) string {
	switch a := math.Abs(x); {
	case x == 0:
		return "0"
	case a >= 1000:
		return number(int64(math.Round(x)))
	case a >= 100:
		return fmt.Sprintf("%.0f", x)
	case a < 0.001:
		return fmt.Sprintf("%.1e", x)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}
