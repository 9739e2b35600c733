package dedup

import (
	"context"
	"iter"

	"github.com/retort-data/retort/schema"
)

// Scopes of a layer, beside schema.ScopeDataset and schema.ScopePrompt.
const (
	// ScopeChecks is the scope of each check: the layer's entries are compared as the index's own are.
	ScopeChecks = "checks"
	// ScopeNone makes nothing a duplicate: what is alike is flagged and linked.
	ScopeNone = "none"
)

// LayerRef names entries of another dataset, an earlier version or a corpus, to compare with but never to change.
type LayerRef struct {
	Name string // for errors, and in Decision where a layer has no parts

	// Scope is schema.ScopeDataset (the default: whatever is like an entry of the layer is a duplicate), schema.ScopePrompt (only
	// answers to the same prompt are; others are flagged), ScopeChecks or ScopeNone.
	Scope string

	// A layer is the roots of one index or several, in order,
	Blobs Blobs // nil for the index's own
	Parts []Part
	// or items in an order that is always the same; only live ones count.
	Items iter.Seq2[Item, error]
}

// Part is an index within a layer.
type Part struct {
	Name string // in Decision and Link
	Root string
}

// layer is a loaded LayerRef.
type layer struct {
	*collection
	scope string
}

func (ix *Index) loadLayers(ctx context.Context) error {
	for _, ref := range ix.opts.Layers {
		setDefault(&ref.Scope, schema.ScopeDataset)
		l := layer{ix.newCollection(false), ref.Scope}
		ix.layers = append(ix.layers, l)
		var err error
		if ref.Items != nil {
			err = ix.fillLayer(ctx, l.collection, ref.Items)
			l.endPart(ref.Name)
		} else {
			err = ix.loadParts(ctx, l.collection, ref)
		}
		if err != nil {
			return &schema.Error{Kind: schema.KindOf(err), Code: codeOf(err), Op: "near-duplicates: comparing with", Subject: ref.Name, Cause: err}
		}
	}
	return nil
}

func (ix *Index) loadParts(ctx context.Context, c *collection, ref LayerRef) error {
	if ref.Blobs == nil {
		ref.Blobs = ix.blobs
	}
	for _, part := range ref.Parts {
		if _, err := loadRoot(ctx, objects{blobs: ref.Blobs, isNotFound: ix.opts.IsNotFound}, part.Root, ix.opts.Params, c); err != nil {
			return err
		}
		c.endPart(part.Name)
	}
	return nil
}

// layerPage is the number of items that are entered into a layer together.
const layerPage = 1000

// WriteLayer writes items as an index under prefix, for layers of other indexes, and returns its root. Exact repeats within the
// scope of opts.Exact are entered once. The same items give the same objects; opts.Layers has no meaning here.
func WriteLayer(ctx context.Context, blobs Blobs, prefix string, items iter.Seq2[Item, error], opts Options) (root string, err error) {
	opts.Layers, opts.Exact.Do, opts.Near.Do = nil, schema.DoDrop, schema.DoOff
	ix, err := Open(ctx, blobs, prefix, "", opts)
	if err != nil {
		return "", err
	}
	defer ix.Close()
	seq := 0
	err = inPages(items, func(page []Item) error {
		decisions, err := ix.Decide(ctx, seq, page)
		if err == nil {
			root, err = ix.Commit(ctx, seq, page, decisions)
		}
		seq++
		return err
	})
	return root, err
}

// inPages calls do with the items in pages; the page is used again.
func inPages(items iter.Seq2[Item, error], do func([]Item) error) error {
	var page []Item
	for item, err := range items {
		if err != nil {
			return err
		}
		if page = append(page, item); len(page) == layerPage {
			if err := do(page); err != nil {
				return err
			}
			page = page[:0]
		}
	}
	return do(page)
}

// fillLayer enters all items but exact repeats.
func (ix *Index) fillLayer(ctx context.Context, c *collection, items iter.Seq2[Item, error]) error {
	opts := ix.opts
	opts.Exact = schema.ExactCheck{Do: schema.DoDrop, Scope: schema.ScopeDataset}
	opts.Near.Do = schema.DoOff
	fill := &Index{opts: opts, own: c, points: []point{{seq: -1}}}
	return inPages(items, func(page []Item) error {
		decisions, err := fill.Decide(ctx, 0, page)
		if err != nil {
			return err
		}
		for _, e := range fill.toEnter(page, decisions) {
			if err := c.add(&e); err != nil {
				return err
			}
		}
		fill.points[0].entries = c.entries.len()
		return nil
	})
}
