package photocopy

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// panel is one measure over the generations.
type panel struct {
	title, note string
	human       float64 // the level of human text that nobody saw
	of          func(g *Generation) float64
	said        func(g *Generation) float64 // nil: it has none
	low         float64                     // bottom of the scale; NaN: the data's
}

func (r *Result) panels() []panel {
	return []panel{
		{"Vocabulary", "different words", float64(r.Human.Vocabulary), func(g *Generation) float64 { return float64(g.Published.Vocabulary) }, func(g *Generation) float64 { return float64(g.Said.Vocabulary) }, 0},
		{"Entropy", "bits a word", r.Human.Entropy, func(g *Generation) float64 { return g.Published.Entropy }, func(g *Generation) float64 { return g.Said.Entropy }, math.NaN()},
		{"Tail coverage", "share of rare human words", r.Human.Tail, func(g *Generation) float64 { return g.Published.Tail }, func(g *Generation) float64 { return g.Said.Tail }, 0},
		{"Distance of word pairs to human text", "Jensen-Shannon divergence, bits", r.Human.JSD, func(g *Generation) float64 { return g.Published.JSD }, func(g *Generation) float64 { return g.Said.JSD }, math.NaN()},
		{"The next student's perplexity", "on human text that nobody saw; lower is better", r.First, func(g *Generation) float64 { return g.Perplexity }, nil, 0},
	}
}

const plotStyle = `
:root { color-scheme: light dark; --back: #fff; --ink: #1b1f24; --faint: #8a929c; --grid: #e4e7eb; --c0: #c2410c; --c1: #9a6a00; --c2: #0b6e5d; --c3: #3b5bdb; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --ink: #e6e9ec; --faint: #8b949e; --grid: #2b3036; --c0: #ff8a5c; --c1: #e0b341; --c2: #4fd1b5; --c3: #8ea6ff; } }
body { background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1120px; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; margin: 0; } p { max-width: 48rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 1.2rem; }
figure { margin: 0; } figcaption small { color: var(--faint); }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 11px; } .faint { fill: var(--faint) !important; }
.grid { stroke: var(--grid); } .human { stroke: var(--faint); stroke-dasharray: 2 3; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); } .s3 { stroke: var(--c3); } .line { fill: none; stroke-width: 2.2; } .said { stroke-width: 1.2; stroke-dasharray: 5 4; }
.d0 { fill: var(--c0); } .d1 { fill: var(--c1); } .d2 { fill: var(--c2); } .d3 { fill: var(--c3); } .held { fill: var(--back); stroke-width: 2; }
ul { list-style: none; padding: 0; } pre { overflow-x: auto; font-size: 12px; line-height: 1.4; } svg.key { width: 34px; height: 10px; vertical-align: middle; }
`

// Page is the result as one HTML file without a request to anywhere.
func (r *Result) Page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>A photocopy of a photocopy</title>\n<style>%s</style>\n", plotStyle)
	b.WriteString("<h1>A photocopy of a photocopy</h1>\n<p>A student is trained on each version of a dataset and answers for the next one. Solid: what the newest version holds, human rows too. " +
		"Dashed: what the student said, before any check. A hollow mark: the gate held the run; nothing was published, and the next student was trained on the version before. Dotted grey: human text that no student saw.</p>\n<ul>\n")
	for i, s := range r.Series {
		fmt.Fprintf(&b, "<li><svg class=\"key\" viewBox=\"0 0 34 10\" aria-hidden=\"true\"><path class=\"line s%d\" d=\"M0 5H34\"/></svg> %s</li>\n", i%4, html.EscapeString(s.Title+": "+r.course(&r.Series[i])))
	}
	b.WriteString("</ul>\n<div class=\"panels\">\n")
	for _, p := range r.panels() {
		fmt.Fprintf(&b, "<figure><figcaption><h2>%s</h2><small>%s</small></figcaption>\n%s</figure>\n", html.EscapeString(p.title), html.EscapeString(p.note), r.draw(p))
	}
	fmt.Fprintf(&b, "</div>\n<h2>In figures</h2>\n<pre>%s</pre>\n</html>\n", html.EscapeString(r.Table()))
	return b.String()
}

