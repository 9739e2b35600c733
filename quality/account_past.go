package quality

// pasts are what the stream and the twins it was paired with have said so far: words and pairs of words, the two sides'
// bits side by side, so that both are read at once.
type pasts struct {
	Uni, Bi twoBitmaps
}

const (
	uniBits = 19
	biBits  = 21
)

const (
	sideStream = iota
	sideTwin
)

func newPasts() pasts { return pasts{newTwoBitmaps(uniBits), newTwoBitmaps(biBits)} }

func (p *pasts) add(words []uint64, side int) {
	for i, w := range words {
		p.Uni.add(w, side)
		if i > 0 {
			p.Bi.add(pairGram(words[i-1], w), side)
		}
	}
}

func (p *pasts) full() bool { return p.Uni.full() || p.Bi.full() }

// seen returns the share of a text's words, and of its pairs of words, that are in the one past, and in the other, added.
func (p *pasts) seen(words []uint64) (uni, bi float64) {
	u, b := 0, 0
	for i, w := range words {
		u += p.Uni.count(w)
		if i > 0 {
			b += p.Bi.count(pairGram(words[i-1], w))
		}
	}
	return float64(u) / float64(len(words)), float64(b) / float64(max(1, len(words)-1))
}

// twoBitmaps are two bitmaps of one size, word by word.
type twoBitmaps struct {
	Bits []uint64
	Set  [2]int
}

func newTwoBitmaps(logBits int) twoBitmaps { return twoBitmaps{Bits: make([]uint64, 2<<logBits/64)} }

func (t *twoBitmaps) at(h uint64) (word uint64, shift uint64) {
	h = mix(h) & uint64(32*len(t.Bits)-1)
	return h / 64 * 2, h % 64
}

func (t *twoBitmaps) count(h uint64) int {
	w, s := t.at(h)
	pair := t.Bits[w : w+2]
	return int(pair[0]>>s&1 + pair[1]>>s&1)
}

func (t *twoBitmaps) add(h uint64, side int) {
	w, s := t.at(h)
	if x := &t.Bits[w+uint64(side)]; *x>>s&1 == 0 {
		*x |= 1 << s
		t.Set[side]++
	}
}

// full says that a quarter of one side's bits are set: more would blur what is new.
func (t *twoBitmaps) full() bool { return 4*max(t.Set[0], t.Set[1]) >= 32*len(t.Bits) }

func (t *twoBitmaps) valid(logBits int) bool { return len(t.Bits) == 2<<logBits/64 }

// Scales of the two accounts of seen words and pairs.
const (
	uniScale = 2.5
	biScale  = 2
)

func clip(x float64) float64 { return min(max(x, -1), 1) }
