package quality

import "sync"

// maxFeatureWords bounds how much of a text the gate reads: the budget of tokens that records are compared at.
const maxFeatureWords = 512

// minPairWords is the least length at which two records are compared.
const minPairWords = 8

// Features are what the gate reads of a text. They are made without the gate, so that many can be made at once.
type Features struct {
	words []uint64 // folded hashes, at most maxFeatureWords
	size  int      // words of the whole text
}

var featurePool = sync.Pool{New: func() any { return &text{bare: true} }}

// FeaturesOf reads a text for the gate.
func FeaturesOf(s string) Features {
	t := featurePool.Get().(*text)
	defer featurePool.Put(t)
	t.reset(toValid(s))
	n := min(t.words, maxFeatureWords)
	words := make([]uint64, 0, n)
	for i := range n {
		words = append(words, t.tokens[i].fold)
	}
	t.s = ""
	return Features{words: words, size: t.words}
}

// pairGram hashes two words in a row.
func pairGram(a, b uint64) uint64 { return (a^0x2545f4914f6cdd1d)*ngramPrime ^ b }

// sixGrams calls do with the hash of each six words in a row: a polynomial that rolls on.
func sixGrams(words []uint64, do func(h uint64)) {
	if len(words) < 6 {
		return
	}
	h := uint64(0)
	for _, w := range words[:6] {
		h = h*gramBase + w
	}
	do(h)
	for i := 6; i < len(words); i++ {
		h = (h-words[i-6]*gramBase5)*gramBase + words[i]
		do(h)
	}
}

var gramBase5 = gramPower(5)
