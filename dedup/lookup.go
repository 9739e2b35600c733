package dedup

import (
	"math/bits"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// ref is an entry of a layer or of the index itself: the number of the collection (layers in their order, then the
// index) above the entry's number in it. So refs are in order of decision.
type ref uint64

const none = ^ref(0)

func newRef(collection int, id uint32) ref { return ref(collection)<<32 | ref(id) }

func (r ref) collection() int { return int(r >> 32) }
func (r ref) id() uint32      { return uint32(r) }

// Keys of an item in order: its exact hash, its prompt, its bands.
const (
	atExact = iota
	atPrompt
	atBands
)

// share is a run of a page's items that are looked up together: all keys in order, one pass over each run of each
// collection.
type share struct {
	items   []Item
	keys    int      // of an item
	starts  []uint32 // of each key's refs
	refs    []ref
	fetched map[ref]fetched // entries on local disk that may be alike
}

type fetched struct {
	meta meta
	raw  []byte // of the record; nil where it was not read
}

// found are the entries of a key of an item.
func (s *share) found(item, at int) []ref {
	k := item*s.keys + at
	return s.refs[s.starts[k]:s.starts[k+1]]
}

// lookUp looks the keys of page's items up in all collections, in shares on all cores.
func (ix *Index) lookUp(page []Item, least int) ([]*share, error) {
	const smallest = 256 // items for which another goroutine pays
	n := max(min(runtime.GOMAXPROCS(0), len(page)/smallest), 1)
	shares := make([]*share, n)
	var g errgroup.Group
	for i := range shares {
		s := &share{items: page[i*len(page)/n : (i+1)*len(page)/n], keys: atBands + ix.opts.Params.Keys()}
		shares[i] = s
		g.Go(func() error { return ix.lookUpShare(s, least) })
	}
	return shares, g.Wait()
}

func (ix *Index) lookUpShare(s *share, least int) error {
	want := s.wanted()
	if ix.onDisk() {
		sortWanted(want)
	}
	type placed struct {
		at  uint32
		ref ref
	}
	var all []placed
	var hits []hit
	for c := range len(ix.layers) + 1 {
		var err error
		if hits, err = ix.collection(c).find(hits[:0], want); err != nil {
			return err
		}
		for _, h := range hits {
			all = append(all, placed{h.at, newRef(c, h.id)})
		}
	}
	s.starts = make([]uint32, len(s.items)*s.keys+1)
	for _, p := range all {
		s.starts[p.at+1]++
	}
	for i := 1; i < len(s.starts); i++ {
		s.starts[i] += s.starts[i-1]
	}
	s.refs = make([]ref, len(all))
	next := slices.Clone(s.starts)
	for _, p := range all { // stable: refs of a key stay in order
		s.refs[next[p.at]] = p.ref
		next[p.at]++
	}
	return ix.fetch(s, least)
}

// wanted lists the keys of all live items.
func (s *share) wanted() []wanted {
	out := make([]wanted, 0, len(s.items)*s.keys)
	for i := range s.items {
		it := &s.items[i]
		if !it.compared() {
			continue
		}
		first := uint32(i * s.keys)
		out = append(out, wanted{exactKey(it.Sketch.Exact), first + atExact})
		if it.PromptID != "" {
			out = append(out, wanted{promptKey(promptHash(it.PromptID)), first + atPrompt})
		}
		for b, key := range it.Sketch.Bands {
			out = append(out, wanted{key, first + atBands + uint32(b)})
		}
	}
	return out
}

// mostFetched bounds the entries of a share that are read ahead; what is beyond is read when it is needed.
const mostFetched = 1 << 14

// fetch reads what the items will be compared with from local disk, in order of the entries.
func (ix *Index) fetch(s *share, least int) error {
	if !ix.onDisk() {
		return nil
	}
	s.fetched = map[ref]fetched{}
	for i := range s.items {
		it := &s.items[i]
		if !it.compared() {
			continue
		}
		m := it.meta()
		for at := range s.keys {
			for _, r := range s.found(i, at) {
				if err := ix.fetchOne(s, r, &m, at == atExact, least); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (ix *Index) fetchOne(s *share, r ref, m *meta, exact bool, least int) error {
	e := &ix.collection(r.collection()).entries
	if r.id() >= e.base || len(s.fetched) >= mostFetched {
		return nil
	}
	f, ok := s.fetched[r]
	var err error
	if !ok {
		if f.meta, err = e.meta(r.id()); err != nil {
			return err
		}
	}
	if f.raw == nil && (exact || mayBeAlike(m, &f.meta, ix.opts.Near.Jaccard, least)) {
		if f.raw, err = e.raw(r.id(), &f.meta, nil); err != nil {
			return err
		}
	}
	s.fetched[r] = f
	return nil
}

// mayBeAlike says by size and bits whether reading an entry's set can be worth it.
func mayBeAlike(a, b *meta, jaccard float64, least int) bool {
	if !canReach(int(a.size), int(b.size), jaccard) {
		return false
	}
	different := bits.OnesCount64(a.bits[0]^b.bits[0]) + bits.OnesCount64(a.bits[1]^b.bits[1])
	return 128-different >= least
}

// collection is layer c, or the index's own entries after the last layer.
func (ix *Index) collection(c int) *collection {
	if c < len(ix.layers) {
		return ix.layers[c].collection
	}
	return ix.own
}

func (ix *Index) onDisk() bool {
	for c := range len(ix.layers) + 1 {
		if x := ix.collection(c); len(x.runs) > 0 || x.entries.base > 0 {
			return true
		}
	}
	return false
}
