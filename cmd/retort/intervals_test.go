package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Published values: Newcombe, Statistics in Medicine 17:857 (1998), table I, method 3.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		hits, n   int64
		low, high float64
	}{{81, 263, .2553, .3662}, {15, 148, .0624, .1605}, {0, 20, 0, .1611}, {1, 29, .0061, .1718}} {
		got := wilson(c.hits, c.n)
		if math.Abs(got.Low-c.low) > 5e-5 || math.Abs(*got.High-c.high) > 5e-5 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.hits, c.n, got.Low, *got.High, c.low, c.high)
		}
	}
}

// The bootstrap of a mean covers it about as often as it says.
func TestBootstrapCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	covered := 0
	const rounds = 200
	for range rounds {
		x := make([]float64, 60)
		for i := range x {
			x[i] = rng.ExpFloat64()
		}
		got := bootstrap(len(x), 7, func(times []int) float64 {
			sum := 0.0
			for i, n := range times {
				sum += float64(n) * x[i]
			}
			return sum / float64(len(x))
		})
		if got.Low <= 1 && *got.High >= 1 {
			covered++
		}
	}
	if covered < rounds*88/100 || covered == rounds {
		t.Errorf("%d of %d intervals hold the mean", covered, rounds)
	}
}

// A ratio whose denominator may vanish has no upper bound, and none at all without anything.
func TestBootstrapOfRatio(t *testing.T) {
	ratio := func(x []int) func([]int) float64 {
		return func(times []int) float64 {
			hits := 0
			for i, n := range times {
				hits += n * x[i]
			}
			return float64(len(x)) / float64(hits)
		}
	}
	if got := bootstrap(10, 1, ratio([]int{1, 0, 0, 0, 0, 0, 0, 0, 0, 0})); got == nil || got.High != nil || got.Low <= 0 {
		t.Errorf("%+v", got)
	}
	if got := bootstrap(3, 1, ratio([]int{0, 0, 0})); got != nil {
		t.Errorf("%+v", got)
	}
	if got := bootstrap(0, 1, nil); got != nil {
		t.Errorf("%+v", got)
	}
}
