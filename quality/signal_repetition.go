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

// sumUp prepares hashes and lengths of n-grams: prefix sums, so that an n-gram costs the same whatever n is.
func (w *work) sumUp() {
	k := w.units
	w.hashes, w.lengths = append(w.hashes[:0], 0), append(w.lengths[:0], 0)
	h, chars := uint64(0), int32(0)
	for i := range k {
		h = h*gramBase + k[i].hash
		chars += k[i].chars
		w.hashes, w.lengths = append(w.hashes, h), append(w.lengths, chars)
	}
}

// gramBase is an odd 64-bit number: n-grams are polynomials in it over the hashes of their words.
const gramBase = 0x9e3779b97f4a7c55

func gramPower(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= gramBase
	}
	return p
}

func (w *work) gram(i, n int, power uint64) uint64 { return w.hashes[i+n] - w.hashes[i]*power }

// topGram returns the share of characters in the most frequent n-gram, counted with the spaces that join it. An
// n-gram that occurs once doesn't repeat: 0. Of w.repeats it leaves the positions of n-grams that occur again.
func (w *work) topGram(n int) float64 {
	tokens := len(w.units)
	if tokens < n || w.text.chars == 0 {
		return 0
	}
	at := w.repeats
	for len(at) > 0 && int(at[len(at)-1])+n > tokens {
		at = at[:len(at)-1]
	}
	w.seen.reset(len(at))
	power := gramPower(n)
	best, bestChars := int32(1), int32(0)
	w.slots = w.slots[:0]
	for _, i := range at {
		slot := w.seen.addSlot(w.gram(int(i), n, power))
		w.slots = append(w.slots, slot)
		c := w.seen.slots[slot].count
		if c < best || c == 1 {
			continue
		}
		if chars := w.lengths[int(i)+n] - w.lengths[i] + int32(n-1); c > best || chars > bestChars {
			best, bestChars = c, chars
		}
	}
	w.repeats = at[:0]
	for k, i := range at {
		if w.seen.slots[w.slots[k]].count > 1 {
			w.repeats = append(w.repeats, i)
		}
	}
	if best < 2 {
		return 0
	}
	return min(1, float64(int(best)*int(bestChars))/float64(w.text.chars))
}

// dupGrams returns the share of characters in n-grams that came before; no character counts twice. It looks at w.repeats, positions of
// shorter n-grams that occur again: no other can begin a longer one that does.
func (w *work) dupGrams(n int) float64 {
	tokens := len(w.units)
	if tokens < n || w.text.chars == 0 {
		return 0
	}
	w.seen.reset(len(w.repeats))
	power := gramPower(n)
	chars, next := int32(0), 0
	for _, at := range w.repeats {
		i := int(at)
		if i < next {
			continue
		}
		if i+n > tokens {
			break
		}
		if w.seen.add(w.gram(i, n, power)) > 1 {
			chars += w.lengths[i+n] - w.lengths[i]
			next = i + n
		}
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
