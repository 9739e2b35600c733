package ngram

import (
	"cmp"
	"iter"
	"math"
	"slices"
)

// Tokens are numbered in order of first appearance; these come before all.
const (
	begin uint32 = iota // stands twice before each text
	end                 // stands after each text
	firstWord
)

// Model is a trained trigram model. It is safe for concurrent use.
type Model struct {
	words []string
	ids   map[string]uint32

	tri, bi order
	uni     []float64 // probability of each token after nothing; of begin it is 0
	unknown float64   // of a token never seen
	tokens  int

	temperatures temperatures // powers of the above, made as they are asked for
}

// order is the distributions of one n-gram length: for each context the tokens
// that followed, with counts, and their sum.
type order struct {
	contexts  map[uint64]span
	followers []follower
	discount  float64
}

type follower struct{ token, count uint32 }

type span struct {
	from, to uint32 // in followers, sorted by token
	total    uint64 // sum of their counts
}

// Train counts texts. The same texts in the same order give the same model.
func Train(texts iter.Seq[string]) *Model {
	m := &Model{words: []string{"<begin>", "<end>"}, ids: map[string]uint32{}}
	var grams []gram
	for text := range texts {
		tokens := tokenize(text)
		if len(tokens) == 0 {
			continue
		}
		m.tokens += len(tokens) + 1
		u, v := begin, begin
		for _, t := range tokens {
			w := m.intern(t)
			grams = append(grams, gram{u, v, w, 1})
			u, v = v, w
		}
		grams = append(grams, gram{u, v, end, 1})
	}
	grams = count(grams)
	m.tri = newOrder(grams, func(g gram) uint64 { return pair(g.u, g.v) })
	// One trigram type before each pair: continuation counts. The pair's first
	// token may be begin, whose pairs are counted by what precedes them: begin.
	pairs := make([]gram, len(grams))
	for i, g := range grams {
		pairs[i] = gram{0, g.v, g.w, 1}
	}
	pairs = count(pairs)
	m.bi = newOrder(pairs, func(g gram) uint64 { return uint64(g.v) })
	m.unigrams(pairs)
	return m
}

// Vocabulary is the number of different tokens seen; Tokens that of all, with
// one end for each text.
func (m *Model) Vocabulary() int { return len(m.words) - int(firstWord) }

// Tokens is the size of the training text.
func (m *Model) Tokens() int { return m.tokens }

func (m *Model) intern(t string) uint32 {
	id, ok := m.ids[t]
	if !ok {
		id = uint32(len(m.words))
		m.ids[t] = id
		m.words = append(m.words, t)
	}
	return id
}

type gram struct{ u, v, w, count uint32 }

func pair(u, v uint32) uint64 { return uint64(u)<<32 | uint64(v) }

// count sorts grams and merges equal ones, adding their counts.
func count(grams []gram) []gram {
	slices.SortFunc(grams, func(a, b gram) int {
		return cmp.Or(cmp.Compare(pair(a.u, a.v), pair(b.u, b.v)), cmp.Compare(a.w, b.w))
	})
	merged := grams[:0]
	for _, g := range grams {
		if n := len(merged); n > 0 && merged[n-1].u == g.u && merged[n-1].v == g.v && merged[n-1].w == g.w {
			merged[n-1].count += g.count
		} else {
			merged = append(merged, g)
		}
	}
	return merged
}

// newOrder groups sorted grams by context.
func newOrder(grams []gram, context func(gram) uint64) order {
	o := order{contexts: map[uint64]span{}, discount: discount(grams)}
	for i, g := range grams {
		o.followers = append(o.followers, follower{g.w, g.count})
		key := context(g)
		s, ok := o.contexts[key]
		if !ok {
			s.from = uint32(i)
		}
		s.to, s.total = uint32(i+1), s.total+uint64(g.count)
		o.contexts[key] = s
	}
	return o
}

// discount is Ney, Essen and Kneser's estimate from how many n-grams were seen
// once and twice.
func discount(grams []gram) float64 {
	var once, twice float64
	for _, g := range grams {
		switch g.count {
		case 1:
			once++
		case 2:
			twice++
		}
	}
	if once == 0 || twice == 0 {
		return 0.75
	}
	return once / (once + 2*twice)
}

// unigrams counts after how many different tokens each token was seen, and
// keeps a share for tokens never seen.
func (m *Model) unigrams(pairs []gram) {
	m.uni = make([]float64, len(m.words))
	singles := make([]gram, len(m.words))
	for _, p := range pairs {
		singles[p.w].count++
	}
	d := discount(singles)
	total, seen := float64(len(pairs)), 0.0
	for _, s := range singles {
		if s.count > 0 {
			seen++
		}
	}
	// The discounted mass is spread evenly over all tokens and one unknown.
	m.unknown = 1
	if total > 0 {
		m.unknown = d * seen / total / (seen + 1)
	}
	for w, s := range singles {
		if s.count > 0 {
			m.uni[w] = (float64(s.count)-d)/total + m.unknown
		}
	}
}

// back is the weight that a context gives to the lower order: all of it where
// the context was never seen.
func (o *order) back(context uint64) (span, float64) {
	s, ok := o.contexts[context]
	if !ok {
		return span{}, 1
	}
	return s, o.discount * float64(s.to-s.from) / float64(s.total)
}

// seen is the discounted share of w after a context.
func (o *order) seen(s span, w uint32) float64 {
	i, ok := find(o.followers[s.from:s.to], w)
	if !ok {
		return 0
	}
	return (float64(o.followers[int(s.from)+i].count) - o.discount) / float64(s.total)
}

// probability of w after u and v.
func (m *Model) probability(u, v, w uint32, known bool) float64 {
	p := m.unknown
	if known {
		p = m.uni[w]
	}
	s, back := m.bi.back(uint64(v))
	p *= back
	if known {
		p += m.bi.seen(s, w)
	}
	s, back = m.tri.back(pair(u, v))
	p *= back
	if known {
		p += m.tri.seen(s, w)
	}
	return p
}

// LogProbability returns the natural logarithm of the text's probability and
// the number of tokens it is made of, the end included.
func (m *Model) LogProbability(text string) (nats float64, tokens int) {
	u, v := begin, begin
	for _, t := range tokenize(text) {
		w, known := m.ids[t]
		nats += math.Log(m.probability(u, v, w, known))
		if !known {
			w = math.MaxUint32 // a context that was never seen
		}
		u, v = v, w
		tokens++
	}
	return nats + math.Log(m.probability(u, v, end, true)), tokens + 1
}

// Perplexity of text: the number of equally likely tokens that would surprise
// as much. Lower is a better fit.
func (m *Model) Perplexity(text string) float64 {
	nats, tokens := m.LogProbability(text)
	return math.Exp(-nats / float64(tokens))
}
