package report

import (
	"math"
	"math/rand/v2"
	"slices"
)

// mostValues bounds what is kept of a stream of values; quantiles of so many are right to a point or two in a hundred.
const mostValues = 2000

// reservoir keeps an even sample of a stream (Vitter's algorithm R), with its count and mean.
type reservoir struct {
	n      int64
	sum    float64
	values []float64
}

func (r *reservoir) add(rng *rand.Rand, x float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return
	}
	r.n++
	r.sum += x
	if len(r.values) < mostValues {
		r.values = append(r.values, x)
	} else if at := rng.Int64N(r.n); at < mostValues {
		r.values[at] = x
	}
}

// distribution sorts the sample and cuts it into shares from low to high; bins 0 gives none.
func (r *reservoir) distribution(low, high float64, bins int) Distribution {
	d := Distribution{N: r.n}
	if r.n == 0 {
		return d
	}
	slices.Sort(r.values)
	d.Mean, d.P5, d.Median, d.P95 = r.sum/float64(r.n), quantile(r.values, 0.05), quantile(r.values, 0.5), quantile(r.values, 0.95)
	if bins == 0 {
		return d
	}
	d.Shares = make([]float64, bins)
	for _, x := range r.values {
		at := 0
		if high > low {
			at = min(bins-1, max(0, int((x-low)/(high-low)*float64(bins))))
		}
		d.Shares[at] += 1 / float64(len(r.values))
	}
	for i := range d.Shares {
		d.Shares[i] = math.Round(d.Shares[i]*1e5) / 1e5
	}
	return d
}

// quantile of sorted values.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// ksDistance is the two-sample Kolmogorov–Smirnov distance of sorted values.
func ksDistance(a, b []float64) (most float64) {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		x := min(a[i], b[j])
		for i < len(a) && a[i] <= x {
			i++
		}
		for j < len(b) && b[j] <= x {
			j++
		}
		most = max(most, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return most
}
