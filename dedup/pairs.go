package dedup

import (
	"context"
	"iter"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/retort-data/retort/schema"
	"golang.org/x/sync/errgroup"
)

// Pair are two alike texts, by their places in the corpus from 0; A < B.
type Pair struct {
	A, B    int
	Jaccard float64
}

// PairOptions of Pairs.
type PairOptions struct {
	Near    schema.NearCheck // parameters and Jaccard index; what is 0 has its default
	Least   float64          // least Jaccard index of a pair; 0 is Near.Jaccard - 0.05, so that what just misses is seen
	Threads int              // 0 is 1
}

// PairList is what Pairs found.
type PairList struct {
	Pairs []Pair // in order of B and A

	// Starred is the number of texts that are left out of the search, because a hundred texts before them have the very
	// same set. Each is paired with the first of those alone: the pairs of n equal texts would be n²/2.
	Starred int
}

// Pairs finds the pairs of texts with a Jaccard index of at least opts.Least that share an LSH band. A pair is found with probability 1-(1-J^rows)^Params.Keys; every pair returned is verified. It holds the sketches
// in memory: some four bytes a word, and 250 a text. Two texts without any sign are no pair.
func Pairs(ctx context.Context, texts iter.Seq[string], opts PairOptions) (PairList, error) {
	withDefaults(&schema.ExactCheck{}, &opts.Near)
	if opts.Least == 0 {
		opts.Least = opts.Near.Jaccard - .05
	}
	c := &corpus{params: ParamsOf(opts.Near), least: opts.Least, threads: max(opts.Threads, 1)}
	if err := c.params.Check(); err != nil {
		return PairList{}, err
	}
	c.leastBits = leastBits(c.least, min(128, c.params.Bands*c.params.Rows))
	if err := c.sketchAll(ctx, texts); err != nil {
		return PairList{}, err
	}
	stars := c.star()
	pairs, err := c.join(ctx)
	if err != nil {
		return PairList{}, err
	}
	pairs = append(pairs, stars...)
	slices.SortFunc(pairs, func(x, y Pair) int {
		if x.B != y.B {
			return x.B - y.B
		}
		return x.A - y.A
	})
	return PairList{Pairs: pairs, Starred: len(stars)}, nil
}

// corpus holds the sketches of all texts.
type corpus struct {
	params    Params
	least     float64
	leastBits int
	threads   int

	sets  [][]uint32
	bits  [][2]uint64
	bands []uint64 // params.Keys of each text; ^0 where the text is empty
}

// batchTexts are sketched together: enough that handing them over costs nothing.
const batchTexts = 256

// batch is a run of texts with their sketches.
type batch struct {
	texts []string
	sets  [][]uint32
	bits  [][2]uint64
	bands []uint64
	done  sync.WaitGroup
}

// sketchAll sketches texts on all threads and keeps their order.
func (c *corpus) sketchAll(ctx context.Context, texts iter.Seq[string]) error {
	todo := make(chan *batch, c.threads)
	waiting := make(chan *batch, 4*c.threads)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(todo)
		defer close(waiting)
		return feed(ctx, texts, todo, waiting)
	})
	for range c.threads {
		g.Go(func() error { return c.sketchBatches(todo) })
	}
	for b := range waiting {
		b.done.Wait()
		c.sets, c.bits, c.bands = append(c.sets, b.sets...), append(c.bits, b.bits...), append(c.bands, b.bands...)
	}
	return g.Wait()
}

