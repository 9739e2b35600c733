package photocopy

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

// Measures of a text at a budget of words, so that they compare.
type Measures struct {
	Words      int     `json:"words"`      // that were there, the budget at most
	Entropy    float64 `json:"entropy"`    // bits a word, of the words' frequencies
	Vocabulary int     `json:"vocabulary"` // different words
	Tail       float64 `json:"tail"`       // share of the reference's rare words that are still seen
	JSD        float64 `json:"jsd"`        // Jensen-Shannon divergence of word pairs to the reference's, bits: 0 equal, 1 nothing shared
}

// rareUpTo is how often a word of the tail stands in the reference.
const rareUpTo = 5

// ruler measures texts against human text.
type ruler struct {
	budget int
	rare   map[string]bool
	pairs  map[string]float64 // of the reference, at the budget
}

func newRuler(reference []string, budget int) *ruler {
	r := &ruler{budget: budget, rare: map[string]bool{}}
	counts := map[string]int{}
	for _, t := range reference {
		for _, w := range words(t) {
			counts[w]++
		}
	}
	for w, n := range counts {
		if n <= rareUpTo {
			r.rare[w] = true
		}
	}
	r.pairs = pairsOf(take(reference, budget))
	return r
}

// words are runs of letters and digits in lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// take draws texts in an order of its own, the same for equal sets, up to a budget of words.
func take(texts []string, budget int) (taken [][]string) {
	texts = slices.Sorted(slices.Values(texts))
	rand.New(rand.NewPCG(1, uint64(len(texts)))).Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	for _, t := range texts {
		w := words(t)
		w = w[:min(len(w), budget)]
		taken = append(taken, w)
		if budget -= len(w); budget == 0 {
			break
		}
	}
	return taken
}

func pairsOf(texts [][]string) map[string]float64 {
	counts, n := map[string]float64{}, 0.0
	for _, t := range texts {
		for i := 1; i < len(t); i++ {
			counts[t[i-1]+" "+t[i]]++
			n++
		}
	}
	for p := range counts {
		counts[p] /= n
	}
	return counts
}

func (r *ruler) measure(texts []string) (m Measures) {
	taken := take(texts, r.budget)
	counts := map[string]int{}
	for _, t := range taken {
		m.Words += len(t)
		for _, w := range t {
			counts[w]++
		}
	}
	seen := 0
	for _, w := range slices.Sorted(mapKeys(counts)) { // sums of floats depend on the order
		p := float64(counts[w]) / float64(m.Words)
		m.Entropy -= p * math.Log2(p)
		if r.rare[w] {
			seen++
		}
	}
	m.Vocabulary = len(counts)
	m.Tail = float64(seen) / float64(max(1, len(r.rare)))
	m.JSD = divergence(r.pairs, pairsOf(taken))
	return m
}

func mapKeys(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// divergence is that of Jensen and Shannon (Lin, Divergence measures based on the Shannon entropy, 1991), in bits.
func divergence(p, q map[string]float64) float64 {
	half := func(a, b map[string]float64) float64 {
		terms := make([]float64, 0, len(a))
		for x, pa := range a {
			terms = append(terms, pa*math.Log2(2*pa/(pa+b[x])))
		}
		slices.Sort(terms)
		sum := 0.0
		for _, t := range terms {
			sum += t
		}
		return sum
	}
	return (half(p, q) + half(q, p)) / 2
}
