package activities

import (
	"context"
	"math"
	"strings"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
)

// Novelty passes a stream of prompts on in their order, and leaves out those alike to one before them, where the recipe asks for it
// (checks.near.near_prompt). Prompts are short, so shingles are of three words. What is left out follows from recipe and stream
// alone, so that every attempt at a plan leaves out the same. Memory is bounded; the rest stands on local disk.
type Novelty struct {
	Alike int64 // prompts that were left out

	recipe   *Recipe
	index    *dedup.Index // nil: all are passed on
	sketcher *dedup.Sketcher
	seq      int
	batch    []schema.Prompt
	wanted   int64 // prompts that are still to be passed on; -1: all
	pass     func(schema.Prompt) error
}

// noveltyShingle is the words of a prompt's shingle.
const noveltyShingle = 3

// noveltyBatch is the number of prompts that are looked up together.
const noveltyBatch = 512

// NewNovelty passes at most so many prompts on (0: all); memory bounds what it holds, in bytes. Close it after use.
func NewNovelty(ctx context.Context, recipe *Recipe, most, memory int64, scratch string, pass func(schema.Prompt) error) (*Novelty, error) {
	n := &Novelty{recipe: recipe, wanted: -1, pass: pass}
	if most > 0 {
		n.wanted = most
	}
	least := recipe.Checks.Near.NearPrompt
	if least == 0 {
		return n, nil
	}
	params := noveltyParams(least)
	var err error
	if n.sketcher, err = dedup.NewSketcher(params); err != nil {
		return nil, err
	}
	n.index, err = dedup.Open(ctx, nil, "", "", dedup.Options{Params: params, MemoryBytes: memory, Scratch: scratch,
		Exact: schema.ExactCheck{Do: schema.DoOff}, // the prompts' ids say which are repeated
		Near:  schema.NearCheck{Do: schema.DoDrop, Scope: schema.ScopeDataset, Jaccard: least}})
	return n, err
}

// Close frees memory and local disk.
func (n *Novelty) Close() {
	if n.index != nil {
		n.index.Close()
	}
}

// Full says that no more prompts are passed on.
func (n *Novelty) Full() bool { return n.wanted == 0 }

// Add takes a prompt in.
func (n *Novelty) Add(ctx context.Context, p schema.Prompt) error {
	if n.Full() {
		return nil
	}
	if n.index == nil {
		return n.out(p)
	}
	n.batch = append(n.batch, p)
	if len(n.batch) == noveltyBatch || int64(len(n.batch)) == n.wanted {
		return n.Flush(ctx)
	}
	return nil
}

func (n *Novelty) out(p schema.Prompt) error {
	if n.wanted > 0 {
		n.wanted--
	}
	return n.pass(p)
}

// Flush passes on what is new of the prompts that are held back.
func (n *Novelty) Flush(ctx context.Context) error {
	if len(n.batch) == 0 {
		return nil
	}
	fresh, err := n.fresh(ctx, n.batch)
	if err != nil {
		return err
	}
	for i, p := range n.batch {
		if !fresh[i] {
			n.Alike++
		} else if err := n.out(p); err != nil {
			return err
		}
	}
	n.batch = n.batch[:0]
	return nil
}

// noveltyParams find a pair at the threshold with a probability of at least .997.
func noveltyParams(least float64) dedup.Params {
	p := dedup.Params{Shingle: noveltyShingle, Bands: 16, Rows: 6}
	switch {
	case least < 0.4:
		p.Bands, p.Rows = 42, 2
	case least < 0.55:
		p.Bands, p.Rows = 42, 3
	case least < 0.7:
		p.Bands, p.Rows = 42, 5
	}
	for p.Rows > 1 && math.Pow(1-math.Pow(least, float64(p.Rows)), float64(p.Keys())) > 0.003 {
		p.Rows--
	}
	return p
}

// fresh says which prompts are new; later ones are compared with those.
func (n *Novelty) fresh(ctx context.Context, prompts []schema.Prompt) ([]bool, error) {
	items := make([]dedup.Item, len(prompts))
	for i := range prompts {
		items[i] = dedup.Item{ID: prompts[i].ID, Live: true, Sketch: n.sketcher.Sketch(n.text(prompts[i].Messages))}
	}
	decisions, err := n.index.Decide(ctx, n.seq, items)
	if err != nil {
		return nil, err
	}
	if _, err := n.index.Commit(ctx, n.seq, items, decisions); err != nil {
		return nil, err
	}
	n.seq++
	fresh := make([]bool, len(prompts))
	for i := range decisions {
		fresh[i] = !decisions[i].Drop
	}
	return fresh, nil
}

// text is what tells a prompt from others: its messages without those that are the same for all.
func (n *Novelty) text(messages []schema.Message) string {
	var parts []string
	for i, m := range messages {
		if i < len(n.recipe.Messages) && !strings.Contains(n.recipe.Messages[i].Content, "{{") {
			continue
		}
		parts = append(parts, m.Content)
	}
	return strings.Join(parts, "\n")
}
