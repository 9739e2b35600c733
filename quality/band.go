package quality

import (
	"math"
	"slices"
	"sort"
)

// The band compares whole windows of the stream with the twins that it was paired with, at an equal number of words: what
// records one by one can't show. It is no bet and has no α: its limits lie far outside of what healthy streams reach.

// bandWords is the window's budget.
const bandWords = 10_000

// bandState is the window that is being filled and what the full ones measured.
type bandState struct {
	StreamWords, TwinWords []uint32 // hashes
	StreamNLL, TwinNLL     []float64
	StreamSize, TwinSize   int // words of the whole texts
	Windows                int
	LogVocabulary          float64 // sum over windows of log(vocabulary / the twins' vocabulary)
	LogEntropy             float64 // sum over windows of entropy − the twins' entropy, bits
	Last                   BandReading
	Broken                 string // the limit that was broken first, or ""
	BrokenAt               int
}

// BandReading is one window beside its twins.
type BandReading struct {
	Entropy, TwinEntropy       float64 // bits a word
	Vocabulary, TwinVocabulary int     // different words
	NLLDistance                float64 // Kolmogorov–Smirnov distance of the records' mean log-probabilities
	LengthRatio                float64 // words of answers over words of twins
	Records                    int
}

// bandLimits by mode.
type bandLimits struct {
	entropyBelow, entropyAbove float64 // bits
	vocabularyBelow            float64 // ratio
	vocabularyAbove            float64
	nll                        float64
	lengthBelow, lengthAbove   float64
}

// Human: wide, since no teacher writes like people: a trigram student at T = 0.8 stands 1.9 bits below human text. Pinned
// version: a vocabulary that falls by more than 10% from version to version separated every degrading run from every
// bounded one; it is judged over all windows so far, five at least.
var (
	humanBand  = bandLimits{3, 2, 0.2, 3, 0.95, 1.0 / 16, 16}
	pinnedBand = bandLimits{1, 1, 0.7, 1.4, 0.5, 0.25, 4}
)

const (
	trendVocabulary = 0.10
	trendWindows    = 5
)

// fillWindow takes in a pair, and measures the window that it fills, if it does.
func (g *Gate) fillWindow(p *pair) *BandReading {
	s := &g.s.Band
	a, b := p.a[:p.n], p.b[:p.n]
	for i := range a {
		s.StreamWords = append(s.StreamWords, uint32(a[i]))
		s.TwinWords = append(s.TwinWords, uint32(b[i]))
	}
	s.StreamNLL, s.TwinNLL = append(s.StreamNLL, p.va[sigUniLP]), append(s.TwinNLL, p.vb[sigUniLP])
	s.StreamSize += p.sizeA
	s.TwinSize += p.sizeB
	if len(s.StreamWords) < bandWords {
		return nil
	}
	r := &BandReading{Records: len(s.StreamNLL), LengthRatio: float64(s.StreamSize) / float64(max(1, s.TwinSize))}
	r.TwinEntropy, r.TwinVocabulary = windowEntropy(s.TwinWords[:bandWords], &g.scratch.seen)
	r.Entropy, r.Vocabulary = windowEntropy(s.StreamWords[:bandWords], &g.scratch.seen)
	r.NLLDistance = distance(s.StreamNLL, s.TwinNLL)
	s.StreamWords, s.TwinWords = s.StreamWords[:0], s.TwinWords[:0]
	s.StreamNLL, s.TwinNLL = s.StreamNLL[:0], s.TwinNLL[:0]
	s.StreamSize, s.TwinSize = 0, 0
	return r
}

// judgeWindow judges the window that the pair filled, if it did.
func (g *Gate) judgeWindow(p *pair) {
	if p.window == nil {
		return
	}
	s, r := &g.s.Band, *p.window
	s.Last = r
	s.Windows++
	s.LogVocabulary += math.Log(float64(r.Vocabulary) / float64(r.TwinVocabulary))
	s.LogEntropy += r.Entropy - r.TwinEntropy
	if s.Broken == "" {
		if s.Broken = g.broken(r); s.Broken != "" {
			s.BrokenAt = g.s.Records
			if g.s.AlarmAt == 0 {
				g.s.AlarmAt, g.s.Why = g.s.Records, whyBand
			}
		}
	}
}

// broken names the first limit that a window breaks, or "".
func (g *Gate) broken(r BandReading) string {
	if all := g.allBroken(r); len(all) > 0 {
		return all[0]
	}
	return ""
}

// allBroken names the limits that a window breaks, of those that no person let pass.
func (g *Gate) allBroken(r BandReading) (names []string) {
	l := pinnedBand
	if g.o.Mode == ModeHuman {
		l = humanBand
	}
	ratio := float64(r.Vocabulary) / float64(max(1, r.TwinVocabulary))
	// In small windows the distance of equal distributions reaches 1.95·√(2/n) once in a thousand.
	nll := l.nll + 1.95*math.Sqrt(2/float64(max(1, r.Records)))
	b := &g.s.Band
	for _, limit := range []struct {
		broken bool
		name   string
	}{
		{r.Entropy < r.TwinEntropy-l.entropyBelow, "entropy below"},
		{r.Entropy > r.TwinEntropy+l.entropyAbove, "entropy above"},
		{ratio < l.vocabularyBelow, "vocabulary below"},
		{ratio > l.vocabularyAbove, "vocabulary above"},
		{r.NLLDistance > nll, "log-probability distance"},
		{r.LengthRatio < l.lengthBelow, "length below"},
		{r.LengthRatio > l.lengthAbove, "length above"},
		{g.o.Mode != ModeHuman && b.Windows >= trendWindows && b.LogVocabulary/float64(b.Windows) < math.Log(1-trendVocabulary), "vocabulary trend"},
	} {
		if limit.broken && !slices.Contains(g.s.Accepted.Band, limit.name) {
			names = append(names, limit.name)
		}
	}
	return names
}

func windowEntropy(words []uint32, seen *counter) (entropy float64, vocabulary int) {
	seen.reset(len(words))
	sum := 0.0
	for _, w := range words {
		sum += entropyStep(seen.add(uint64(w) * 0x9e3779b97f4a7c15))
	}
	n := float64(len(words))
	return math.Log2(n) - sum/n, seen.used
}

// distance is the two-sample Kolmogorov–Smirnov distance.
func distance(a, b []float64) float64 {
	sort.Float64s(a)
	sort.Float64s(b)
	best, i, j := 0.0, 0, 0
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] <= x {
			i++
		}
		for j < len(b) && b[j] <= x {
			j++
		}
		best = max(best, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return best
}
