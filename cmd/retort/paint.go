package main

import (
	"math"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/retort-data/retort/schema"
)

// paint is what a terminal can show.
type paint struct {
	colour bool // else no control sequence at all
	ascii  bool // the locale isn't UTF-8
}

// paintOf reads the environment as other programs do: NO_COLOR, TERM and the locale.
func paintOf(getenv func(string) string) paint {
	locale := ""
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale = getenv(name); locale != "" {
			break
		}
	}
	folded := strings.ToLower(strings.ReplaceAll(locale, "-", ""))
	return paint{colour: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb", ascii: !strings.Contains(folded, "utf8")}
}

func terminalPaint() paint { return paintOf(os.Getenv) }

func (p paint) style(with ansi.Style, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return with.Styled(s)
}

func (p paint) bold(s string) string { return p.style(ansi.Style{}.Bold(), s) }
func (p paint) dim(s string) string  { return p.style(ansi.Style{}.Faint(), s) }
func (p paint) good(s string) string { return p.style(ansi.Style{}.ForegroundColor(ansi.Green), s) }
func (p paint) warn(s string) string { return p.style(ansi.Style{}.ForegroundColor(ansi.Yellow), s) }
func (p paint) bad(s string) string {
	return p.style(ansi.Style{}.Bold().ForegroundColor(ansi.Red), s)
}

// state paints text as a state of a run deserves it.
func (p paint) state(state, text string) string {
	switch state {
	case schema.StatePublished, schema.StateNothingNew:
		return p.good(text)
	case schema.StateHeld, schema.StateFailed:
		return p.bad(text)
	case schema.StateAsking, schema.StatePlanning, schema.StateWriting, schema.StatePublishing:
		return p.style(ansi.Style{}.ForegroundColor(ansi.Cyan), text)
	}
	return p.warn(text)
}

var asciiOf = strings.NewReplacer("─", "-", "━", "#", "╌", ".", "✓", "x", "●", "*", "○", "o", "·", "|", "…", "...", "↑↓", "up, down:", "↑", "up:", "↓", "down:")

// chars spells text in what the locale has.
func (p paint) chars(s string) string {
	if !p.ascii {
		return s
	}
	return asciiOf.Replace(s)
}

func (p paint) mark(s string) string { return p.chars(s) }

// bar shows a share.
func (p paint) bar(done, total int64, width int, fill func(string) string) string {
	n := 0
	if total > 0 {
		n = int(max(0, min(done, total)) * int64(width) / total)
	}
	return fill(strings.Repeat(p.chars("━"), n)) + p.dim(strings.Repeat(p.chars("╌"), width-n))
}

// spark draws a gate's wealth: by its logarithm, as that is how it grows, from a hundredth to the threshold at which the gate holds.
func (p paint) spark(wealth []float64, threshold float64, width int) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	if p.ascii {
		levels = []rune("_.-=+*#@")
	}
	wealth = wealth[max(0, len(wealth)-width):]
	low, high := math.Log(.01), math.Log(max(threshold, 1.01))
	var b strings.Builder
	for _, w := range wealth {
		share := (math.Log(max(w, .01)) - low) / (high - low)
		b.WriteRune(levels[min(len(levels)-1, max(0, int(share*float64(len(levels)))))])
	}
	return b.String()
}
