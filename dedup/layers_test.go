package dedup

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/retort-data/retort/schema"
	"pgregory.net/rapid"
)

// earlierRuns writes histories as indexes of their own, for layers.
func earlierRuns(t testing.TB, seeds ...uint64) (parts []Part, blobs *fakeBlobs) {
	t.Helper()
	blobs = newBlobs()
	for i, seed := range seeds {
		ix, err := Open(context.Background(), blobs, fmt.Sprintf("run%d/index/", i), "", Options{IsNotFound: isAbsent})
		if err != nil {
			t.Fatal(err)
		}
		o := runHistory(t, ix, 0, history(t, seed, 12, 20))
		ix.Close()
		parts = append(parts, Part{Name: fmt.Sprint("run", i), Root: o.roots[len(o.roots)-1]})
	}
	return parts, blobs
}

// judged is what a caller makes of a page: some items are turned away by what Retort knows of them besides, here by their links.
type judged struct {
	decisions []Decision
	links     [][]Link
	root      string
}

func judge(ix *Index, seq int, page []Item) (j judged, err error) {
	items := append([]Item{}, page...)
	j.links = make([][]Link, len(page))
	j.decisions, err = ix.DecideEach(context.Background(), seq, items, true, func(i int, d *Decision, links []Link) bool {
		j.links[i] = links
		admit := len(links)%5 != 3 && (i+seq)%7 != 0
		if admit && i%2 == 0 {
			items[i].ID += "/even" // what the caller calls an entry
		}
		return admit
	})
	if err != nil {
		return j, err
	}
	j.root, err = ix.Commit(context.Background(), seq, items, j.decisions)
	j.decisions = visible(j.decisions)
	return j, err
}

// With layers of several parts, in every scope, and with items that the caller turns away: the same decisions, links and roots in memory
// and on disk, cold and warm, after crashes and repeats, by several workers.
func TestLayeredDecisionsAreTheSameWhateverHappens(t *testing.T) {
	scratch := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		tb := testing.TB(&testing.T{})
		seed := rapid.Uint64().Draw(t, "seed")
		parts, earlier := earlierRuns(tb, seed, seed^1, seed^2)
		scopes := []string{schema.ScopePrompt, schema.ScopeDataset, ScopeChecks, ScopeNone}
		opts := Options{IsNotFound: isAbsent, Exact: schema.ExactCheck{Do: rapid.SampledFrom([]string{schema.DoDrop, schema.DoTag}).Draw(t, "exact")},
			Near: schema.NearCheck{Do: rapid.SampledFrom([]string{schema.DoDrop, schema.DoTag}).Draw(t, "near"), Scope: rapid.SampledFrom(scopes[:2]).Draw(t, "scope")},
			Layers: []LayerRef{
				{Name: "versions", Scope: rapid.SampledFrom(scopes).Draw(t, "first layer"), Blobs: earlier, Parts: parts[:2]},
				{Name: "other", Scope: rapid.SampledFrom(scopes).Draw(t, "second layer"), Blobs: earlier, Parts: parts[2:]}}}
		pages := history(tb, seed, rapid.IntRange(1, 8).Draw(t, "pages"), 20) // begins as the first earlier run did

		straight := openIndex(tb, newBlobs(), "", opts)
		defer straight.Close()
		blobs := newBlobs()
		workers := make([]worker, 3)
		for i := range workers {
			workers[i].opts = opts
			if i > 0 {
				workers[i].opts.Scratch, workers[i].opts.MemoryBytes = scratch, int64(600_000/i/i)
			}
			defer workers[i].drop()
		}
		root := ""
		for seq, page := range pages {
			want, err := judge(straight, seq, page)
			if err != nil {
				t.Fatal(err)
			}
			for range rapid.IntRange(0, 2).Draw(t, "failed attempts") {
				w := &workers[rapid.IntRange(0, 2).Draw(t, "worker")]
				blobs.lost, blobs.puts, blobs.failAt = rapid.Bool().Draw(t, "reply lost"), 0, rapid.IntRange(1, 3).Draw(t, "crash")
				if ix, err := w.at(blobs, root); err == nil {
					if _, err := judge(ix, seq, page); err != nil && !errors.Is(err, errCrash) {
						t.Fatal(err)
					}
				}
				if rapid.Bool().Draw(t, "process gone") {
					w.drop()
				}
			}
			blobs.failAt = 0
			ix, err := workers[rapid.IntRange(0, 2).Draw(t, "last worker")].at(blobs, root)
			if err != nil {
				t.Fatal(err)
			}
			got, err := judge(ix, seq, page)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("page %d: %v\n%+v\nnot\n%+v", seq, err, got, want)
			}
			root = got.root
		}
	})
}

