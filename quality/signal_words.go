package quality

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Shapes of words and lines (Rae et al. 2021, table A1; FineWeb, Penedo et al. 2024).

// alphaWords is the share of tokens with a letter; punctuation counts as tokens. Tokens are counted as datatrove's
// tokenizer (spaCy's) has them: a compound as its parts with the hyphens between them, an apostrophe as the beginning of
// another word, underscores one by one, and as part of a word a bracket within it, a dash before it and plus signs after it.
func (w *work) alphaWords() float64 {
	n, all := 0, len(w.text.tokens)
	for i, k := range w.text.tokens {
		if k.flags&isPunct != 0 {
			dn, dall := w.punctTokens(i, k)
			n += dn
			all += dall
		}
		if k.flags&hasLetter == 0 {
			continue
		}
		n++
		if k.flags&isCompound != 0 {
			hyphens, apostrophes := innerMarks(w.text.of(k))
			n += hyphens + apostrophes
			all += 2*hyphens + apostrophes
		}
	}
	return share(n, all)
}

// punctTokens is how many tokens with a letter, and tokens, more a mark makes than one.
func (w *work) punctTokens(i int, k token) (letters, all int) {
	t := w.text.tokens
	follows := i > 0 && t[i-1].flags&isPunct == 0 && t[i-1].end == k.start
	leads := i+1 < len(t) && t[i+1].flags&isPunct == 0 && t[i+1].start == k.end
	switch w.text.s[k.start] {
	case '_':
		return 0, int(k.chars) - 1
	case '(', '[':
		if follows && leads && t[i-1].flags&t[i+1].flags&hasLetter != 0 {
			return -1, -2
		}
	case '-':
		if leads && !follows {
			return 0, -1
		}
	case '+':
		if follows {
			return 0, -1
		}
	}
	return 0, 0
}

func innerMarks(s string) (hyphens, apostrophes int) {
	for i := 1; i < len(s)-1; i++ {
		switch s[i] {
		case '-':
			if class[s[i+1]&127] != clsDigit {
				hyphens++
			}
		case '\'':
			apostrophes++
		case 0xe2:
			if strings.HasPrefix(s[i:], "\u2019") {
				apostrophes++
			}
		}
	}
	return hyphens, apostrophes
}

// symbols returns how many `#` and how many ellipses there are per token.
func (w *work) symbols() (hash, ellipsis float64) {
	s, n := w.text.s, len(w.text.tokens)
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
