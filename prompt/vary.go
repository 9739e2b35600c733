package prompt

import (
	"maps"
	"math/bits"
	"slices"

	"github.com/retort-data/retort/schema"
)

// combinations enumerates the values of vary: names in order of the alphabet, the last one turning fastest.
type combinations struct {
	names  []string
	values [][]any
	total  int
	sample int
}

func newCombinations(v schema.Vary) *combinations {
	c := &combinations{names: slices.Sorted(maps.Keys(v.Values)), total: 1, sample: v.Sample}
	for _, name := range c.names {
		c.values = append(c.values, v.Values[name])
		c.total *= len(v.Values[name])
	}
	return c
}

// perRow is the number of prompts that a row gives.
func (c *combinations) perRow() int {
	if c.sample > 0 && c.sample < c.total {
		return c.sample
	}
	return c.total
}

// at returns the i-th combination.
func (c *combinations) at(i int) map[string]any {
	if len(c.names) == 0 {
		return nil
	}
	out := make(map[string]any, len(c.names))
	for k := len(c.names) - 1; k >= 0; k-- {
		n := len(c.values[k])
		out[c.names[k]] = c.values[k][i%n]
		i /= n
	}
	return out
}

// forRow returns the indices of a row's combinations in rising order: all, or a sample of them drawn by seed, source and row.
func (c *combinations) forRow(seed uint64, source int, row int64) []int {
	n := c.perRow()
	chosen := make([]int, 0, n)
	if n == c.total {
		for i := range n {
			chosen = append(chosen, i)
		}
		return chosen
	}
	// Floyd's sampling without replacement (Bentley, Programming Pearls, CACM 30:9)
	random := splitMix(mix(mix(seed, uint64(source)), uint64(row)))
	seen := make(map[int]bool, n)
	for j := c.total - n; j < c.total; j++ {
		k := random.below(j + 1)
		if seen[k] {
			k = j
		}
		seen[k] = true
		chosen = append(chosen, k)
	}
	slices.Sort(chosen)
	return chosen
}

// splitMix is SplitMix64 (Steele, Lea, Flood 2014). It is written out so that a plan never depends on a Go release.
type splitMix uint64

func (s *splitMix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1; its bias is below n/2^64.
func (s *splitMix) below(n int) int {
	hi, _ := bits.Mul64(s.next(), uint64(n))
	return int(hi)
}

func mix(a, b uint64) uint64 {
	s := splitMix(a ^ bits.RotateLeft64(b*0x9e3779b97f4a7c15, 32))
	return s.next()
}
