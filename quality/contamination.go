package quality

import (
	"cmp"
	"slices"
	"sort"

	"github.com/retort-data/retort/schema"
)

// Defaults of the contamination check (Lambert et al. 2024, Tülu 3: 8-grams, more than half of an item's tokens).
const (
	defaultEvalGram  = 8
	defaultEvalShare = 0.5
)

// Evaluations are the n-grams of evaluation sets: 16 bytes an n-gram, sorted, so that 100 sets of 1,000 items of 100
// words (10 million n-grams) take 160 MB. It is read-only once Sealed.
type Evaluations struct {
	n     int
	share float64
	grams []evalGram
	items []evalItem
	sets  []string
	bits  []uint64 // a Bloom filter of one hash over the n-grams: most records are done here
}

type evalGram struct {
	hash uint64
	item uint32
	at   uint32 // word position in the item
}

type evalItem struct {
	set   uint32
	words uint32
}

// NewEvaluations makes an empty collection; ngram and share of 0 are the defaults (8 words; half of an item).
func NewEvaluations(ngram int, share float64) *Evaluations {
	if ngram <= 0 {
		ngram = defaultEvalGram
	}
	if share <= 0 {
		share = defaultEvalShare
	}
	return &Evaluations{n: ngram, share: share}
}

// Add takes in one item (question, or question and answer) of a set; set is what findings name. An item shorter than an n-gram can't be found and
// is left out; Add says whether it was taken.
func (e *Evaluations) Add(set, item string) bool {
	var t text
	t.reset(toValid(item))
	words := fold(nil, &t)
	if len(words) < e.n {
		return false
	}
	if len(e.sets) == 0 || e.sets[len(e.sets)-1] != set {
		e.sets = append(e.sets, set)
	}
	no := uint32(len(e.items))
	e.items = append(e.items, evalItem{uint32(len(e.sets) - 1), uint32(len(words))})
	rollGrams(words, e.n, func(i int, h uint64) { e.grams = append(e.grams, evalGram{h, no, uint32(i)}) })
	return true
}

// Seal sorts the n-grams; it must be called once, after the last Add and before the first inspection.
func (e *Evaluations) Seal() {
	slices.SortFunc(e.grams, func(a, b evalGram) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.item, b.item), cmp.Compare(a.at, b.at))
	})
	size := 1024
	for size < 16*len(e.grams) {
		size *= 2
	}
	e.bits = make([]uint64, size/64)
	for _, g := range e.grams {
		b := mix(g.hash) & uint64(size-1)
		e.bits[b/64] |= 1 << (b % 64)
	}
}

func (e *Evaluations) maybe(h uint64) bool {
	b := mix(h) & uint64(64*len(e.bits)-1)
	return e.bits[b/64]>>(b%64)&1 == 1
}

// most returns the highest share of an item's words that lie in n-grams of the given words, and the item's set.
func (e *Evaluations) most(words []uint64) (share float64, set string) {
	if len(e.bits) == 0 {
		return 0, ""
	}
	hits := map[uint32][]uint32{}
	rollGrams(words, e.n, func(_ int, h uint64) {
		if !e.maybe(h) {
			return
		}
		i := sort.Search(len(e.grams), func(i int) bool { return e.grams[i].hash >= h })
		for ; i < len(e.grams) && e.grams[i].hash == h; i++ {
			hits[e.grams[i].item] = append(hits[e.grams[i].item], e.grams[i].at)
		}
	})
	best := -1
	for item, at := range hits {
		v := float64(wordsCovered(at, e.n)) / float64(e.items[item].words)
		if v > share || v == share && (best < 0 || int(item) < best) {
			share, best = v, int(item)
		}
	}
	if best < 0 {
		return 0, ""
	}
	return share, e.sets[e.items[best].set]
}

// wordsCovered returns how many words n-grams at the given positions cover.
func wordsCovered(at []uint32, n int) int {
	sort.Slice(at, func(i, j int) bool { return at[i] < at[j] })
	words, until := 0, uint32(0)
	for _, a := range at {
		words += int(a + uint32(n) - max(a, until))
		if a+uint32(n) > until {
			until = a + uint32(n)
		}
	}
	return words
}

// contamination looks at the answer and the prompt together: either may carry an item.
func (in *Inspector) contamination(w *work, i Input, out *schema.Inspection) {
	e := in.evaluations
	if e == nil || in.checks.Contamination.Do == schema.DoOff {
		return
	}
	best, set := e.most(w.folded)
	for _, m := range i.Prompt {
		w.prompt.reset(toValid(m.Content))
		w.promptFolded = fold(w.promptFolded[:0], &w.prompt)
		if v, s := e.most(w.promptFolded); v > best {
			best, set = v, s
		}
	}
	out.Signals = append(out.Signals, schema.Signal{Name: SignalContamination, Value: best})
	if best > e.share {
		out.Findings = append(out.Findings, schema.Finding{Check: "contamination", Do: in.checks.Contamination.Do,
			Signal: SignalContamination, Value: best, Limit: e.share, Match: set})
	}
}
