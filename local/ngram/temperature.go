package ngram

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

// distribution is a model at one temperature, with the powers of its lower
// orders, which grow as contexts come up.
type distribution struct {
	m      *Model
	power  float64 // 1/T
	greedy bool
	uni    unigramPowers

	mu     sync.RWMutex
	bigram map[uint32]*bigramPowers
}

type unigramPowers struct {
	cumulative
	likeliest uint32
}

// bigramPowers is what follows one token.
type bigramPowers struct {
	cumulative            // powers of plain
	tokens     []follower // sorted by token
	plain      []float64  // probabilities after the token
	total      float64
	outside    float64 // sum of the powers of all tokens not in tokens
}

func (b *bigramPowers) index(token uint32) int {
	i, _ := find(b.tokens, token)
	return i
}

func find(followers []follower, token uint32) (int, bool) {
	return slices.BinarySearchFunc(followers, token, func(f follower, w uint32) int {
		return cmp.Compare(f.token, w)
	})
}

// temperatures keeps the distributions asked for last.
type temperatures struct {
	mu   sync.Mutex
	kept map[float64]*distribution
}

const temperaturesKept = 8

// at returns the model at a temperature. Below 0.02, and for what is no number,
// it is the likeliest token.
func (m *Model) at(temperature float64) *distribution {
	if !(temperature >= 0.02) {
		temperature = 0
	}
	t := &m.temperatures
	t.mu.Lock()
	defer t.mu.Unlock()
	if d, ok := t.kept[temperature]; ok {
		return d
	}
	if len(t.kept) >= temperaturesKept || t.kept == nil {
		t.kept = map[float64]*distribution{}
	}
	d := newDistribution(m, temperature)
	t.kept[temperature] = d
	return d
}

func newDistribution(m *Model, temperature float64) *distribution {
	d := &distribution{m: m, greedy: temperature == 0, power: 1, bigram: map[uint32]*bigramPowers{}}
	if !d.greedy {
		d.power = 1 / temperature
	}
	for w, p := range m.uni {
		if p > 0 {
			d.uni.add(math.Pow(p, d.power))
		} else {
			d.uni.add(0) // begin is never drawn
		}
		if p > m.uni[d.uni.likeliest] {
			d.uni.likeliest = uint32(w)
		}
	}
	return d
}

// after returns the powers of what follows v.
func (d *distribution) after(v uint32) *bigramPowers {
	d.mu.RLock()
	b := d.bigram[v]
	d.mu.RUnlock()
	if b != nil {
		return b
	}
	b = d.newBigram(v)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bigram[v] = b
	return b
}

func (d *distribution) newBigram(v uint32) *bigramPowers {
	s, back := d.m.bi.back(uint64(v))
	b := &bigramPowers{tokens: d.m.bi.followers[s.from:s.to], outside: d.uni.sum()}
	for _, f := range b.tokens {
		p := (float64(f.count)-d.m.bi.discount)/float64(s.total) + back*d.m.uni[f.token]
		b.plain = append(b.plain, p)
		b.add(math.Pow(p, d.power))
		b.outside -= d.uni.weight(int(f.token))
	}
	b.total = b.sum()
	b.outside = max(b.outside, 0) * math.Pow(back, d.power)
	return b
}
