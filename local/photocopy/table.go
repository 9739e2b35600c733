package photocopy

import (
	"fmt"
	"math"
	"strings"
)

// line says what a generation came to, as it comes.
func (g Generation) line(r Regime) string {
	return fmt.Sprintf("%-29s generation %d  %-34s said: entropy %.2f, vocabulary %d; published: entropy %.2f, vocabulary %d; perplexity %.0f",
		r.Title, g.Number, g.verdict(r), g.Said.Entropy, g.Said.Vocabulary, g.Published.Entropy, g.Published.Vocabulary, g.Perplexity)
}

func (g Generation) verdict(r Regime) string {
	switch {
	case g.Reason != "":
		held := g.Held
		if g.Reason != "gate" {
			held = g.Reason
		}
		return fmt.Sprintf("held by %s at record %d", held, g.Record)
	case r.Gated:
		return fmt.Sprintf("passed, version %d", g.Version)
	}
	return fmt.Sprintf("version %d", g.Version)
}

// Table is the result as text.
func (r *Result) Table() string {
	var b strings.Builder
	o := r.Options
	fmt.Fprintf(&b, "%d answers a generation at T = %g, seed %d; measured at %d words, lower case. %.0f seconds.\n\n", o.Answers, o.Temperature, o.Seed, o.Budget, r.Seconds)
	fmt.Fprintf(&b, "%-31s%-4s%-30s%6s%9s  %15s  %15s  %13s  %11s%12s\n", "", "gen", "", "depth", "rejected", "entropy, bits", "vocabulary", "tail", "bigram JSD", "perplexity")
	fmt.Fprintf(&b, "%-31s%-4s%-30s%6s%9s  %15s  %15s  %13s  %11s%12s\n", "", "", "", "", "", "said    in it", "said    in it", "said  in it", "said in it", "of student")
	fmt.Fprintf(&b, "%-31s%-4s%-30s%6s%9s  %15.2f  %15d  %13.3f  %11.3f%12.0f\n", "human text nobody saw", "0", "", "0", "", r.Human.Entropy, r.Human.Vocabulary, r.Human.Tail, r.Human.JSD, r.First)
	for _, s := range r.Series {
		for i, g := range s.Generations {
			title := s.Title
			if i > 0 {
				title = ""
			}
			fmt.Fprintf(&b, "%-31s%-4d%-30s%6s%9d  %7.2f %7.2f  %7d %7d  %6.3f %6.3f  %5.3f %5.3f%12.0f\n", title, g.Number, g.verdict(s.Regime), g.Depth, g.Rejected,
				g.Said.Entropy, g.Published.Entropy, g.Said.Vocabulary, g.Published.Vocabulary, g.Said.Tail, g.Published.Tail, g.Said.JSD, g.Published.JSD, g.Perplexity)
		}
	}
	b.WriteString("\nsaid: what the student answered, before any check. in it: what the newest version holds after that turn, human rows too; the next\nstudent is trained on that. Where a run was held nothing was published, and the same version trains the next student.\n" +
		"tail: share of the words that stand in human text five times at most. Perplexity: on human text that nobody saw.\n")
	if len(r.Inspected) > 0 {
		b.WriteString("\nretort inspect --anchor, each version of the ungated replacement beside the first one:\n")
		for _, in := range r.Inspected {
			fmt.Fprintf(&b, "  generation %d  %s", in.Version, in.Verdict)
			if in.Record > 0 {
				fmt.Fprintf(&b, " at record %d, by %s", in.Record, in.Account)
			}
			b.WriteByte('\n')
		}
	}
	b.WriteString("\nWhat it shows:\n")
	for _, c := range r.Claims() {
		fmt.Fprintf(&b, "  %-5s%s\n", map[bool]string{true: "yes", false: "NO"}[c.Holds], c.Text)
	}
	return b.String()
}

// Claim is something that the demonstration is to show.
type Claim struct {
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
}

// Bounds of the claims: a vocabulary that falls by more than 7% a generation at a fixed budget told degrading runs from bounded ones.
const (
	mostLoss    = 0.07
	mostEntropy = 0.5
)

// Claims are judged by what was measured.
func (r *Result) Claims() (all []Claim) {
	claim := func(holds bool, text string, args ...any) {
		all = append(all, Claim{fmt.Sprintf(text, args...), holds})
	}
	for _, s := range r.Series {
		if len(s.Generations) == 0 {
			continue
		}
		first, last := s.Generations[0], s.Generations[len(s.Generations)-1]
		switch {
		case s.Fixed:
			held := 0
			for _, g := range s.Generations {
				if g.Reason != "" {
					held++
				}
			}
			claim(held == 0, "%s: every generation passes (%d of %d held)", s.Title, held, len(s.Generations))
		case s.Gated:
			loss := 0.0
			for i := 1; i < len(s.Generations); i++ {
				loss = max(loss, lost(s.Generations[i-1].Published.Vocabulary, s.Generations[i].Published.Vocabulary))
			}
			claim(first.Version > 0, "%s: generation 1 is published", s.Title)
			claim(loss <= mostLoss, "%s: what is published loses at most %.0f%% of its vocabulary a generation (%.1f%%)", s.Title, 100*mostLoss, 100*loss)
			claim(math.Abs(last.Published.Entropy-first.Published.Entropy) <= mostEntropy, "%s: it ends within %.1f bits of generation 1 (%+.2f)", s.Title, mostEntropy, last.Published.Entropy-first.Published.Entropy)
		case !s.Human:
			loss := lost(first.Published.Vocabulary, last.Published.Vocabulary)
			claim(loss > 0.5, "%s: more than half of generation 1's vocabulary is lost (%.0f%%)", s.Title, 100*loss)
		}
	}
	if len(r.Inspected) > 0 {
		first := r.Inspected[0]
		claim(first.Verdict == "hold", "retort inspect holds generation %d of the ungated replacement (record %d, %s)", first.Version, first.Record, first.Account)
	}
	return all
}

func lost(before, after int) float64 { return 1 - float64(after)/float64(max(1, before)) }
