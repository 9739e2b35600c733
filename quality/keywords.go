package quality

import (
	"math/bits"
	"slices"
)

// keywordIndex finds which of many keywords (lower case, ASCII, two bytes or more) stand in a text, whatever the case of its letters, in
// one pass: a word is tried only where its first three bytes are, or may be. A word of two bytes counts where a key may follow.
type keywordIndex struct {
	starts [1 << 16 / 64]uint64     // whether a keyword begins with bytes of this hash
	words  map[uint16][]keywordRule // by that hash
	pairs  []keywordRule            // words of two bytes
	second [256]bool                // whether a word of two bytes ends with this
	rules  int
}

type keywordRule struct {
	word string
	rule int
}

func (x *keywordIndex) add(word string, rule int) {
	x.rules = max(x.rules, rule+1)
	if len(word) == 2 {
		x.pairs = append(x.pairs, keywordRule{word, rule})
		x.second[word[1]] = true
		return
	}
	if x.words == nil {
		x.words = map[uint16][]keywordRule{}
	}
	h := startHash(word[0], word[1], word[2])
	x.starts[h/64] |= 1 << (h % 64)
	x.words[h] = append(x.words[h], keywordRule{word, rule})
}

func startHash(a, b, c byte) uint16 {
	return uint16((uint32(a)<<16 | uint32(b)<<8 | uint32(c)) * 0x9e3779b1 >> 16)
}

// in returns the rules of which a keyword stands in the text, in order.
func (x *keywordIndex) in(text string) (rules []int) {
	var seen []uint64
	note := func(rule int) {
		if seen == nil {
			seen = make([]uint64, (x.rules+63)/64)
		}
		seen[rule/64] |= 1 << (rule % 64)
	}
	var a, b, c byte
	for i := range len(text) {
		a, b, c = b, c, lowerASCII[text[i]]
		if x.second[c] {
			for _, p := range x.pairs {
				if p.word[0] == b && p.word[1] == c && keyFollows(text[i+1:]) {
					note(p.rule)
				}
			}
		}
		h := startHash(a, b, c)
		if x.starts[h/64]&(1<<(h%64)) == 0 || i < 2 {
			continue
		}
		for _, k := range x.words[h] {
			if hasFoldedPrefix(text[i-2:], k.word) {
				note(k.rule)
			}
		}
	}
	for w, set := range seen {
		for ; set != 0; set &= set - 1 {
			rules = append(rules, 64*w+bits.TrailingZeros64(set))
		}
	}
	return slices.Clip(rules)
}

// keyFollows says whether a text begins with leastRun characters of keys, as it does behind each keyword of two bytes: those stand in every
// text ("they", "words."), and the expressions behind them would be tried at each of its bytes.
func keyFollows(text string) bool {
	if len(text) < leastRun {
		return false
	}
	for i := range leastRun {
		if c := text[i]; runClass[c] == 0 && c < 0x80 { // Unicode folds some letters to ASCII
			return false
		}
	}
	return true
}

func hasFoldedPrefix(text, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		if lowerASCII[text[i]] != word[i] {
			return false
		}
	}
	return true
}

var lowerASCII = func() (lower [256]byte) {
	for c := range lower {
		lower[c] = byte(c)
		if 'A' <= c && c <= 'Z' {
			lower[c] += 'a' - 'A'
		}
	}
	return lower
}()