// course sums a regime up in words.
func (r *Result) course(s *Series) string {
	if len(s.Generations) == 0 {
		return "not run"
	}
	first, last := s.Generations[0], s.Generations[len(s.Generations)-1]
	text := fmt.Sprintf("vocabulary %d to %d, entropy %.2f to %.2f bits", first.Published.Vocabulary, last.Published.Vocabulary, first.Published.Entropy, last.Published.Entropy)
	held := map[string]int{}
	var order []string
	for _, g := range s.Generations {
		if g.Reason != "" {
			if held[g.verdictBy()]++; held[g.verdictBy()] == 1 {
				order = append(order, g.verdictBy())
			}
		}
	}
	for _, by := range order {
		text += fmt.Sprintf("; held %s by %s", times(held[by]), by)
	}
	return text
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func (g Generation) verdictBy() string {
	if g.Reason == "gate" {
		return g.Held
	}
	return g.Reason
}

// Plot's frame, in SVG units.
const (
	plotW, plotH            = 360.0, 220.0
	left, right, top, under = 44.0, 12.0, 10.0, 26.0
)

type frame struct {
	last      int // generation
	low, high float64
}

func (f frame) x(generation int) float64 {
	return left + (plotW-left-right)*float64(generation)/float64(max(1, f.last))
}

func (f frame) y(v float64) float64 { return top + (plotH-top-under)*(f.high-v)/(f.high-f.low) }

// step is that of about four ticks, a round number.
func (f frame) step() float64 {
	rough := (f.high - f.low) / 4
	size := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5} {
		if rough <= m*size {
			return m * size
		}
	}
	return 10 * size
}

func (r *Result) frame(p panel) frame {
	f := frame{low: p.human, high: p.human}
	for i := range r.Series {
		for j := range r.Series[i].Generations {
			g := &r.Series[i].Generations[j]
			f.last = max(f.last, g.Number)
			for _, of := range []func(*Generation) float64{p.of, p.said} {
				if of == nil || g.Version == 0 {
					continue
				}
				f.low, f.high = min(f.low, of(g)), max(f.high, of(g))
			}
		}
	}
	if !math.IsNaN(p.low) {
		f.low = p.low
	}
	room := max(f.high-f.low, 1e-9) * 0.06
	f.high += room
	if math.IsNaN(p.low) {
		f.low -= room
	}
	return f
}

func (r *Result) draw(p panel) string {
	var b strings.Builder
	f := r.frame(p)
	fmt.Fprintf(&b, "<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s by generation\">\n", plotW, plotH, html.EscapeString(p.title))
	for v := math.Ceil(f.low/f.step()) * f.step(); v <= f.high; v += f.step() {
		fmt.Fprintf(&b, "<path class=\"grid\" d=\"M%g %.1fH%g\"/><text class=\"faint\" x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", left, f.y(v), plotW-right, left-5, f.y(v)+4, tick(v))
	}
	for n := 0; n <= f.last; n++ {
		fmt.Fprintf(&b, "<text class=\"faint\" x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%d</text>\n", f.x(n), plotH-8, n)
	}
	fmt.Fprintf(&b, "<path class=\"human\" d=\"M%g %.1fH%g\"/>\n", left, f.y(p.human), plotW-right)
	for i := range r.Series {
		r.drawSeries(&b, f, p, i)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (r *Result) drawSeries(b *strings.Builder, f frame, p panel, i int) {
	s := &r.Series[i]
	path := func(of func(*Generation) float64) string {
		d := fmt.Sprintf("M%.1f %.1f", f.x(0), f.y(p.human))
		for j := range s.Generations {
			if g := &s.Generations[j]; of != nil && g.Version > 0 {
				d += fmt.Sprintf("L%.1f %.1f", f.x(g.Number), f.y(of(g)))
			}
		}
		return d
	}
	if p.said != nil {
		fmt.Fprintf(b, "<path class=\"line said s%d\" d=\"%s\"/>\n", i%4, path(p.said))
	}
	fmt.Fprintf(b, "<path class=\"line s%d\" d=\"%s\"/>\n", i%4, path(p.of))
	for j := range s.Generations {
		g := &s.Generations[j]
		if g.Version == 0 {
			continue
		}
		class := fmt.Sprintf("d%d", i%4)
		if g.Reason != "" {
			class = fmt.Sprintf("held s%d", i%4)
		}
		fmt.Fprintf(b, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.6\"><title>%s</title></circle>\n", class, f.x(g.Number), f.y(p.of(g)),
			html.EscapeString(fmt.Sprintf("%s, generation %d: %s, %s", s.Title, g.Number, tick(p.of(g)), g.verdict(s.Regime))))
	}
}

func tick(v float64) string {
	switch {
	case math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 2:
		return fmt.Sprintf("%.1f", v)
	case v == 0:
		return "0"
	}
	return fmt.Sprintf("%.2f", v)
}
