package dedup

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/retort-data/retort/schema"
)

// mostOfBand is the number of entries under one band's key after which no more are entered there: only a cluster of
// many texts that are alike, but of different prompts, comes so far, and its first members find the next ones.
const mostOfBand = 64

// Decide says for each item of page seq whether an entry before it, of earlier pages or earlier in this one, is a
// duplicate. It changes nothing: the same page on the same root is decided the same, however often.
func (ix *Index) Decide(ctx context.Context, seq int, page []Item) ([]Decision, error) {
	return ix.decide(ctx, seq, page, &ix.opts, false, nil)
}

// Admit is asked about each item in order, before the next is decided. It may change the item's ID, and says whether an item that the
// decision would enter is admitted: what is not admitted is invisible to the items after it. links are what the item must stay
// together with: every entry found that it is alike, whatever the scope, up to mostLinks; and the newest entry of its prompt.
type Admit func(i int, d *Decision, links []Link) bool

// DecideEach is Decide for a caller who admits by more than duplicates; links are looked for where linked is true.
func (ix *Index) DecideEach(ctx context.Context, seq int, page []Item, linked bool, admit Admit) ([]Decision, error) {
	return ix.decide(ctx, seq, page, &ix.opts, linked, admit)
}

// mostLinks bounds the links of an item: a cluster of more has been linked by its first members.
const mostLinks = 256

