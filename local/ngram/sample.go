package ngram

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Sample writes a text of at most maxWords tokens (0: 400). It begins with a
// name from the prompt where a text the model has read began with it; beyond
// that a trigram model can't heed a prompt. Temperature 1 is the model as it
// is; 0 always takes the likeliest token. The same rng state gives the same text.
func (m *Model) Sample(rng *rand.Rand, prompt string, temperature float64, maxWords int) string {
	text, _ := m.sample(rng, prompt, temperature, maxWords)
	return text
}

// sample also says whether the text came to its end.
func (m *Model) sample(rng *rand.Rand, prompt string, temperature float64, maxWords int) (text string, ended bool) {
	if m.Vocabulary() == 0 {
		return "", true
	}
	if maxWords <= 0 {
		maxWords = 400
	}
	d := m.at(temperature)
	u, v := begin, begin
	var tokens []string
	if name, ok := m.opening(prompt); ok {
		u, v = name, d.onlySeen(rng, begin, name)
		tokens = append(tokens, m.words[name])
		if v == end {
			return join(tokens), true
		}
		tokens = append(tokens, m.words[v])
	}
	for len(tokens) < maxWords {
		w := d.next(rng, u, v)
		if w == end {
			return join(tokens), true
		}
		tokens = append(tokens, m.words[w])
		u, v = v, w
	}
	return join(tokens[:min(len(tokens), maxWords)]), false
}

// opening finds a word of the prompt, or what follows its last dot, with which
// texts begin: of "What does strings.Cut do?" it is Cut.
func (m *Model) opening(prompt string) (uint32, bool) {
	s := m.tri.contexts[pair(begin, begin)]
	for _, t := range tokenize(prompt) {
		dot := strings.LastIndexByte(t, '.')
		if dot < 0 {
			continue
		}
		if w, ok := m.ids[t[dot+1:]]; ok && m.tri.seen(s, w) > 0 {
			return w, true
		}
	}
	return 0, false
}

// onlySeen draws from the tokens seen after u and v, which there must be, by
// their counts: the second word of a text is not to be backed off.
func (d *distribution) onlySeen(rng *rand.Rand, u, v uint32) uint32 {
	s := d.m.tri.contexts[pair(u, v)]
	followers := d.m.tri.followers[s.from:s.to]
	at := rng.Float64() * float64(s.total)
	for _, f := range followers {
		if at -= float64(f.count); at < 0 {
			return f.token
		}
	}
	return followers[len(followers)-1].token
}

// next draws from p(w | u, v)^(1/T), normalized, in three steps: a token seen
// after u v, else one seen after v, else any other. What was not seen after a
// context has one factor times the lower order's probability, so the powers of
// the lower orders are summed once and not for every token drawn.
func (d *distribution) next(rng *rand.Rand, u, v uint32) uint32 {
	if d.greedy {
		return d.likeliest(u, v)
	}
	after := d.after(v)
	s3, back3 := d.m.tri.back(pair(u, v))
	three := d.m.tri.followers[s3.from:s3.to]

	var buffer [64]float64
	weights, total, bigrams := buffer[:0], 0.0, after.total
	for _, f := range three {
		i := after.index(f.token)
		p := (float64(f.count)-d.m.tri.discount)/float64(s3.total) + back3*after.plain[i]
		w := math.Pow(p, d.power)
		weights, total, bigrams = append(weights, w), total+w, bigrams-after.weight(i)
	}
	factor := math.Pow(back3, d.power)
	bigrams = max(bigrams, 0) * factor
	unigrams := after.outside * factor
	at := rng.Float64() * (total + bigrams + unigrams)
	for i, w := range weights {
		if at -= w; at < 0 {
			return three[i].token
		}
	}
	if at < bigrams {
		if w, ok := reject(func() uint32 { return after.tokens[after.draw(rng)].token }, three); ok {
			return w
		}
	}
	if w, ok := reject(func() uint32 { return uint32(d.uni.draw(rng)) }, after.tokens); ok {
		return w
	}
	return end // everything was seen; only a rounding error leads here
}

// reject draws until a token comes that is not among those seen.
func reject(draw func() uint32, seen []follower) (uint32, bool) {
	for range 10_000 {
		w := draw()
		if _, found := find(seen, w); !found {
			return w, true
		}
	}
	return 0, false
}

func (d *distribution) likeliest(u, v uint32) uint32 {
	best, most := d.uni.likeliest, d.m.probability(u, v, d.uni.likeliest, true)
	s := d.m.bi.contexts[uint64(v)]
	for _, f := range d.m.bi.followers[s.from:s.to] {
		if p := d.m.probability(u, v, f.token, true); p > most {
			best, most = f.token, p
		}
	}
	return best
}

// cumulative is weights summed up, to draw an index by weight.
type cumulative struct{ sums []float64 }

func (c *cumulative) add(weight float64) { c.sums = append(c.sums, c.sum()+weight) }

func (c *cumulative) sum() float64 {
	if len(c.sums) == 0 {
		return 0
	}
	return c.sums[len(c.sums)-1]
}

func (c *cumulative) weight(i int) float64 {
	if i == 0 {
		return c.sums[0]
	}
	return c.sums[i] - c.sums[i-1]
}

func (c *cumulative) draw(rng *rand.Rand) int {
	at := rng.Float64() * c.sum()
	// The first index whose sum is beyond at: an index of no weight never is.
	i, _ := slices.BinarySearchFunc(c.sums, at, func(sum, at float64) int {
		if sum > at {
			return 1
		}
		return -1
	})
	return min(i, len(c.sums)-1)
}
