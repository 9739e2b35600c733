package quality

// Repetition of lines and n-grams (Rae et al. 2021, table A1; the way of counting is datatrove's, so that limits
// tuned with it carry over). All are shares of the text's characters or lines, 0 to 1.

const ngramPrime = 0x100000001b3

// lineRepetition returns the share of lines that came before, and of characters in them. Blank lines are no lines.
func (w *work) lineRepetition() (fraction, chars, bare float64) {
	t := &w.text
	w.seen.reset(len(t.lines))
	n, dup, dupChars := 0, 0, 0
	for _, l := range t.lines {
		if l.start == l.end {
			continue
		}
		n++
		if w.seen.add(l.hash) > 1 {
			dup++
			dupChars += int(l.chars)
		}
	}
	if n == 0 || t.chars == 0 {
		return 0, 0, 0
	}
	return float64(dup) / float64(n), float64(dupChars) / float64(t.chars), float64(dupChars) / float64(max(1, t.chars-t.newlines))
}

// topGram returns the share of characters in the most frequent n-gram, counted with the spaces that join it. An
// n-gram that occurs once doesn't repeat: 0.
func (w *work) topGram(n int) float64 {
	k := w.text.tokens
	if len(k) < n || w.text.chars == 0 {
		return 0
	}
	w.seen.reset(len(k))
	best, bestChars := int32(1), 0
	for i := 0; i+n <= len(k); i++ {
		h, chars := uint64(n), n-1
		for _, t := range k[i : i+n] {
			h = (h ^ t.raw) * ngramPrime
			chars += int(t.chars)
		}
		if c := w.seen.add(h); c > best || c == best && c > 1 && chars > bestChars {
			best, bestChars = c, chars
		}
	}
	if best < 2 {
		return 0
	}
	return min(1, float64(int(best)*bestChars)/float64(w.text.chars))
}

// dupGrams returns the share of characters in n-grams that came before; no character counts twice.
func (w *work) dupGrams(n int) float64 {
	k := w.text.tokens
	if len(k) < n || w.text.chars == 0 {
		return 0
	}
	w.seen.reset(len(k))
	chars := 0
	for i := 0; i+n <= len(k); {
		h := uint64(n)
		for _, t := range k[i : i+n] {
			h = (h ^ t.raw) * ngramPrime
		}
		if w.seen.add(h) == 1 {
			i++
			continue
		}
		for _, t := range k[i : i+n] {
			chars += int(t.chars)
		}
		i += n
	}
	return float64(chars) / float64(w.text.chars)
}

// repeated4 returns the share of 4-grams of folded words that came before, without punctuation: the gate's rep4.
func (w *work) repeated4() float64 {
	f := w.folded
	if len(f) < 4 {
		return 0
	}
	w.seen.reset(len(f))
	dup := 0
	for i := 0; i+4 <= len(f); i++ {
		h := uint64(4)
		for _, x := range f[i : i+4] {
			h = (h ^ x) * ngramPrime
		}
		if w.seen.add(h) > 1 {
			dup++
		}
	}
	return float64(dup) / float64(len(f)-3)
}
