package quality

import (
	"math"
	"runtime"
	"sync"
)

// pair is an answer beside its twin with all that doesn't depend on what came before: it can be measured on any core.
type pair struct {
	ok         bool // both have words enough to be compared
	a, b       []uint64
	n          int // words of each that are compared
	va, vb     [numSignals]float64
	sixA, sixB []uint32 // slots of 6-grams that the profile lacks
	topicA     int
	topicB     int // -1: that of the whole twin
	sizeA      int // words of the whole texts
	sizeB      int
	d          [numAccounts]float64 // how much worse the answer is, in [-1, 1]
	window     *BandReading         // nil: this pair fills none
}

// pairScratch is what measuring a pair needs; it is reused.
type pairScratch struct {
	seen         counter
	logsA, logsB []float32
	vec          topicVector
}

// measure compares an answer with a twin of the anchor; both are cut to the same number of words.
func (p *pair) measure(anchor *Anchor, f Features, twin int, topics bool, w *pairScratch) {
	t := FeaturesOf(anchor.Twins[twin].Text)
	p.a, p.b, p.sizeA, p.sizeB = f.words, t.words, f.size, t.size
	p.n = min(len(p.a), len(p.b))
	if p.ok = p.n >= minPairWords; !p.ok {
		return
	}
	v := anchor.Profile.Vocab
	a, b := p.a[:p.n], p.b[:p.n]
	w.logsA, w.logsB = v.logsOf(a, w.logsA), v.logsOf(b, w.logsB)
	p.va, p.vb = gateSignals(a, w.logsA, p.n, &w.seen), gateSignals(b, w.logsB, p.n, &w.seen)
	p.compare(&anchor.Profile.Dists[nearestCut(p.n)])
	if asked := anchor.Twins[twin].Asked; len(asked) > 0 {
		w.logsA = v.logsOf(asked, w.logsA)
		p.d[accAsked] = clip(askedScale * (covered(b, asked, w.logsA, &w.seen) - covered(a, asked, w.logsA, &w.seen)))
	}
	p.sixA = newSixGrams(anchor.Profile, ends(p.a, p.n), p.sixA, &w.seen)
	p.sixB = newSixGrams(anchor.Profile, ends(p.b, p.n), p.sixB, &w.seen)
	if topics {
		of := anchor.Profile.Topics
		w.vec = of.vector(a, w.vec)
		p.topicA, p.topicB = of.nearest(w.vec), -1
		if p.n < min(len(p.b), topicWords) { // a short text has other topics than a long one
			w.vec = of.vector(b, w.vec)
			p.topicB = of.nearest(w.vec)
		}
	}
}

// compare tells by the profile's distributions how much worse the answer is, where that doesn't depend on what came before.
func (p *pair) compare(dists *[numSignals]distribution) {
	diff := func(s int) float64 { return dists[s].of(p.va[s]) - dists[s].of(p.vb[s]) }
	p.d = [numAccounts]float64{}
	p.d[accMaxRar], p.d[accUniLP] = diff(sigMaxRar), diff(sigUniLP)
	p.d[accHrec], p.d[accRep4] = -diff(sigHrec), diff(sigRep4)
	p.d[accLength] = clip(lengthScale * math.Log(float64(p.sizeB)/float64(p.sizeA)))
}

// askedScale makes it as bad as can be to say half of what the twin said of the prompt.
const askedScale = 2

// covered is the share of the prompt's words that a text has, each weighted by its log-probability: rare ones tell what it is about.
func covered(words, asked []uint64, logs []float32, seen *counter) float64 {
	seen.reset(len(words))
	for _, w := range words {
		seen.add(w)
	}
	has, all := 0.0, 0.0
	for i, w := range asked {
		all += float64(logs[i])
		if seen.has(w) {
			has += float64(logs[i])
		}
	}
	return has / all
}

// lengthScale makes answers of .6 of their twins' length as bad as can be.
const lengthScale = 2

// blockPairs are measured at once, on all cores.
const blockPairs = 256

// ObserveAll takes in answers in their order, as Observe does one by one: what follows from a pair alone is measured on all cores,
// and then each of what depends on the pairs before in order, beside the others.
func (g *Gate) ObserveAll(answers []Answer) []Update {
	out := make([]Update, 0, len(answers))
	pairs := make([]pair, min(blockPairs, len(answers)))
	twins := make([]int, len(pairs))
	for len(answers) > 0 {
		block := answers[:min(len(pairs), len(answers))]
		answers = answers[len(block):]
		if g.anchor != nil {
			for i := range block {
				twins[i] = g.match(&block[i])
			}
			g.measureAll(block, twins, pairs)
			g.followAll(twins[:len(block)], pairs)
		}
		for i := range block {
			out = append(out, g.take(&block[i], twins[i], &pairs[i]))
		}
	}
	return out
}

func (g *Gate) measureAll(block []Answer, twins []int, pairs []pair) {
	var wait sync.WaitGroup
	threads := runtime.GOMAXPROCS(0)
	for thread := range threads {
		wait.Go(func() {
			w := scratches.Get().(*pairScratch)
			defer scratches.Put(w)
			for i := thread; i < len(block); i += threads {
				if twins[i] >= 0 {
					pairs[i].measure(g.anchor, block[i].Features, twins[i], g.active[accTopic], w)
				}
			}
		})
	}
	wait.Wait()
}

var scratches = sync.Pool{New: func() any { return new(pairScratch) }}
