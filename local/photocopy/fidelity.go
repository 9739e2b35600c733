package photocopy

import (
	"math"
	"slices"
	"strings"
)

// Candidate is an account that the gate doesn't have: how much worse a text is than the earlier one to the same question, not by its
// words' variety but by what it still says. It bets as the gate does, without restarts; At is the record at which it alone would have held
// the run at α = .01, 0 where it wouldn't.
type Candidate struct {
	Name   string  `json:"name"`
	Mean   float64 `json:"mean"`
	Wealth float64 `json:"wealth"`
	At     int     `json:"at,omitempty"`
}

// fidelity knows what people wrote about each key, and how rare their words are.
type fidelity struct {
	docs map[string]map[string]bool
	idf  map[string]float64
}

func newFidelity(t *Text) *fidelity {
	f := &fidelity{map[string]map[string]bool{}, map[string]float64{}}
	for _, r := range t.Rows {
		f.docs[r.Key] = set(r.Doc)
		for w := range f.docs[r.Key] {
			f.idf[w]++
		}
	}
	for w, n := range f.idf {
		f.idf[w] = math.Log(float64(len(t.Rows)) / (1 + n))
	}
	return f
}

func set(text string) map[string]bool {
	s := map[string]bool{}
	for _, w := range words(text) {
		s[w] = true
	}
	return s
}

// covered is the share of the human comment's words, weighted by rarity, that a text has.
func (f *fidelity) covered(r copied) float64 {
	var has, all float64
	said, doc := set(r.Text), f.docs[r.Key]
	for _, w := range slices.Sorted(keysOf(doc)) {
		all += max(0, f.idf[w])
		if said[w] {
			has += max(0, f.idf[w])
		}
	}
	if all == 0 {
		return 0
	}
	return has / all
}

func keysOf(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// named is 1 where a text still names the symbol that was asked about.
func named(r copied) float64 {
	said := set(r.Text)
	for _, w := range words(r.Key[strings.LastIndexByte(r.Key, '.')+1:]) {
		if !said[w] {
			return 0
		}
	}
	return 1
}

func length(r copied) float64 { return math.Log(float64(max(1, len(words(r.Text))))) }

// compare bets on each text beside the earlier one of the same key, in the order of the later ones.
func (f *fidelity) compare(before, after []copied) []Candidate {
	earlier := map[string]copied{}
	for _, r := range before {
		earlier[r.Key] = r
	}
	measures := []struct {
		name  string
		scale float64
		of    func(copied) float64
	}{{"length", 1, length}, {"named", 1, named}, {"covered", 2, f.covered}}
	all := make([]Candidate, len(measures))
	for i, m := range measures {
		c, s, q, n := Candidate{Name: m.name, Wealth: 1}, 0.0, 0.0, 0
		for _, r := range after {
			twin, ok := earlier[r.Key]
			if !ok {
				continue
			}
			n++
			d := max(-1, min(1, m.scale*(m.of(twin)-m.of(r))))
			c.Wealth *= 1 + d*max(0.02, min(0.9, s/(q+5)))
			s, q = s+d, q+d*d
			if c.At == 0 && c.Wealth >= 100 {
				c.At = n
			}
		}
		c.Mean = s / float64(max(1, n))
		all[i] = c
	}
	return all
}
