package quality

import "math"

// Signals of single records that the gate bets on. They are compared at an equal number of words.
const (
	sigMaxRar = iota // mean log-probability of the five rarest words: higher is worse
	sigUniLP         // mean log-probability: higher is worse
	sigHrec          // entropy of the words: lower is worse
	sigRep4          // share of 4-grams that came before: higher is worse
	numSignals
)

const rarest = 5

// gateSignals measures the first n words; logs are their log-probabilities.
func gateSignals(words []uint64, logs []float32, n int, seen *counter) (v [numSignals]float64) {
	words, logs = words[:n], logs[:n]
	var low [rarest]float32 // ascending
	for i := range low {
		low[i] = math.MaxFloat32
	}
	sum := 0.0
	for _, l := range logs {
		sum += float64(l)
		if l < low[rarest-1] {
			i := rarest - 1
			for i > 0 && low[i-1] > l {
				low[i] = low[i-1]
				i--
			}
			low[i] = l
		}
	}
	rare, k := 0.0, min(rarest, n)
	for _, l := range low[:k] {
		rare += float64(l)
	}
	v[sigMaxRar] = rare / float64(k)
	v[sigUniLP] = sum / float64(n)

	seen.reset(n)
	h := 0.0
	for _, w := range words {
		h += entropyStep(seen.add(w))
	}
	v[sigHrec] = math.Log2(float64(n)) - h/float64(n)

	if n >= 4 {
		seen.reset(n)
		dup := 0
		for i := 0; i+4 <= n; i++ {
			g := uint64(4)
			for _, x := range words[i : i+4] {
				g = (g ^ x) * ngramPrime
			}
			if seen.add(g) > 1 {
				dup++
			}
		}
		v[sigRep4] = float64(dup) / float64(n-3)
	}
	return v
}

// distribution is the distribution function of a signal on the profile: quantiles at equal steps.
type distribution struct{ Quantiles []float64 }

const quantiles = 512

func newDistribution(sorted []float64) distribution {
	if len(sorted) <= quantiles {
		return distribution{sorted}
	}
	d := distribution{make([]float64, quantiles)}
	for i := range d.Quantiles {
		d.Quantiles[i] = sorted[i*(len(sorted)-1)/(quantiles-1)]
	}
	return d
}

// of returns F(x), 0 to 1, half-way where x is one of many equal values.
func (d distribution) of(x float64) float64 {
	q := d.Quantiles
	if len(q) == 0 {
		return 0.5
	}
	lo, hi := 0, len(q)
	for lo < hi { // first quantile >= x
		if m := (lo + hi) / 2; q[m] < x {
			lo = m + 1
		} else {
			hi = m
		}
	}
	below := lo
	for hi = len(q); lo < hi; { // first quantile > x
		if m := (lo + hi) / 2; q[m] <= x {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return float64(below+lo) / float64(2*len(q))
}

// cuts are the lengths at which the profile's distributions are taken: a pair uses the nearest.
var cuts = [...]int{16, 32, 64, 128, 256, 512}

func nearestCut(n int) int {
	for i := range cuts {
		if i+1 == len(cuts) || n*n <= cuts[i]*cuts[i+1] {
			return i
		}
	}
	return 0
}
