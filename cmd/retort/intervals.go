package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is an estimate with its 95% interval; High is nil where the sample bounds it by nothing.
type Interval struct {
	Value float64  `json:"value"`
	Low   float64  `json:"low"`
	High  *float64 `json:"high"`
}

// z95 is the normal distribution's 97.5% point.
const z95 = 1.959964

// wilson is the score interval of a share (Wilson, JASA 22:209, 1927): right also for few and for none.
func wilson(hits, n int64) Interval {
	if n == 0 {
		high := 1.0
		return Interval{High: &high}
	}
	p, m := float64(hits)/float64(n), float64(n)
	mid := (p + z95*z95/(2*m)) / (1 + z95*z95/m)
	half := z95 / (1 + z95*z95/m) * math.Sqrt(p*(1-p)/m+z95*z95/(4*m*m))
	high := min(1, mid+half)
	return Interval{Value: p, Low: max(0, mid-half), High: &high}
}

const resamples = 2000

// bootstrap is the percentile interval (Efron 1979) of a statistic of n units that are drawn anew with replacement. The statistic gets
// how often each unit was drawn; what isn't a number sorts as infinite. Same seed, same interval.
func bootstrap(n int, seed uint64, statistic func(times []int) float64) *Interval {
	if n == 0 {
		return nil
	}
	times := make([]int, n)
	for i := range times {
		times[i] = 1
	}
	value := statistic(times)
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return nil
	}
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	drawn := make([]float64, resamples)
	for k := range drawn {
		clear(times)
		for range n {
			times[rng.IntN(n)]++
		}
		if drawn[k] = statistic(times); math.IsNaN(drawn[k]) {
			drawn[k] = math.Inf(1)
		}
	}
	slices.Sort(drawn)
	out := &Interval{Value: value, Low: drawn[resamples*25/1000]}
	if high := drawn[resamples*975/1000-1]; !math.IsInf(high, 0) {
		out.High = &high
	}
	return out
}
