// Package photocopier is a student that learns from texts and writes texts: an interpolated Kneser-Ney trigram model
// (Kneser and Ney 1995; Chen and Goodman 1999), small and quick enough to be trained on its own samples many times.
package photocopier

import (
	"math"
	"math/rand/v2"
	"sort"
	"strings"
)

const discount = 0.75

// Student is a trained model. It is read-only and safe for concurrent use.
type Student struct {
	words   []string
	index   map[string]int32
	tri, bi map[uint64]*context
	uni     []float64 // continuation probability
	lengths []int
	power   map[float64]tail // by 1/T
}

// context is what followed a history.
type context struct {
	total  float64
	next   []int32
	counts []float64
	sharp  map[float64]tail // by T: running sums of its own followers, and the whole
}

type tail struct {
	sums  []float64 // running sums of uni^(1/T)
	total float64
}

const (
	begin = 0
	end   = 1
)

// Tokens cuts a text as the student reads it: at white space, punctuation apart.
func Tokens(s string) []string {
	var out []string
	for _, f := range strings.Fields(s) {
		i, j := 0, len(f)
		for i < j && strings.IndexByte("([{\"'", f[i]) >= 0 {
			out = append(out, f[i:i+1])
			i++
		}
		k := j
		for k > i && strings.IndexByte(".,;:!?)]}\"'", f[k-1]) >= 0 {
			k--
		}
		if k > i {
			out = append(out, f[i:k])
		}
		for ; k < j; k++ {
			out = append(out, f[k:k+1])
		}
	}
	return out
}

// Train learns from texts. Temperatures are those that Sample may be asked for.
func Train(texts []string, temperatures ...float64) *Student {
	s := &Student{index: map[string]int32{}, tri: map[uint64]*context{}, bi: map[uint64]*context{}, power: map[float64]tail{}}
	s.id("<s>")
	s.id("</s>")
	counts := map[[3]int32]float64{}
	for _, text := range texts {
		a, b := int32(begin), int32(begin)
		toks := Tokens(text)
		s.lengths = append(s.lengths, len(toks))
		for _, t := range toks {
			c := s.id(t)
			counts[[3]int32{a, b, c}]++
			a, b = b, c
		}
		counts[[3]int32{a, b, end}]++
	}
	sort.Ints(s.lengths)
	s.build(counts)
	s.power[1] = s.tail(1)
	for _, t := range temperatures {
		s.sharpen(t)
	}
	return s
}

func (s *Student) id(w string) int32 {
	if i, ok := s.index[w]; ok {
		return i
	}
	i := int32(len(s.words))
	s.words = append(s.words, w)
	s.index[w] = i
	return i
}

// build makes trigram counts, and continuation counts for bigrams and single words.
func (s *Student) build(counts map[[3]int32]float64) {
	keys := make([][3]int32, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := keys[i], keys[j]
		if a[0] != b[0] {
			return a[0] < b[0]
		}
		if a[1] != b[1] {
			return a[1] < b[1]
		}
		return a[2] < b[2]
	})
	pairs := map[[2]int32]float64{}
	for _, k := range keys {
		add(s.tri, pair(k[0], k[1]), k[2], counts[k])
		pairs[[2]int32{k[1], k[2]}]++
	}
	pk := make([][2]int32, 0, len(pairs))
	for k := range pairs {
		pk = append(pk, k)
	}
	sort.Slice(pk, func(i, j int) bool { return pk[i][0] < pk[j][0] || pk[i][0] == pk[j][0] && pk[i][1] < pk[j][1] })
	s.uni = make([]float64, len(s.words))
	for _, k := range pk {
		add(s.bi, uint64(k[0]), k[1], pairs[k])
		s.uni[k[1]]++
	}
	total := 0.0
	for _, c := range s.uni {
		total += c
	}
	for i := range s.uni {
		s.uni[i] /= total
	}
}

func pair(a, b int32) uint64 { return uint64(a)<<32 | uint64(b) }

func add(m map[uint64]*context, h uint64, next int32, n float64) {
	c := m[h]
	if c == nil {
		c = &context{}
		m[h] = c
	}
	c.total += n
	c.next = append(c.next, next) // callers add in order
	c.counts = append(c.counts, n)
}

func (s *Student) tail(t float64) tail {
	r := tail{sums: make([]float64, len(s.uni))}
	for i, p := range s.uni {
		if i != begin && i != end {
			r.total += math.Pow(p, 1/t)
		}
		r.sums[i] = r.total
	}
	return r
}

// count returns how often next followed; the followers are sorted.
func (c *context) count(next int32) float64 {
	i := sort.Search(len(c.next), func(i int) bool { return c.next[i] >= next })
	if i < len(c.next) && c.next[i] == next {
		return c.counts[i]
	}
	return 0
}

// backoff is the probability mass that a context leaves to shorter ones.
func (c *context) backoff() float64 { return discount * float64(len(c.next)) / c.total }

