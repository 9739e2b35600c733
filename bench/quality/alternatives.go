package main

import (
	"math"
	"sort"

	"github.com/retort-data/retort/quality"
)

// The usual ways to see drift, on the gate's own signals of records: an alarm of any of the four signals counts.
const (
	psi     = iota // population stability index > 0.25 of blocks of 100 against the twins
	sigma3         // mean of a block of 100 beyond 3 standard errors of the twins'
	rolling        // mean of a block of 100 beyond 3 standard errors of the mean of the five blocks before
	adwin          // ADWIN (Bifet and Gavaldà 2007), δ = 0.002 over the four signals
	numAlternatives
)

var alternativeNames = [numAlternatives]string{"PSI > .25", "3 σ a block", "rolling baseline", "ADWIN"}

const (
	blockSize  = 100
	numSignals = 4
)

type alternatives struct {
	anchor  *quality.Anchor
	edges   [numSignals][]float64 // deciles of the twins
	shares  [numSignals][]float64 // of the twins between them
	mean    [numSignals]float64
	sd      [numSignals]float64
	block   [numSignals][]float64
	means   [numSignals][]float64
	windows [numSignals][]float64
	alarms  [numAlternatives]int
}

func newAlternatives(a *quality.Anchor, twins []record) *alternatives {
	x := &alternatives{anchor: a}
	var values [numSignals][]float64
	for _, t := range twins[:min(len(twins), 500)] {
		v := quality.SignalsFor(a, t.f)
		for s := range v {
			values[s] = append(values[s], v[s])
		}
	}
	for s := range values {
		x.mean[s], x.sd[s] = moments(values[s])
		sort.Float64s(values[s])
		for d := 1; d < 10; d++ {
			x.edges[s] = append(x.edges[s], values[s][d*len(values[s])/10])
		}
		x.shares[s] = histogram(x.edges[s], values[s])
	}
	return x
}

func moments(v []float64) (mean, sd float64) {
	for _, y := range v {
		mean += y / float64(len(v))
	}
	for _, y := range v {
		sd += (y - mean) * (y - mean) / float64(len(v)-1)
	}
	return mean, math.Sqrt(sd)
}

func histogram(edges, v []float64) []float64 {
	h := make([]float64, len(edges)+1)
	for _, y := range v {
		h[sort.SearchFloat64s(edges, y)]++
	}
	for i := range h {
		h[i] = (h[i] + 0.5) / (float64(len(v)) + 0.5*float64(len(h)))
	}
	return h
}

func (x *alternatives) raise(k, at int) {
	if x.alarms[k] == 0 {
		x.alarms[k] = at
	}
}

func (x *alternatives) observe(f quality.Features, at int) {
	v := quality.SignalsFor(x.anchor, f)
	for s := range v {
		x.block[s] = append(x.block[s], v[s])
		x.windows[s] = append(x.windows[s], v[s])
		if at%32 == 0 && x.alarms[adwin] == 0 {
			if cut := adwinCut(x.windows[s], 0.002/numSignals); cut > 0 {
				x.raise(adwin, at)
			}
		}
		if len(x.block[s]) == blockSize {
			x.closeBlock(s, at)
		}
	}
}

func (x *alternatives) closeBlock(s, at int) {
	got := histogram(x.edges[s], x.block[s])
	index := 0.0
	for i := range got {
		index += (got[i] - x.shares[s][i]) * math.Log(got[i]/x.shares[s][i])
	}
	if index > 0.25 {
		x.raise(psi, at)
	}
	m, _ := moments(x.block[s])
	se := x.sd[s] / math.Sqrt(blockSize)
	if math.Abs(m-x.mean[s]) > 3*se {
		x.raise(sigma3, at)
	}
	if n := len(x.means[s]); n >= 5 {
		base, _ := moments(x.means[s][n-5:])
		if math.Abs(m-base) > 3*se*math.Sqrt(1.2) {
			x.raise(rolling, at)
		}
	}
	x.means[s] = append(x.means[s], m)
	x.block[s] = x.block[s][:0]
}

// adwinCut returns where a window splits into two of different means, or 0.
func adwinCut(v []float64, delta float64) int {
	n := float64(len(v))
	if n < 64 {
		return 0
	}
	_, sd := moments(v)
	sum := 0.0
	for _, y := range v {
		sum += y
	}
	lo, hi := v[0], v[0]
	for _, y := range v {
		lo, hi = min(lo, y), max(hi, y)
	}
	span := max(hi-lo, 1e-9)
	d := math.Log(2 * math.Log(n) / delta)
	left := 0.0
	for i := 0; i+32 < len(v); i++ {
		left += v[i]
		if i < 31 || i%8 != 0 {
			continue
		}
		n0, n1 := float64(i+1), n-float64(i+1)
		m := 1 / (1/n0 + 1/n1)
		eps := span * (math.Sqrt(2/m*(sd/span)*(sd/span)*d) + 2/(3*m)*d)
		if math.Abs(left/n0-(sum-left)/n1) > eps {
			return i + 1
		}
	}
	return 0
}