// Every entry of every part that is alike is linked, and the newest of the prompt: as by looking at all.
func TestLinksAreWhatIsAlike(t *testing.T) {
	parts, earlier := earlierRuns(t, 5, 6)
	pages := history(t, 5, 10, 20)
	opts := Options{IsNotFound: isAbsent, Exact: schema.ExactCheck{Do: schema.DoTag}, Near: schema.NearCheck{Do: schema.DoTag},
		Layers: []LayerRef{{Name: "versions", Scope: ScopeChecks, Blobs: earlier, Parts: parts}}}
	ix := openIndex(t, newBlobs(), "", opts)
	defer ix.Close()
	type known struct {
		part string
		item Item
	}
	var all []known
	for i, seed := range []uint64{5, 6} {
		for _, page := range history(t, seed, 12, 20) {
			for _, it := range page {
				if it.compared() { // not all were entered: what repeats another of its prompt was dropped
					all = append(all, known{fmt.Sprint("run", i), it})
				}
			}
		}
	}
	linked, missed, sameIn := 0, 0, 0
	for seq, page := range pages {
		_, err := ix.DecideEach(context.Background(), seq, page, true, func(i int, d *Decision, links []Link) bool {
			for _, l := range links {
				found := false
				for _, k := range all {
					if k.part != l.In || k.item.ID != l.ID {
						continue
					}
					found = true
					if l.Same && k.item.PromptID != page[i].PromptID {
						t.Errorf("%s: linked with %+v as of the same prompt", page[i].ID, l)
					}
					if j := Jaccard(k.item.Sketch.Set, page[i].Sketch.Set); !l.Same && j < .8 {
						t.Errorf("%s: linked with %+v at J = %.2f", page[i].ID, l, j)
					}
				}
				if !found && l.In != "" {
					t.Errorf("%s: linked with %+v, which isn't there", page[i].ID, l)
				}
				if l.Same {
					sameIn++
				}
			}
			if d.Of == "" && d.Near == "" && d.Enter { // nothing found: then nothing may be there
				for _, k := range all {
					if Jaccard(k.item.Sketch.Set, page[i].Sketch.Set) >= .8 {
						missed++
						break
					}
				}
			}
			linked += len(links)
			return false // only the layers are looked at
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if linked < 100 || sameIn < 50 || missed > 3 {
		t.Errorf("%d links, %d of the same prompt, %d missed", linked, sameIn, missed)
	}
}

// Among a prompt's answers nothing is missed, in whatever part of a layer they stand: as by comparing with each.
func TestWithinAPromptNothingIsMissedInLayers(t *testing.T) {
	seeds := []uint64{31, 32, 33}
	parts, earlier := earlierRuns(t, seeds...)
	var entered []Item
	for _, seed := range seeds {
		pages := history(t, seed, 12, 20)
		for seq, decisions := range straight(t, pages, Options{}).decisions {
			for i, d := range decisions {
				if d.Enter {
					entered = append(entered, pages[seq][i])
				}
			}
		}
	}
	for _, memory := range []int64{0, 200_000} {
		ix := openIndex(t, newBlobs(), "", Options{Scratch: t.TempDir(), MemoryBytes: memory, Layers: []LayerRef{{Name: "versions", Scope: ScopeChecks, Blobs: earlier, Parts: parts}}})
		hits := 0
		for seq, page := range slices.Concat(history(t, 31, 12, 20), history(t, 32, 12, 20), history(t, 33, 12, 20)) {
			_, err := ix.DecideEach(context.Background(), seq, page, false, func(i int, d *Decision, _ []Link) bool {
				it, best := &page[i], 0.0
				for _, e := range entered {
					if it.compared() && e.PromptID == it.PromptID {
						if e.Sketch.Exact == it.Sketch.Exact {
							best = 1
						}
						best = max(best, Jaccard(e.Sketch.Set, it.Sketch.Set))
					}
				}
				if best < .8 {
					best = 0
				} else {
					hits++
				}
				if d.Jaccard != best {
					t.Errorf("page %d, %s: J = %v in %q, not %v", seq, it.ID, d.Jaccard, d.OfIn, best)
				}
				return false
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if hits < 200 {
			t.Errorf("%d hits", hits)
		}
		ix.Close()
	}
}
