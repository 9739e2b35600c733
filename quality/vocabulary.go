package quality

import (
	"math"
	"sort"
)

// vocabulary has the words of the profile with how often each occurs: log-probabilities with add-½ smoothing.
type vocabulary struct {
	Words  []uint64 // sorted
	Counts []uint32 // beside Words
	Total  float64  // occurrences, of words that were left out too

	slots  []vocabSlot
	mask   uint64
	unseen float32 // log-probability of a word that isn't there
}

type vocabSlot struct {
	word  uint64
	count uint32
	log   float32 // log-probability
}

// maxVocabulary bounds the profile: rarer words than its words are counted as unseen.
const maxVocabulary = 400_000

func newVocabulary(counts map[uint64]uint32) *vocabulary {
	v := &vocabulary{}
	for w, c := range counts {
		v.Words = append(v.Words, w)
		v.Total += float64(c)
	}
	sort.Slice(v.Words, func(i, j int) bool {
		a, b := counts[v.Words[i]], counts[v.Words[j]]
		if len(counts) > maxVocabulary && a != b {
			return a > b
		}
		return v.Words[i] < v.Words[j]
	})
	if len(v.Words) > maxVocabulary {
		v.Words = v.Words[:maxVocabulary]
		sort.Slice(v.Words, func(i, j int) bool { return v.Words[i] < v.Words[j] })
	}
	for _, w := range v.Words {
		v.Counts = append(v.Counts, counts[w])
	}
	v.index()
	return v
}

func (v *vocabulary) index() {
	size := 64
	for size < 2*len(v.Words) {
		size *= 2
	}
	v.slots, v.mask = make([]vocabSlot, size), uint64(size-1)
	for i, w := range v.Words {
		at := mix(w) & v.mask
		for v.slots[at].count != 0 {
			at = (at + 1) & v.mask
		}
		v.slots[at] = vocabSlot{w, v.Counts[i], float32(v.logOf(float64(v.Counts[i]), v.Total))}
	}
	v.unseen = float32(v.logOf(0, v.Total))
}

// logOf is the natural logarithm of (count + ½) / (total + ½ · vocabulary).
func (v *vocabulary) logOf(count, total float64) float64 {
	return math.Log((count + 0.5) / (total + 0.5*float64(len(v.Words)+1)))
}

func (v *vocabulary) find(w uint64) *vocabSlot {
	for i := mix(w) & v.mask; ; i = (i + 1) & v.mask {
		if s := &v.slots[i]; s.count == 0 || s.word == w {
			return s
		}
	}
}

// logsOf fills to with the log-probability of each word.
func (v *vocabulary) logsOf(words []uint64, to []float32) []float32 {
	to = to[:0]
	for _, w := range words {
		if s := v.find(w); s.count > 0 {
			to = append(to, s.log)
		} else {
			to = append(to, v.unseen)
		}
	}
	return to
}

// logsWithout is logsOf for a text that the profile itself has: its own words are taken out of the counts first.
func (v *vocabulary) logsWithout(words []uint64, to []float32) []float32 {
	own := map[uint64]uint32{}
	for _, w := range words {
		own[w]++
	}
	to = to[:0]
	for _, w := range words {
		c := float64(v.find(w).count) - float64(own[w])
		to = append(to, float32(v.logOf(max(0, c), max(1, v.Total-float64(len(words))))))
	}
	return to
}
