package quality

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Shapes of words and lines (Rae et al. 2021, table A1; FineWeb, Penedo et al. 2024).

// symbols returns how many `#` and how many ellipses there are per token.
func (w *work) symbols() (hash, ellipsis float64) {
	s, n := w.text.s, len(w.units)
	return share(strings.Count(s, "#"), n), share(strings.Count(s, "...")+strings.Count(s, "…"), n)
}

// lineShapes are shares of a text's lines that are not blank.
type lineShapes struct{ bullets, ellipses, punctuated, short float64 }

const shortLine = 30 // characters (FineWeb)

func (w *work) lineShapes() lineShapes {
	n, bullets, ellipses, punct, short := 0, 0, 0, 0, 0
	for _, l := range w.text.lines {
		s := strings.TrimRightFunc(w.text.s[l.start:l.end], unicode.IsSpace)
		if s == "" {
			continue
		}
		n++
		head := strings.TrimLeft(s, " \t")
		if strings.HasPrefix(head, "-") || strings.HasPrefix(head, "•") || strings.HasPrefix(head, "* ") {
			bullets++
		}
		if strings.HasSuffix(s, "...") || strings.HasSuffix(s, "…") {
			ellipses++
		}
		if r, _ := utf8.DecodeLastRuneInString(s); endsSentence(r) {
			punct++
		}
		if l.chars <= shortLine {
			short++
		}
	}
	return lineShapes{share(bullets, n), share(ellipses, n), share(punct, n), share(short, n)}
}

func endsSentence(r rune) bool {
	switch r {
	case '.', '!', '?', '"', '\'', '”', '’', '…', '。', '！', '？', '」', '』', '»', '؟', '।', '․':
		return true
	}
	return false
}

// entropy returns the Shannon entropy, in bits, of the record's folded words and the share of different ones, over at most
// the first n words, so that long and short texts are compared at an equal budget.
func (w *work) entropy(n int) (bits, distinct float64) {
	f := w.folded[:min(len(w.folded), n)]
	if len(f) == 0 {
		return 0, 0
	}
	// The sum of c·log c grows by c·log c − (c−1)·log(c−1) when a count rises to c: one pass, no table to walk.
	w.seen.reset(len(f))
	sum := 0.0
	for _, x := range f {
		sum += entropyStep(w.seen.add(x))
	}
	total := float64(len(f))
	return max(0, math.Log2(total)-sum/total), share(w.seen.used, len(f))
}

var entropySteps = func() (t [512]float64) {
	for c := 2; c < len(t); c++ {
		x := float64(c)
		t[c] = x*math.Log2(x) - (x-1)*math.Log2(x-1)
	}
	return t
}()

func entropyStep(c int32) float64 {
	if int(c) < len(entropySteps) {
		return entropySteps[c]
	}
	x := float64(c)
	return x*math.Log2(x) - (x-1)*math.Log2(x-1)
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