func (s *Student) bigram(b, w int32) float64 {
	c := s.bi[uint64(b)]
	if c == nil {
		return s.uni[w]
	}
	return max(0, c.count(w)-discount)/c.total + c.backoff()*s.uni[w]
}

// Sample writes a text at temperature t, as long as a random one of those it learned from.
func (s *Student) Sample(rng *rand.Rand, t float64) string {
	n := s.lengths[rng.IntN(len(s.lengths))]
	out := make([]string, 0, n)
	a, b := int32(begin), int32(begin)
	for len(out) < n {
		w := s.next(rng, a, b, t)
		out = append(out, s.words[w])
		a, b = b, w
	}
	return strings.Join(out, " ")
}

// next draws from p^(1/T). A context's sharp sums are what its own followers have beyond what the shorter context gives
// them: so a draw goes down from context to context, as at T = 1.
func (s *Student) next(rng *rand.Rand, a, b int32, t float64) int32 {
	if t == 1 {
		return s.nextPlain(rng, a, b)
	}
	for _, c := range []*context{s.tri[pair(a, b)], s.bi[uint64(b)]} {
		if c == nil {
			continue
		}
		x := c.sharp[t]
		own := 0.0
		if n := len(x.sums); n > 0 {
			own = x.sums[n-1]
		}
		if u := rng.Float64() * x.total; u < own {
			return c.next[min(sort.SearchFloat64s(x.sums, u), len(c.next)-1)]
		}
	}
	return s.fromTail(rng, s.power[t])
}

// sharpen prepares all contexts for a temperature.
func (s *Student) sharpen(t float64) {
	tl := s.tail(t)
	s.power[t] = tl
	for h, c := range s.bi {
		back := c.backoff()
		c.sharpen(t, math.Pow(back, 1/t)*tl.total, func(i int) (whole, shorter float64) {
			w := c.next[i]
			return s.bigram(int32(h), w), back * s.uni[w]
		})
	}
	for h, c := range s.tri {
		back, b := c.backoff(), int32(h&0xffffffff)
		rest := tl.total
		if x := s.bi[uint64(b)]; x != nil {
			rest = x.sharp[t].total
		}
		c.sharpen(t, math.Pow(back, 1/t)*rest, func(i int) (whole, shorter float64) {
			p := back * s.bigram(b, c.next[i])
			return (c.counts[i]-discount)/c.total + p, p
		})
	}
}

func (c *context) sharpen(t, rest float64, p func(i int) (whole, shorter float64)) {
	x := tail{sums: make([]float64, len(c.next))}
	for i, w := range c.next {
		if w != end {
			whole, shorter := p(i)
			x.total += math.Pow(whole, 1/t) - math.Pow(shorter, 1/t)
		}
		x.sums[i] = x.total
	}
	x.total += rest
	if c.sharp == nil {
		c.sharp = map[float64]tail{}
	}
	c.sharp[t] = x
}

func (s *Student) nextPlain(rng *rand.Rand, a, b int32) int32 {
	for _, c := range []*context{s.tri[pair(a, b)], s.bi[uint64(b)]} {
		if c == nil || rng.Float64() < c.backoff() {
			continue
		}
		for range 20 { // the end of a text is not written: the length is given
			u := rng.Float64() * (c.total - discount*float64(len(c.next)))
			for i, n := range c.counts {
				if u -= n - discount; u < 0 {
					if c.next[i] != end {
						return c.next[i]
					}
					break
				}
			}
		}
	}
	return s.fromTail(rng, s.power[1])
}

func (s *Student) fromTail(rng *rand.Rand, tl tail) int32 {
	u := rng.Float64() * tl.total
	i := sort.SearchFloat64s(tl.sums, u)
	for i < len(tl.sums) && (i == begin || i == end) {
		i++
	}
	return int32(min(i, len(tl.sums)-1))
}

// Perplexity is that of the student on texts; words it never saw count as one of probability 1/(10 · vocabulary).
func (s *Student) Perplexity(texts []string) float64 {
	sum, n := 0.0, 0
	for _, text := range texts {
		a, b := int32(begin), int32(begin)
		for _, t := range Tokens(text) {
			w, ok := s.index[t]
			p := 0.1 / float64(len(s.words))
			if ok {
				p = max(p, s.prob(a, b, w))
			} else {
				w = -1
			}
			sum -= math.Log(p)
			n++
			a, b = b, w
		}
	}
	return math.Exp(sum / float64(max(1, n)))
}

func (s *Student) prob(a, b, w int32) float64 {
	if b < 0 {
		return s.uni[w]
	}
	c := s.tri[pair(a, b)]
	if a < 0 || c == nil {
		return s.bigram(b, w)
	}
	return max(0, c.count(w)-discount)/c.total + c.backoff()*s.bigram(b, w)
}