// feed cuts texts into batches, for those who sketch and for the one who collects.
func feed(ctx context.Context, texts iter.Seq[string], todo, waiting chan<- *batch) error {
	b := &batch{}
	send := func() error {
		if len(b.texts) == 0 {
			return nil
		}
		b.done.Add(1)
		select {
		case todo <- b:
			waiting <- b
		case <-ctx.Done():
			return ctx.Err()
		}
		b = &batch{}
		return nil
	}
	for text := range texts {
		if b.texts = append(b.texts, text); len(b.texts) == batchTexts {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

func (c *corpus) sketchBatches(todo <-chan *batch) error {
	s, err := NewSketcher(c.params)
	if err != nil {
		return err
	}
	var k Sketch
	var all []uint32
	for b := range todo {
		all = all[:0]
		ends := make([]int, 0, len(b.texts))
		for _, text := range b.texts {
			s.SketchInto(&k, text)
			all = append(all, k.Set...)
			ends = append(ends, len(all))
			b.bits = append(b.bits, k.Bits)
			b.bands = append(b.bands, k.Bands...)
			for range c.params.Keys() - len(k.Bands) {
				b.bands = append(b.bands, ^uint64(0))
			}
		}
		b.cutSets(slices.Clone(all), ends)
		b.texts = nil
		b.done.Done()
	}
	return nil
}

// cutSets gives each text its part of all: one allocation a batch.
func (b *batch) cutSets(all []uint32, ends []int) {
	start := 0
	for _, end := range ends {
		b.sets = append(b.sets, all[start:end:end])
		start = end
	}
}

// join looks at the bands, one to a thread, for texts that share them.
func (c *corpus) join(ctx context.Context) ([]Pair, error) {
	var next atomic.Int64
	found := make([][]Pair, c.threads)
	g, ctx := errgroup.WithContext(ctx)
	for t := range c.threads {
		g.Go(func() error {
			var s bandSorter
			for b := int(next.Add(1)) - 1; b < c.params.Keys(); b = int(next.Add(1)) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				found[t] = c.joinBand(found[t], s.sort(c, b), b)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// mostEqual is the number of texts with equal sets that are paired with each other.
const mostEqual = 100

// star takes the texts that have mostEqual equals before them out of the search, and pairs them with the first.
func (c *corpus) star() (pairs []Pair) {
	n := c.params.Keys()
	type equals struct{ first, count int }
	seen := map[[3]uint64]equals{}
	for i, set := range c.sets {
		if len(set) == 0 {
			continue
		}
		key := [3]uint64{c.bits[i][0], c.bits[i][1], c.bands[i*n]}
		e, ok := seen[key]
		switch {
		case !ok:
			seen[key] = equals{i, 1}
		case slices.Equal(c.sets[e.first], set):
			if e.count++; e.count > mostEqual {
				pairs = append(pairs, Pair{A: e.first, B: i, Jaccard: 1})
				for b := range n {
					c.bands[i*n+b] = ^uint64(0)
				}
			}
			seen[key] = e
		}
	}
	return pairs
}

// joinBand appends the pairs of band b; those that an earlier band has found are left to it.
func (c *corpus) joinBand(dst []Pair, sorted []uint64, b int) []Pair {
	for start := 0; start < len(sorted); {
		end := start + 1
		for end < len(sorted) && sorted[end]>>32 == sorted[start]>>32 {
			end++
		}
		for i := start; i < end; i++ {
			for j := i + 1; j < end; j++ {
				dst = c.verify(dst, int(uint32(sorted[i])), int(uint32(sorted[j])), b)
			}
		}
		start = end
	}
	return dst
}

func (c *corpus) verify(dst []Pair, x, y, b int) []Pair {
	different := bits.OnesCount64(c.bits[x][0]^c.bits[y][0]) + bits.OnesCount64(c.bits[x][1]^c.bits[y][1])
	if 128-different < c.leastBits || !canReach(len(c.sets[x]), len(c.sets[y]), c.least) || c.shared(x, y, b) {
		return dst
	}
	if j := Jaccard(c.sets[x], c.sets[y]); j >= c.least {
		dst = append(dst, Pair{A: x, B: y, Jaccard: j})
	}
	return dst
}

// shared says whether x and y have one of the bands before b in common, as joinBand sees them.
func (c *corpus) shared(x, y, b int) bool {
	n := c.params.Keys()
	xs, ys := c.bands[x*n:x*n+b], c.bands[y*n:y*n+b]
	for i := range xs {
		if xs[i]>>8 == ys[i]>>8 {
			return true
		}
	}
	return false
}

// bandSorter sorts the texts by their keys of one band.
type bandSorter struct{ a, b []uint64 }

// sort returns 32 bits of the key above 32 bits of the text's number, in order of both; texts without bands are left
// out.
func (s *bandSorter) sort(c *corpus, band int) []uint64 {
	s.a = s.a[:0]
	for i := range c.sets {
		if key := c.bands[i*c.params.Keys()+band]; key != ^uint64(0) {
			s.a = append(s.a, key>>8<<32|uint64(i))
		}
	}
	s.b = slices.Grow(s.b[:0], len(s.a))[:len(s.a)]
	for shift := 32; shift < 64; shift += 8 {
		radixPass(s.b, s.a, shift)
		s.a, s.b = s.b, s.a
	}
	return s.a
}

// radixPass writes src to dst in order of eight bits from shift on; equal ones keep their order.
func radixPass(dst, src []uint64, shift int) {
	var at [256]int
	for _, v := range src {
		at[v>>shift&0xff]++
	}
	sum := 0
	for i, n := range at {
		at[i] = sum
		sum += n
	}
	for _, v := range src {
		d := v >> shift & 0xff
		dst[at[d]] = v
		at[d]++
	}
}
