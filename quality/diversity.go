package quality

import (
	"container/heap"
	"math"

	"github.com/zeebo/xxh3"
)

// Diversity says how varied texts are within a number of words. Two streams are comparable at an equal number alone: all of these grow
// or shrink with it.
type Diversity struct {
	Words      int     `json:"words"`
	Entropy    float64 `json:"entropy"`    // of single words, bits
	Vocabulary int     `json:"vocabulary"` // different words
	Hapax      float64 `json:"hapax"`      // share of the vocabulary that comes once
	Distinct2  float64 `json:"distinct_2"` // different pairs of words in a row, of all pairs
}

// DiversityBudgets are the numbers of words at which streams are compared.
var DiversityBudgets = []int{2_000, 10_000, 50_000}

// mostDiverse bounds the texts that are kept: some MB.
const mostDiverse = 4_000

// DiversitySample keeps texts drawn by the hash of their names: the same texts give the same sample in any order.
type DiversitySample struct{ items diverse }

type diverseText struct {
	hash  uint64
	words []uint64
}

type diverse []diverseText // a heap, highest hash first

func (d diverse) Len() int           { return len(d) }
func (d diverse) Less(i, j int) bool { return d[i].hash > d[j].hash }
func (d diverse) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *diverse) Push(x any)        { *d = append(*d, x.(diverseText)) }
func (d *diverse) Pop() any {
	old := *d
	x := old[len(old)-1]
	*d = old[:len(old)-1]
	return x
}

// Add offers a text under a name.
func (s *DiversitySample) Add(name, text string) {
	h := xxh3.HashString(name)
	if len(s.items) == mostDiverse && h >= s.items[0].hash {
		return
	}
	heap.Push(&s.items, diverseText{h, FeaturesOf(text).words})
	if len(s.items) > mostDiverse {
		heap.Pop(&s.items)
	}
}

// Measure returns the diversity at each budget that the sample fills.
func (s *DiversitySample) Measure() (all []Diversity) {
	ordered := append(diverse(nil), s.items...)
	heap.Init(&ordered)
	texts := make([][]uint64, len(ordered))
	for i := len(texts) - 1; i >= 0; i-- { // lowest hash first
		texts[i] = heap.Pop(&ordered).(diverseText).words
	}
	for _, budget := range DiversityBudgets {
		if d, full := diversityOf(texts, budget); full {
			all = append(all, d)
		}
	}
	return all
}

// diversityOf measures the first words of texts in order; full says whether there were as many.
func diversityOf(texts [][]uint64, budget int) (d Diversity, full bool) {
	words, pairs := map[uint64]int{}, map[uint64]struct{}{}
	total := 0
	for _, text := range texts {
		text = text[:min(len(text), budget-d.Words)]
		for i, w := range text {
			words[w]++
			if i > 0 {
				pairs[pairGram(text[i-1], w)] = struct{}{}
				total++
			}
		}
		if d.Words += len(text); d.Words == budget {
			break
		}
	}
	if d.Words < budget {
		return d, false
	}
	once := 0
	for _, n := range words {
		p := float64(n) / float64(d.Words)
		d.Entropy -= p * math.Log2(p)
		if n == 1 {
			once++
		}
	}
	d.Vocabulary = len(words)
	d.Hapax = float64(once) / float64(max(1, len(words)))
	d.Distinct2 = float64(len(pairs)) / float64(max(1, total))
	d.Entropy = math.Round(d.Entropy*1e6) / 1e6 // a sum over a map differs in its last digits
	return d, true
}
