package dedup

import (
	"context"
	"fmt"
	"slices"

	"github.com/retort-data/retort/schema"
)

// Commit writes what Decide found of page seq: a segment of the items to enter, and a new root. It may be called
// again, by several workers at once: equal decisions write equal objects. A page of which nothing is entered leaves
// the root as it is.
func (ix *Index) Commit(ctx context.Context, seq int, page []Item, decisions []Decision) (root string, err error) {
	before := ix.points[ix.at]
	if seq <= before.seq || len(page) != len(decisions) {
		return "", fault("index_order", fmt.Errorf("page %d of %d items with %d decisions after page %d", seq, len(page), len(decisions), before.seq))
	}
	if decisions, err = ix.relink(ctx, seq, page, decisions); err != nil {
		return "", err
	}
	entered := ix.toEnter(page, decisions)
	if len(entered) == 0 {
		return before.root, nil
	}
	if ix.blobs == nil {
		p := point{root: fmt.Sprint("local/", seq), seq: seq, entries: before.entries + uint32(len(entered)), list: before.list}
		return p.root, ix.advance(ctx, p, entered)
	}
	list, err := ix.write(ctx, before, seq, entered)
	if err != nil {
		return "", err
	}
	if root, err = ix.objects().putRoot(ctx, list); err != nil {
		return "", err
	}
	return root, ix.advance(ctx, point{root: root, seq: seq, entries: before.entries + uint32(len(entered)), list: list}, entered)
}

// relink finds again how the entries hang together where they are not all those that Decide meant to enter: the caller
// cleared some, or the decisions come from a file. How they do follows from the entered items alone.
func (ix *Index) relink(ctx context.Context, seq int, page []Item, decisions []Decision) ([]Decision, error) {
	same := true
	for i := range decisions {
		same = same && decisions[i].Enter == decisions[i].linked
	}
	if same {
		return decisions, nil
	}
	page = slices.Clone(page)
	for i := range page {
		page[i].Live = decisions[i].Enter
	}
	opts := ix.opts
	opts.Exact.Do, opts.Near.Do = schema.DoOff, schema.DoOff
	return ix.decide(ctx, seq, page, &opts, false, nil)
}

// toEnter are the entries of a decided page. Those of one prompt are chained, from the newest back.
func (ix *Index) toEnter(page []Item, decisions []Decision) []entry {
	var out []entry
	for i := range page {
		if d := &decisions[i]; d.Enter {
			out = append(out, entry{id: page[i].ID, prompt: promptHash(page[i].PromptID), mask: d.mask, first: d.first, prev: d.prev, sketch: page[i].Sketch})
		}
	}
	return out
}

// write puts the page's segment, and compacts.
func (ix *Index) write(ctx context.Context, before point, seq int, entered []entry) (list rootList, err error) {
	body := appendPage(append(make([]byte, 0, segmentSize(entered)), segmentMagic...), seq, entered)
	ref, err := ix.objects().putSegment(ctx, segmentRef{Entries: len(entered), First: seq, Last: seq}, body)
	if err != nil {
		return list, err
	}
	list = before.list
	list.Parent, list.Seq, list.Entries = before.root, seq, list.Entries+len(entered)
	list.Segments, err = ix.objects().compact(ctx, append(slices.Clone(before.list.Segments), ref))
	return list, err
}

// mostPoints is the number of roots that an index can go back to without being opened again.
const mostPoints = 16

// advance makes the point of a committed page the newest, and enters its items where the index doesn't know them yet.
func (ix *Index) advance(ctx context.Context, p point, entered []entry) error {
	if ix.at+1 < len(ix.points) {
		if ix.points[ix.at+1].root == p.root {
			ix.at++
			return nil
		}
		return ix.load(ctx, p.root) // the pages ahead were not those of this history
	}
	for i := range entered {
		if err := ix.own.add(&entered[i]); err != nil {
			ix.broken = err
			return err
		}
	}
	ix.points = append(ix.points, p)
	ix.at++
	if len(ix.points) > mostPoints {
		ix.points = slices.Delete(ix.points, 0, 1)
		ix.at--
	}
	return nil
}
