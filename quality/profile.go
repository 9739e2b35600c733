package quality

import "sort"

// profile is what the anchor's first part leaves behind: frozen tables, no texts. The twins are not in it.
type profile struct {
	Records int
	Tokens  int
	Vocab   *vocabulary
	Dists   [len(cuts)][numSignals]distribution // by length
	Six     bitmap                              // the profile's 6-grams
	Topics  *topics
}

func newProfile(texts []string, seed uint64) *profile {
	p := &profile{Records: len(texts)}
	records := make([][]uint64, len(texts))
	counts := map[uint64]uint32{}
	for i, s := range texts {
		records[i] = FeaturesOf(s).words
		p.Tokens += len(records[i])
		for _, w := range records[i] {
			counts[w]++
		}
	}
	p.Vocab = newVocabulary(counts)
	p.Six = newBitmap(logBits(p.Tokens))
	for _, r := range records {
		sixGrams(r, p.Six.add)
	}
	p.measure(records)
	p.Topics = newTopics(records, seed)
	return p
}

// logBits gives each 6-gram eight bits, from 8 KB to 4 MB: one new 6-gram in eight passes for a known one.
func logBits(tokens int) int {
	n := 16
	for n < 25 && 1<<n < 8*tokens {
		n++
	}
	return n
}

// measure takes each signal's distribution at each length, a record's own words left out of the counts: texts outside of
// the profile meet it that way.
func (p *profile) measure(records [][]uint64) {
	var values [len(cuts)][numSignals][]float64
	var logs []float32
	var seen counter
	for _, r := range records {
		if len(r) < minPairWords {
			continue
		}
		logs = p.Vocab.logsWithout(r, logs)
		for c, n := range cuts {
			if n > len(r) && c > 0 {
				break
			}
			v := gateSignals(r, logs, min(n, len(r)), &seen)
			for s := range v {
				values[c][s] = append(values[c][s], v[s])
			}
		}
	}
	for c := range cuts {
		for s := range values[c] {
			if c > 0 && len(values[c][s]) < 50 { // too few texts are that long
				p.Dists[c][s] = p.Dists[c-1][s]
				continue
			}
			sort.Float64s(values[c][s])
			p.Dists[c][s] = newDistribution(values[c][s])
		}
	}
}
