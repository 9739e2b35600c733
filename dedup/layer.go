package dedup

import (
	"context"
	"iter"

	"github.com/retort-data/retort/schema"
)

// LayerRef names entries of another dataset, an earlier version or a corpus, to compare with but never to change.
type LayerRef struct {
	Name string // for errors

	// Scope is schema.ScopeDataset (the default: whatever is like an entry of the layer is a duplicate) or
	// schema.ScopePrompt (only answers to the same prompt are; others are flagged).
	Scope string

	// A layer is an index's root,
	Blobs  Blobs // nil for the index's own
	Prefix string
	Root   string
	// or items in an order that is always the same; only live ones count.
	Items iter.Seq2[Item, error]
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
		} else {
			if ref.Blobs == nil {
				ref.Blobs = ix.blobs
			}
			_, err = loadRoot(ctx, objects{ref.Blobs, ref.Prefix, ix.opts.IsNotFound}, ref.Root, ix.opts.Params, l.collection)
		}
		if err != nil {
			return &schema.Error{Kind: schema.KindOf(err), Code: codeOf(err), Op: "near-duplicates: comparing with", Subject: ref.Name, Cause: err}
		}
	}
	return nil
}

// fillLayer enters all items but exact repeats.
func (ix *Index) fillLayer(ctx context.Context, c *collection, items iter.Seq2[Item, error]) error {
	const pageItems = 1000
	opts := ix.opts
	opts.Exact = schema.ExactCheck{Do: schema.DoDrop, Scope: schema.ScopeDataset}
	opts.Near.Do = schema.DoOff
	fill := &Index{opts: opts, own: c, points: []point{{seq: -1}}}
	var page []Item
	enter := func() error {
		decisions, err := fill.Decide(ctx, 0, page)
		if err != nil {
			return err
		}
		for _, e := range fill.toEnter(page, decisions) {
			if err := c.add(&e); err != nil {
				return err
			}
		}
		fill.points[0].entries, page = c.entries.len(), page[:0]
		return nil
	}
	for item, err := range items {
		if err != nil {
			return err
		}
		if page = append(page, item); len(page) == pageItems {
			if err := enter(); err != nil {
				return err
			}
		}
	}
	return enter()
}
