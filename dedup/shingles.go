package dedup

import (
	"math/bits"
	"slices"
)

// shingle appends the hash of each run of k tokens to dst, in order of the text; there are at least k tokens. The
// hash is a polynomial over the tokens' hashes that rolls in one step a token, mixed.
func shingle(dst []uint32, tokens []uint64, k int) []uint32 {
	const base = k1
	out := uint64(1)
	for range k {
		out *= base
	}
	var h uint64
	for _, t := range tokens[:k] {
		h = h*base + t
	}
	dst = append(dst, uint32(mixFully(h)>>32))
	for i, t := range tokens[k:] {
		h = h*base + t - out*tokens[i]
		dst = append(dst, uint32(mixFully(h)>>32))
	}
	return dst
}

// sorter sorts hashes: they are spread evenly, so that a place by the leading bits is nearly the right one.
type sorter struct {
	counts []uint32
	out    []uint32
}

// distinct returns the sorted distinct values of in, in a buffer that the next call uses again.
func (s *sorter) distinct(in []uint32) []uint32 {
	b := min(max(bits.Len(uint(len(in))), 2), 16)
	s.counts = slices.Grow(s.counts[:0], 1<<b)[:1<<b]
	s.out = slices.Grow(s.out[:0], len(in))[:len(in)]
	clear(s.counts)
	shift := 32 - b
	for _, v := range in {
		s.counts[v>>shift]++
	}
	sum := uint32(0)
	for i, n := range s.counts {
		s.counts[i] = sum
		sum += n
	}
	for _, v := range in {
		at := &s.counts[v>>shift]
		s.out[*at] = v
		*at++
	}
	if len(in) > 1<<18 {
		slices.Sort(s.out) // too many for each place
	} else {
		insertionSort(s.out)
	}
	return slices.Compact(s.out)
}

func insertionSort(v []uint32) {
	for i := 1; i < len(v); i++ {
		x, j := v[i], i
		for j > 0 && v[j-1] > x {
			v[j] = v[j-1]
			j--
		}
		v[j] = x
	}
}
