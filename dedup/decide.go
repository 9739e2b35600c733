package dedup

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/retort-data/retort/schema"
)

// mostOfBand is the number of entries under one band's key after which no more are entered there: only a cluster of
// many texts that are alike, but of different prompts, comes so far, and its first members find the next ones.
const mostOfBand = 64

// Decide says for each item of page seq whether an entry before it, of earlier pages or earlier in this one, is a
// duplicate. It changes nothing: the same page on the same root is decided the same, however often.
func (ix *Index) Decide(ctx context.Context, seq int, page []Item) ([]Decision, error) {
	if last := ix.points[ix.at].seq; seq <= last {
		return nil, fault("index_order", fmt.Errorf("page %d after page %d", seq, last))
	}
	d := newDecider(ix, page)
	out := make([]Decision, len(page))
	for i := range page {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := d.decide(i, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// decider decides the items of one page in order. Entered items of the page are numbered after the visible entries.
type decider struct {
	ix      *Index
	page    []Item
	limit   uint32
	least   int      // equal bits below which two sketches are not looked at
	own     *table   // keys of the page's entered items
	entered []int    // their places in page
	metas   []meta   // their metas
	hits    []uint32 // candidates of all bands
	set     []uint32
}

func newDecider(ix *Index, page []Item) *decider {
	limit := ix.points[ix.at].entries
	p := ix.opts.Params
	return &decider{ix: ix, page: page, limit: limit, least: leastBits(ix.opts.Near.Jaccard, min(128, p.Bands*p.Rows)),
		own: newTable(len(page)*(p.Keys()+2), limit)}
}

// leastBits is six standard deviations below the mean of the equal bits of two sets with Jaccard index j; the
// 128-n bits that are never set are equal.
func leastBits(j float64, n int) int {
	p := (1 + j) / 2
	return 128 - n + int(float64(n)*p-6*math.Sqrt(float64(n)*p*(1-p)))
}

// found collects what the looks at an item have found.
type found struct {
	exact, near, flag    uint32 // entries; none where nothing was found
	nearJaccard, flagged float64
}

const none = math.MaxUint32

func (d *decider) decide(i int, out *Decision) error {
	it := &d.page[i]
	if !it.Live || it.Sketch.Empty() {
		return nil
	}
	f := found{exact: none, near: none, flag: none}
	m := meta{prompt: promptHash(it.PromptID), bits: it.Sketch.Bits, size: uint32(len(it.Sketch.Set))}
	out.first = true
	if err := d.lookExact(it, &m, &f, out); err != nil {
		return err
	}
	if err := d.lookPrompt(it, &m, &f); err != nil {
		return err
	}
	if f.exact == none && d.ix.opts.Near.Do != schema.DoOff {
		if err := d.lookBands(it, &m, &f); err != nil {
			return err
		}
	}
	if err := d.conclude(&f, out); err != nil {
		return err
	}
	if out.Enter {
		d.enter(i, &m, out)
	}
	return nil
}

// lookExact finds the first entry with the same exact hash.
func (d *decider) lookExact(it *Item, m *meta, f *found, out *Decision) error {
	for _, id := range d.ids(exactKey(it.Sketch.Exact)) {
		c, r, err := d.read(id)
		if err != nil {
			return err
		}
		if r.exact != it.Sketch.Exact {
			continue
		}
		out.first = false
		switch {
		case d.ix.opts.Exact.Do != schema.DoOff && d.inScope(d.ix.opts.Exact.Scope, m, &c):
			f.exact = id
			return nil
		case f.flag == none && !d.inScope(d.ix.opts.Near.Scope, m, &c):
			f.flag, f.flagged = id, 1
		}
	}
	return nil
}

// lookPrompt compares with every entry of the same prompt, where a scope asks for them.
func (d *decider) lookPrompt(it *Item, m *meta, f *found) error {
	o := &d.ix.opts
	exact := o.Exact.Do != schema.DoOff && o.Exact.Scope == schema.ScopePrompt && f.exact == none
	near := o.Near.Do != schema.DoOff && o.Near.Scope == schema.ScopePrompt
	if m.prompt == 0 || !exact && !near {
		return nil
	}
	for id := d.lastOfPrompt(m.prompt); id != 0; {
		c := d.meta(id - 1)
		if c.prompt == m.prompt && d.mayBeAlike(m, &c) {
			_, r, err := d.read(id - 1)
			if err != nil {
				return err
			}
			if exact && r.exact == it.Sketch.Exact {
				f.exact = id - 1
			}
			if near {
				d.compare(it, id-1, r.set, f)
			}
		}
		id = c.prev
	}
	return nil
}

// lookBands compares with the entries that share a band: all in scope, and the first that is alike outside.
func (d *decider) lookBands(it *Item, m *meta, f *found) error {
	d.hits = d.hits[:0]
	for _, key := range it.Sketch.Bands {
		d.hits = append(d.hits, d.ids(key)...)
	}
	slices.Sort(d.hits)
	for _, id := range slices.Compact(d.hits) {
		c := d.meta(id)
		if !d.mayBeAlike(m, &c) {
			continue
		}
		in := d.inScope(d.ix.opts.Near.Scope, m, &c)
		if !in && f.flag != none {
			continue
		}
		_, r, err := d.read(id)
		if err != nil {
			return err
		}
		if in {
			d.compare(it, id, r.set, f)
		} else if j := Jaccard(it.Sketch.Set, r.set); j >= d.ix.opts.Near.Jaccard {
			f.flag, f.flagged = id, j
		}
	}
	return nil
}

// compare takes id where it is alike: the most alike, and of equally alike ones the first.
func (d *decider) compare(it *Item, id uint32, set []uint32, f *found) {
	j := Jaccard(it.Sketch.Set, set)
	if j < d.ix.opts.Near.Jaccard {
		return
	}
	if f.near == none || j > f.nearJaccard || j == f.nearJaccard && id < f.near {
		f.near, f.nearJaccard = id, j
	}
}

// conclude turns what was found into the decision.
func (d *decider) conclude(f *found, out *Decision) (err error) {
	do := ""
	switch {
	case f.exact != none:
		out.Check, out.Jaccard, do = CheckExact, 1, d.ix.opts.Exact.Do
		out.Of, err = d.id(f.exact)
	case f.near != none:
		out.Check, out.Jaccard, do = CheckNear, f.nearJaccard, d.ix.opts.Near.Do
		out.Of, err = d.id(f.near)
	}
	out.Drop = do == schema.DoDrop
	out.Enter = !out.Drop
	if f.flag != none && !out.Drop && err == nil {
		out.NearJaccard = f.flagged
		out.Near, err = d.id(f.flag)
	}
	return err
}

// enter makes the item visible to those after it in the page.
func (d *decider) enter(i int, m *meta, out *Decision) {
	s := &d.page[i].Sketch
	id := d.limit + uint32(len(d.entered))
	if out.first {
		for b, key := range s.Bands {
			if len(d.ids(key)) < mostOfBand {
				out.mask |= 1 << b
				d.own.insert(key, id)
			}
		}
		d.own.insert(exactKey(s.Exact), id)
	}
	if m.prompt != 0 {
		m.prev = d.lastOfPrompt(m.prompt)
		d.own.replace(promptKey(m.prompt), id)
	}
	d.entered, d.metas = append(d.entered, i), append(d.metas, *m)
}

// ids are the visible entries of a key, in order.
func (d *decider) ids(key uint64) []uint32 {
	var ids []uint32
	for _, t := range d.ix.tables {
		ids = t.appendIDs(ids, key, d.limit)
	}
	return d.own.appendIDs(ids, key, none)
}

// lastOfPrompt is the newest visible entry of the prompt, plus 1; 0 for none.
func (d *decider) lastOfPrompt(prompt uint64) uint32 {
	if ids := d.own.appendIDs(nil, promptKey(prompt), none); len(ids) > 0 {
		return ids[0] + 1
	}
	id := d.ix.lastOfPrompt(prompt, none)
	for id > d.limit { // ahead of the page
		id = d.ix.entries.metas[id-1].prev
	}
	return id
}

func (d *decider) inScope(scope string, m, c *meta) bool {
	return scope == schema.ScopeDataset || m.prompt != 0 && m.prompt == c.prompt
}

// mayBeAlike says by size and bits whether reading the entry's set can be worth it.
func (d *decider) mayBeAlike(m, c *meta) bool {
	if !canReach(int(m.size), int(c.size), d.ix.opts.Near.Jaccard) {
		return false
	}
	different := bits.OnesCount64(m.bits[0]^c.bits[0]) + bits.OnesCount64(m.bits[1]^c.bits[1])
	return 128-different >= d.least
}

func (d *decider) meta(id uint32) meta {
	if id >= d.limit {
		return d.metas[id-d.limit]
	}
	return d.ix.entries.metas[id]
}

// read returns an entry; the set is valid until the next call.
func (d *decider) read(id uint32) (c meta, r record, err error) {
	c = d.meta(id)
	if id >= d.limit {
		it := &d.page[d.entered[id-d.limit]]
		return c, record{id: it.ID, exact: it.Sketch.Exact, set: it.Sketch.Set}, nil
	}
	r, err = d.ix.entries.record(c, d.set[:0])
	d.set = r.set
	return c, r, err
}

func (d *decider) id(id uint32) (string, error) {
	_, r, err := d.read(id)
	return r.id, err
}
