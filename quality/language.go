package quality

import (
	"math/bits"
	"slices"
	"unicode"
)

// scriptLanguages are scripts that, in practice, one language is written in.
var scriptLanguages = []struct {
	script *unicode.RangeTable
	code   string
}{{unicode.Hangul, "ko"}, {unicode.Greek, "el"}, {unicode.Hebrew, "he"}, {unicode.Thai, "th"}, {unicode.Georgian, "ka"},
	{unicode.Armenian, "hy"}, {unicode.Bengali, "bn"}, {unicode.Tamil, "ta"}, {unicode.Telugu, "te"},
	{unicode.Gujarati, "gu"}, {unicode.Kannada, "kn"}, {unicode.Malayalam, "ml"}, {unicode.Khmer, "km"},
	{unicode.Lao, "lo"}, {unicode.Sinhala, "si"}, {unicode.Cyrillic, "ru"}, {unicode.Arabic, "ar"}, {unicode.Devanagari, "hi"}}

// language returns the ISO 639-1 code, or "" where it is not clear, and the share of words that speak for it. Chinese
// and Japanese need 4 characters, others 5 words with a function word among them. A language of Cyrillic, Arabic or Devanagari
// script is given as that script's largest one.
func (w *work) language(l *lexicon) (code string, sure float64) {
	t := &w.text
	if t.ideographs >= minCharactersIdeograph && 2*t.ideographs >= t.words {
		if 20*t.kana >= t.ideographs {
			return "ja", share(t.ideographs, t.words)
		}
		return "zh", share(t.ideographs, t.words)
	}
	if t.words < minWordsLanguage {
		return "", 0
	}
	if 2*t.latin < t.words-t.ideographs {
		return w.scriptLanguage()
	}
	counts := &w.function
	best, second := -1, int32(0)
	for i, c := range counts[:len(l.codes)] {
		if c > 0 && (best < 0 || c > counts[best]) {
			if best >= 0 {
				second = max(second, counts[best])
			}
			best = i
		} else if c > second {
			second = c
		}
	}
	// One word in twelve is a function word even in terse prose; a clear lead keeps close relatives apart.
	if best < 0 || 12*int(counts[best]) < t.words || counts[best] == second {
		return "", 0
	}
	return l.codes[best], share(int(counts[best]), t.words)
}

func (w *work) scriptLanguage() (string, float64) {
	seen, best, bestN := 0, "", 0
	counts := map[string]int{}
	for _, r := range w.text.s {
		if !unicode.IsLetter(r) {
			continue
		}
		if seen++; seen > 200 {
			break
		}
		for _, s := range scriptLanguages {
			if unicode.Is(s.script, r) {
				counts[s.code]++
				if counts[s.code] > bestN {
					best, bestN = s.code, counts[s.code]
				}
				break
			}
		}
	}
	if 2*bestN < seen {
		return "", 0
	}
	return best, share(bestN, seen)
}

// lookUp reads the text's words in the lexicon: function words and different stop words by language, and the languages
// in which the text may make a claim.
func (w *work) lookUp(l *lexicon) {
	w.function, w.stops = [maxLanguages]int32{}, [maxLanguages]int32{}
	w.early, w.late = [2][2]uint32{}, [2][2]uint32{}
	if len(w.stopSeen) < l.size {
		w.stopSeen = make([]uint32, l.size)
	}
	w.stopStamp++
	if w.stopStamp == 0 {
		clear(w.stopSeen)
		w.stopStamp = 1
	}
	for i, k := range w.text.tokens {
		e := l.find(k.fold)
		if e == nil && k.flags&isCompound == 0 {
			continue
		}
		claims := &w.early
		if i >= refusalTokens {
			claims = &w.late
		}
		if e == nil || e.opens {
			word, pair := l.triggers(&w.text, i)
			if pair != nil {
				pair.addTo(&claims[0], &claims[1])
			}
			if e = word; e == nil {
				continue
			}
		}
		e.addTo(&claims[0], &claims[1])
		for set := e.function; set != 0; set &= set - 1 {
			w.function[bits.TrailingZeros32(set)]++
		}
		if e.stop != 0 && w.stopSeen[e.id] != w.stopStamp {
			w.stopSeen[e.id] = w.stopStamp
			for set := e.stop; set != 0; set &= set - 1 {
				w.stops[bits.TrailingZeros32(set)]++
			}
		}
	}
	w.claims[claimIdentity] = (w.early[0][claimIdentity] | w.late[0][claimIdentity]) & (w.early[1][claimIdentity] | w.late[1][claimIdentity])
	w.claims[claimRefusal] = w.early[0][claimRefusal] & w.early[1][claimRefusal]
}

// stopWords returns how many different stop words of the language are in the text.
func (w *work) stopWords(l *lexicon, code string) int {
	if bit := slices.Index(l.codes, code); bit >= 0 {
		return int(w.stops[bit])
	}
	return 0
}