func (ix *Index) decide(ctx context.Context, seq int, page []Item, opts *Options, linked bool, admit Admit) ([]Decision, error) {
	if err := ix.checkPage(seq, page); err != nil {
		return nil, err
	}
	d, err := newDecider(ix, page, opts)
	if err != nil {
		return nil, err
	}
	d.linked = linked
	out := make([]Decision, len(page))
	for i := range page {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := d.decide(i, &out[i], admit); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// links names what the item at hand was found to hang together with.
func (d *decider) links() (out []Link, err error) {
	slices.Sort(d.alike)
	for _, id := range slices.Compact(d.alike) {
		_, r, err := d.read(id)
		if err != nil {
			return nil, err
		}
		out = append(out, Link{ID: r.id, In: d.in(id)})
	}
	if d.head != none {
		_, r, err := d.read(d.head)
		if err != nil {
			return nil, err
		}
		out = append(out, Link{ID: r.id, In: d.in(d.head), Same: true})
	}
	return out, nil
}

// in is the part of a layer that has id.
func (d *decider) in(id ref) string {
	if id.collection() == len(d.ix.layers) {
		return ""
	}
	return d.ix.layers[id.collection()].partName(id.id())
}

// isAlike notes an entry that the item at hand is alike.
func (d *decider) isAlike(id ref) {
	if d.linked && len(d.alike) < mostLinks {
		d.alike = append(d.alike, id)
	}
}

func (ix *Index) checkPage(seq int, page []Item) error {
	if ix.broken != nil {
		return ix.broken
	}
	if last := ix.points[ix.at].seq; seq <= last {
		return fault("index_order", fmt.Errorf("page %d after page %d", seq, last))
	}
	for i := range page {
		if n := len(page[i].Sketch.Bands); page[i].compared() && n != ix.opts.Params.Keys() {
			return invalid("sketch of "+page[i].ID, fmt.Sprintf("%d band keys, not the %d of %+v: it was made with other parameters",
				n, ix.opts.Params.Keys(), ix.opts.Params))
		}
	}
	return nil
}

// decider decides the items of one page in order. Entered items of the page are numbered after the visible entries.
type decider struct {
	ix     *Index
	opts   *Options
	page   []Item
	shares []*share
	share  int // of the item at hand
	first  int // its share's first item

	limit   uint32   // own entries from here on are those of the page
	least   int      // equal bits below which two sketches are not looked at
	keys    *table   // of the page's entered items
	entered []int    // their places in page
	metas   []meta   // their metas
	linked  bool     // links are wanted
	alike   []ref    // what the item at hand is alike
	head    ref      // newest entry of its prompt, none where there is none
	heads   []ref    // buffers
	hits    []hit    //
	refs    []ref    //
	set     []uint32 //
	raw     []byte   //
}

func newDecider(ix *Index, page []Item, opts *Options) (*decider, error) {
	p := ix.opts.Params
	d := &decider{ix: ix, opts: opts, page: page, limit: ix.points[ix.at].entries,
		least: leastBits(opts.Near.Jaccard, min(128, p.Bands*p.Rows))}
	d.keys = newTable(len(page)*(atBands+p.Keys()), d.limit)
	var err error
	d.shares, err = ix.lookUp(page, d.least)
	return d, err
}

// leastBits is six standard deviations below the mean of the equal bits of two sets with Jaccard index j; the
// 128-n bits that are never set are equal.
func leastBits(j float64, n int) int {
	p := (1 + j) / 2
	return 128 - n + int(float64(n)*p-6*math.Sqrt(float64(n)*p*(1-p)))
}

// found collects what the looks at an item have found.
type found struct {
	exact, near, flag    ref // none where nothing was found
	nearJaccard, flagged float64
}

func (d *decider) decide(i int, out *Decision, admit Admit) (err error) {
	m := d.page[i].meta()
	if err := d.find(i, &m, out); err != nil {
		return err
	}
	if admit != nil {
		var links []Link
		if d.linked && out.Enter {
			if links, err = d.links(); err != nil {
				return err
			}
		}
		out.Enter = admit(i, out, links) && out.Enter
	}
	if out.Enter {
		d.enter(i, &d.page[i], &m, out)
	}
	return nil
}

// find looks the item up and concludes what it is.
func (d *decider) find(i int, m *meta, out *Decision) error {
	for i >= d.first+len(d.shares[d.share].items) {
		d.first += len(d.shares[d.share].items)
		d.share++
	}
	it := &d.page[i]
	if !it.compared() {
		return nil
	}
	f := found{exact: none, near: none, flag: none}
	d.alike, d.head = d.alike[:0], none
	if err := d.lookExact(i, it, m, &f, out); err != nil {
		return err
	}
	if err := d.lookPrompt(i, it, m, &f, out); err != nil {
		return err
	}
	if f.exact == none && d.opts.Near.Do != schema.DoOff {
		if err := d.lookBands(i, it, m, &f); err != nil {
			return err
		}
	}
	return d.conclude(&f, out)
}

// ids appends the visible entries of a key, in order: at is the key's number among those of the item.
func (d *decider) ids(dst []ref, i, at int, key uint64) []ref {
	for _, r := range d.shares[d.share].found(i-d.first, at) {
		if r.collection() < len(d.ix.layers) || r.id() < d.limit {
			dst = append(dst, r)
		}
	}
	d.hits = d.keys.appendHits(d.hits[:0], wanted{key: key})
	for _, h := range d.hits {
		dst = append(dst, newRef(len(d.ix.layers), h.id))
	}
	return dst
}

// lookExact finds the first entry with the same exact hash.
func (d *decider) lookExact(i int, it *Item, m *meta, f *found, out *Decision) error {
	out.first = true
	d.refs = d.ids(d.refs[:0], i, atExact, exactKey(it.Sketch.Exact))
	for _, id := range d.refs {
		c, r, err := d.read(id)
		if err != nil {
			return err
		}
		if r.exact != it.Sketch.Exact {
			continue
		}
		if id.collection() == len(d.ix.layers) {
			out.first = false
		}
		if d.opts.Exact.Do != schema.DoOff || d.opts.Near.Do != schema.DoOff {
			d.isAlike(id)
		}
		if f.exact == none && d.opts.Exact.Do != schema.DoOff && d.inScope(d.opts.Exact.Scope, id, m, &c) {
			f.exact = id
		}
		if f.flag == none && d.opts.Near.Do != schema.DoOff && !d.inScope(d.opts.Near.Scope, id, m, &c) {
			f.flag, f.flagged = id, 1
		}
	}
	return nil
}

// lookPrompt compares with the newest entries of the same prompt, in the collections where the scope is the prompt.
func (d *decider) lookPrompt(i int, it *Item, m *meta, f *found, out *Decision) error {
	if m.prompt == 0 {
		return nil
	}
	own := len(d.ix.layers)
	ownHead, err := d.promptHeads(i, m)
	if err != nil {
		return err
	}
	out.prev = ownHead
	if ownHead != 0 {
		d.heads = append(d.heads, newRef(own, ownHead-1))
	}
	if err := d.newestOfPrompt(m); err != nil {
		return err
	}
	for at := 0; at < len(d.heads); {
		c, end := d.heads[at].collection(), at+1
		for end < len(d.heads) && d.heads[end].collection() == c {
			end++
		}
		exact := f.exact == none && d.opts.Exact.Do != schema.DoOff && d.scope(c, d.opts.Exact.Scope) == schema.ScopePrompt
		near := d.opts.Near.Do != schema.DoOff && d.scope(c, d.opts.Near.Scope) == schema.ScopePrompt
		if exact || near {
			if err := d.walk(d.heads[at:end], it, m, f, exact, near); err != nil {
				return err
			}
		}
		at = end
	}
	return nil
}

// promptHeads sets heads to the newest entry of the prompt in each part of each layer, in order, and returns that of the index
// itself, plus 1; 0 where there is none.
func (d *decider) promptHeads(i int, m *meta) (ownHead uint32, err error) {
	own := len(d.ix.layers)
	d.heads = d.heads[:0]
	for _, r := range d.shares[d.share].found(i-d.first, atPrompt) {
		c := r.collection()
		if c == own {
			ownHead = r.id() + 1
			continue
		}
		part := d.ix.layers[c].part(r.id())
		if n := len(d.heads); n > 0 && d.heads[n-1].collection() == c && d.ix.layers[c].part(d.heads[n-1].id()) == part {
			d.heads[n-1] = r // a newer run has a newer one
		} else {
			d.heads = append(d.heads, r)
		}
	}
	d.hits = d.keys.appendHits(d.hits[:0], wanted{key: promptKey(m.prompt)})
	if n := len(d.hits); n > 0 {
		return d.hits[n-1].id + 1, nil
	}
	err = d.skipInvisible(&ownHead)
	return ownHead, err
}

// newestOfPrompt sets head to the last of heads that is of the prompt itself, and not of another with the same key.
func (d *decider) newestOfPrompt(m *meta) error {
	if !d.linked {
		return nil
	}
	for _, id := range slices.Backward(d.heads) {
		got, err := d.meta(id)
		if err != nil {
			return err
		}
		if got.prompt == m.prompt {
			d.head = id
			return nil
		}
	}
	return nil
}

// skipInvisible goes back from a chain's newest entry to the newest that is visible.
func (d *decider) skipInvisible(head *uint32) error {
	for *head > d.limit {
		m, err := d.ix.own.entries.meta(*head - 1)
		if err != nil {
			return err
		}
		*head = m.prev
	}
	return nil
}

// mostOfPrompt is the number of a prompt's newest entries that an item is compared with one by one, so that nothing is
// missed among them. Those before are found by their bands and exact hash, as in the scope of the dataset.
const mostOfPrompt = 512

// walk compares with the entries of a prompt's chains in one collection, newest first.
func (d *decider) walk(heads []ref, it *Item, m *meta, f *found, exact, near bool) error {
	n := 0
	for _, id := range slices.Backward(heads) {
		c := id.collection()
		for head := id.id() + 1; head != 0 && n < mostOfPrompt; n++ {
			id := newRef(c, head-1)
			other, err := d.meta(id)
			if err != nil {
				return err
			}
			if other.prompt == m.prompt && mayBeAlike(m, &other, d.opts.Near.Jaccard, d.least) {
				_, r, err := d.read(id)
				if err != nil {
					return err
				}
				if exact && r.exact == it.Sketch.Exact && id < f.exact {
					f.exact = id // none is the largest
				}
				if near {
					d.compare(it, id, r.set, f)
				}
			}
			head = other.prev
		}
	}
	return nil
}

// lookBands compares with the entries that share a band: all in scope, and the first that is alike outside.
func (d *decider) lookBands(i int, it *Item, m *meta, f *found) error {
	d.refs = d.refs[:0]
	for b, key := range it.Sketch.Bands {
		d.refs = d.ids(d.refs, i, atBands+b, key)
	}
	if len(d.refs) == 0 {
		return nil
	}
	slices.Sort(d.refs)
	for _, id := range slices.Compact(d.refs) {
		c, err := d.meta(id)
		if err != nil {
			return err
		}
		in := d.inScope(d.opts.Near.Scope, id, m, &c)
		if !in && f.flag != none && !d.linked || !mayBeAlike(m, &c, d.opts.Near.Jaccard, d.least) {
			continue
		}
		_, r, err := d.read(id)
		if err != nil {
			return err
		}
		if in {
			d.compare(it, id, r.set, f)
		} else if j := Jaccard(it.Sketch.Set, r.set); j >= d.opts.Near.Jaccard {
			d.isAlike(id)
			if f.flag == none {
				f.flag, f.flagged = id, j
			}
		}
	}
	return nil
}

// compare takes id where it is alike: the most alike, and of equally alike ones the first.
func (d *decider) compare(it *Item, id ref, set []uint32, f *found) {
	j := Jaccard(it.Sketch.Set, set)
	if j < d.opts.Near.Jaccard {
		return
	}
	d.isAlike(id)
	if f.near == none || j > f.nearJaccard || j == f.nearJaccard && id < f.near {
		f.near, f.nearJaccard = id, j
	}
}

// conclude turns what was found into the decision.
func (d *decider) conclude(f *found, out *Decision) (err error) {
	do := ""
	switch {
	case f.exact != none:
		out.Check, out.Jaccard, out.OfIn, do = CheckExact, 1, d.in(f.exact), d.opts.Exact.Do
		out.Of, err = d.name(f.exact)
	case f.near != none:
		out.Check, out.Jaccard, out.OfIn, do = CheckNear, f.nearJaccard, d.in(f.near), d.opts.Near.Do
		out.Of, err = d.name(f.near)
	}
	out.Drop = do == schema.DoDrop
	out.Enter = !out.Drop
	if f.flag != none && !out.Drop && err == nil {
		out.NearJaccard, out.NearIn = f.flagged, d.in(f.flag)
		out.Near, err = d.name(f.flag)
	}
	return err
}

// enter makes the item visible to those after it in the page. An exact repeat of an own entry needs no keys: whatever
// it is alike, the first one is.
func (d *decider) enter(i int, it *Item, m *meta, out *Decision) {
	id := d.limit + uint32(len(d.entered))
	if out.first {
		for b, key := range it.Sketch.Bands {
			d.refs = d.ids(d.refs[:0], i, atBands+b, key)
			if ownRefs(d.refs, len(d.ix.layers)) >= mostOfBand {
				out.Capped++
				continue
			}
			out.mask |= 1 << b
			d.keys.insert(key, id)
		}
		d.keys.insert(exactKey(it.Sketch.Exact), id)
	}
	if m.prompt != 0 {
		m.prev = out.prev
		d.keys.replace(promptKey(m.prompt), id, 0)
	}
	out.linked = true
	d.entered, d.metas = append(d.entered, i), append(d.metas, *m)
}

// ownRefs counts the refs that are not of a layer; they are the last.
func ownRefs(refs []ref, layers int) int {
	i := len(refs)
	for i > 0 && refs[i-1].collection() == layers {
		i--
	}
	return len(refs) - i
}

// scope is the scope of duplicates in collection c.
func (d *decider) scope(c int, check string) string {
	if c < len(d.ix.layers) && d.ix.layers[c].scope != ScopeChecks {
		return d.ix.layers[c].scope
	}
	return check
}

func (d *decider) inScope(check string, id ref, m, c *meta) bool {
	switch d.scope(id.collection(), check) {
	case schema.ScopeDataset:
		return true
	case ScopeNone:
		return false
	}
	return m.prompt != 0 && m.prompt == c.prompt
}
