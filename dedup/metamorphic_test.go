package dedup

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
	"pgregory.net/rapid"
)

// history makes pages in which many texts are alike: within pages and across, of one prompt and of several, equal and
// nearly so, and some rejected elsewhere.
func history(t testing.TB, seed uint64, pages, items int) [][]Item {
	r := rand.New(rand.NewPCG(seed, 42))
	s, err := NewSketcher(DefaultParams)
	if err != nil {
		t.Fatal(err)
	}
	var bases [][]string
	var out [][]Item
	for p := range pages {
		var page []Item
		for i := range r.IntN(items + 1) {
			if len(bases) == 0 || r.IntN(3) == 0 {
				bases = append(bases, words(r, 1+r.IntN(120)))
			}
			text := append([]string{}, bases[r.IntN(len(bases))]...)
			for range r.IntN(4) {
				text[r.IntN(len(text))] = fmt.Sprint("x", r.IntN(9))
			}
			page = append(page, Item{ID: fmt.Sprintf("r%d-%d", p, i), PromptID: fmt.Sprint("p", r.IntN(5)),
				Sketch: s.Sketch(strings.Join(text, " ")), Live: r.IntN(10) > 0})
		}
		out = append(out, page)
	}
	return out
}

// visible is the part of decisions that others see.
func visible(decisions []Decision) []Decision {
	out := make([]Decision, len(decisions))
	for i, d := range decisions {
		d.mask, d.first, d.prev, d.linked = 0, false, 0, false
		out[i] = d
	}
	return out
}

// outcome is what a history led to.
type outcome struct {
	decisions [][]Decision
	roots     []string
}

// straight decides a history in memory, without any trouble.
func straight(t testing.TB, pages [][]Item, opts Options) outcome {
	ix := openIndex(t, newBlobs(), "", opts)
	var o outcome
	for seq, page := range pages {
		d := decide(t, ix, seq, page...)
		o.decisions = append(o.decisions, visible(d))
		o.roots = append(o.roots, commit(t, ix, seq, page, d))
	}
	return o
}

// worker is what may decide a page: its cache of the index, as far as it has one.
type worker struct {
	ix   *Index
	opts Options
}

// at returns the worker's index at root, opened again where it must be.
func (w *worker) at(blobs Blobs, root string) (*Index, error) {
	if w.ix != nil && w.ix.broken == nil && w.ix.Seek(root) {
		return w.ix, nil
	}
	w.drop()
	var err error
	w.ix, err = Open(context.Background(), blobs, "run/index/", root, w.opts)
	return w.ix, err
}

func (w *worker) drop() {
	if w.ix != nil {
		w.ix.Close()
		w.ix = nil
	}
}

func (w *worker) attempt(blobs Blobs, root string, seq int, page []Item) ([]Decision, string, error) {
	ix, err := w.at(blobs, root)
	if err != nil {
		return nil, "", err
	}
	d, err := ix.Decide(context.Background(), seq, page)
	if err != nil {
		return nil, "", err
	}
	next, err := ix.Commit(context.Background(), seq, page, d)
	return visible(d), next, err
}

func TestDecisionsAreTheSameWhateverHappens(t *testing.T) {
	scratch := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		opts := Options{IsNotFound: isAbsent,
			Exact: schema.ExactCheck{Scope: rapid.SampledFrom([]string{schema.ScopePrompt, schema.ScopeDataset}).Draw(t, "exact")},
			Near:  schema.NearCheck{Scope: rapid.SampledFrom([]string{schema.ScopePrompt, schema.ScopeDataset}).Draw(t, "near")}}
		opts.Near.Do = rapid.SampledFrom([]string{schema.DoDrop, schema.DoTag, schema.DoOff}).Draw(t, "do")
		tb := testing.TB(&testing.T{})
		pages := history(tb, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 24).Draw(t, "pages"), 20)
		want := straight(tb, pages, opts)

		blobs := newBlobs()
		workers := make([]worker, 3)
		for i := range workers {
			workers[i].opts = opts
			if i > 0 { // one in memory, one on disk, one with so little memory that each page goes there
				workers[i].opts.Scratch, workers[i].opts.MemoryBytes = scratch, int64(300_000/i/i)
			}
			defer workers[i].drop()
		}
		root := ""
		for seq, page := range pages {
			before := root
			for range rapid.IntRange(1, 3).Draw(t, "attempts") {
				w := &workers[rapid.IntRange(0, 2).Draw(t, "worker")]
				if rapid.IntRange(0, 4).Draw(t, "cold") == 0 {
					w.drop()
				}
				blobs.lost = rapid.Bool().Draw(t, "reply lost")
				blobs.puts, blobs.failAt = 0, rapid.IntRange(0, 3).Draw(t, "crash")
				_, _, err := w.attempt(blobs, before, seq, page)
				if err != nil && !errors.Is(err, errCrash) {
					t.Fatalf("page %d: %v", seq, err)
				}
				if err != nil && rapid.Bool().Draw(t, "process gone") {
					w.drop()
				}
			}
			blobs.failAt = 0
			got, next, err := workers[rapid.IntRange(0, 2).Draw(t, "last worker")].attempt(blobs, before, seq, page)
			if err != nil {
				t.Fatalf("page %d: %v", seq, err)
			}
			for i, d := range got {
				if d != want.decisions[seq][i] {
					t.Fatalf("page %d, %s: decided %+v, not %+v", seq, page[i].ID, d, want.decisions[seq][i])
				}
			}
			if next != want.roots[seq] {
				t.Fatalf("page %d: root %s, not %s", seq, next, want.roots[seq])
			}
			root = next
		}
	})
}

// naive decides by comparing with every entry.
func naive(pages [][]Item, opts Options) (out [][]Decision) {
	withDefaults(&opts.Exact, &opts.Near)
	var entered []*Item
	for _, page := range pages {
		decisions := make([]Decision, len(page))
		for i := range page {
			it, d := &page[i], &decisions[i]
			if !it.compared() {
				continue
			}
			for _, e := range entered {
				if e.PromptID == it.PromptID && e.Sketch.Exact == it.Sketch.Exact {
					*d = Decision{Check: CheckExact, Of: e.ID, Jaccard: 1, Drop: true}
					break
				}
				if j := Jaccard(e.Sketch.Set, it.Sketch.Set); e.PromptID == it.PromptID && j >= opts.Near.Jaccard && j > d.Jaccard {
					*d = Decision{Check: CheckNear, Of: e.ID, Jaccard: j, Drop: true}
				}
			}
			if d.Enter = !d.Drop; d.Enter {
				entered = append(entered, it)
			}
		}
		out = append(out, decisions)
	}
	return out
}

func TestWithinAPromptNothingIsMissed(t *testing.T) {
	pages := history(t, 77, 60, 30)
	got, want := straight(t, pages, Options{}).decisions, naive(pages, Options{})
	flagged := 0
	for seq := range pages {
		for i, d := range got[seq] {
			if d.Near != "" {
				flagged++
			}
			d.Near, d.NearJaccard = "", 0
			if d != want[seq][i] {
				t.Fatalf("%s: got %+v, want %+v", pages[seq][i].ID, d, want[seq][i])
			}
		}
	}
	if flagged < 50 {
		t.Errorf("%d flagged across prompts", flagged)
	}
}
