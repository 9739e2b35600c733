package quality

// past is what was said so far: by the stream, or by the twins it was paired with.
type past struct {
	Uni, Bi bitmap
}

const (
	uniBits = 19
	biBits  = 22
)

func newPast() past { return past{newBitmap(uniBits), newBitmap(biBits)} }

func (p *past) add(words []uint64) {
	for i, w := range words {
		p.Uni.add(w)
		if i > 0 {
			p.Bi.add(pairGram(words[i-1], w))
		}
	}
}

func (p *past) full() bool { return p.Uni.full() || p.Bi.full() }

// seenGrams are the shares of a text's n-grams that are in two pasts, added.
type seenGrams struct {
	uni, bi float64
	stale6  bool // a 6-gram that the profile lacks and one of the pasts has
}

func (g *Gate) seenGrams(words []uint64) (s seenGrams) {
	uni, bi := 0, 0
	a, b := &g.s.Stream, &g.s.Twin
	for i, w := range words {
		uni += a.Uni.count(w) + b.Uni.count(w)
		if i > 0 {
			p := pairGram(words[i-1], w)
			bi += a.Bi.count(p) + b.Bi.count(p)
		}
	}
	s.uni = float64(uni) / float64(len(words))
	s.bi = float64(bi) / float64(max(1, len(words)-1))
	return s
}

func (b *bitmap) count(h uint64) int {
	if b.has(h) {
		return 1
	}
	return 0
}

// Scales of the two accounts of seen words and pairs.
const (
	uniScale = 2.5
	biScale  = 2
)

func clip(x float64) float64 { return min(max(x, -1), 1) }
