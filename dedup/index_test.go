package dedup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// runHistory decides pages on ix from page first on and returns the visible decisions and the roots.
func runHistory(t testing.TB, ix *Index, first int, pages [][]Item) (o outcome) {
	for i, page := range pages {
		d := decide(t, ix, first+i, page...)
		o.decisions = append(o.decisions, visible(d))
		o.roots = append(o.roots, commit(t, ix, first+i, page, d))
	}
	return o
}

func TestCompactionNeverChangesDecisions(t *testing.T) {
	pages := history(t, 5, 90, 12)
	blobs := newBlobs()
	want := runHistory(t, openIndex(t, blobs, "", Options{}), 0, pages)
	r := rand.New(rand.NewPCG(5, 6))
	ctx := context.Background()
	levels := map[int]bool{}
	for _, at := range []int{10, 40, 70, 80} {
		before := openIndex(t, blobs, want.roots[at-1], Options{})
		list := before.points[0].list
		o := before.objects()
		for n := r.IntN(len(list.Segments)); n > 0 && len(list.Segments) > 1; n-- { // merge any neighbours
			i := r.IntN(len(list.Segments) - 1)
			merged, err := o.merge(ctx, list.Segments[i:i+2])
			if err != nil {
				t.Fatal(err)
			}
			list.Segments = slices.Replace(slices.Clone(list.Segments), i, i+2, merged)
		}
		for _, s := range list.Segments {
			levels[s.Level] = true
		}
		root, err := o.putRoot(ctx, list)
		if err != nil {
			t.Fatal(err)
		}
		got := runHistory(t, openIndex(t, blobs, root, Options{}), at, pages[at:])
		for i, d := range got.decisions {
			if !slices.Equal(d, want.decisions[at+i]) {
				t.Fatalf("page %d differs after other compaction before page %d", at+i, at)
			}
		}
	}
	if len(levels) < 3 {
		t.Errorf("levels %v: too little was compacted for this test", slices.Collect(maps.Keys(levels)))
	}
}

func TestAWorkerFollowsWhatOthersCommitted(t *testing.T) {
	pages := history(t, 8, 60, 12)
	blobs := newBlobs()
	a := openIndex(t, blobs, "", Options{})
	b := openIndex(t, blobs, "", Options{})
	for seq, page := range pages {
		if seq%9 == 8 { // b comes back after eight pages of a's
			if err := b.Move(context.Background(), a.Root()); err != nil {
				t.Fatal(err)
			}
			if b.Entries() != a.Entries() || len(b.points) < 2 {
				t.Fatalf("page %d: %d entries, not %d; read from the start: %v", seq, b.Entries(), a.Entries(), len(b.points) < 2)
			}
			if got, want := decide(t, b, seq, page...), decide(t, a, seq, page...); !slices.Equal(got, want) {
				t.Fatalf("page %d: decisions differ", seq)
			}
		}
		commit(t, a, seq, page, decide(t, a, seq, page...))
	}
}

func TestAnotherHistoryAfterGoingBack(t *testing.T) {
	pages, other := history(t, 21, 12, 12), history(t, 22, 12, 12)
	ix := openIndex(t, newBlobs(), "", Options{})
	first := runHistory(t, ix, 0, pages)
	if !ix.Seek(first.roots[5]) {
		t.Fatal("the index has forgotten a root of six pages ago")
	}
	got := runHistory(t, ix, 6, other[6:])
	cold := openIndex(t, newBlobs(), "", Options{})
	runHistory(t, cold, 0, pages[:6])
	want := runHistory(t, cold, 6, other[6:])
	for i := range want.decisions {
		if !slices.Equal(got.decisions[i], want.decisions[i]) || got.roots[i] != want.roots[i] {
			t.Fatalf("page %d differs", 6+i)
		}
	}
}

func TestWhatTheCallerClearsIsNotEntered(t *testing.T) {
	pages := history(t, 31, 20, 20)
	r := rand.New(rand.NewPCG(1, 1))
	blobs := newBlobs()
	ix := openIndex(t, blobs, "", Options{})
	var kept []Page
	for seq, page := range pages {
		d := decide(t, ix, seq, page...)
		p := Page{Seq: seq, Items: slices.Clone(page)}
		for i := range d {
			d[i].Enter = d[i].Enter && r.IntN(3) > 0
			p.Items[i].Live = d[i].Enter
		}
		kept = append(kept, p)
		commit(t, ix, seq, page, d)
	}
	cold := openIndex(t, blobs, ix.Root(), Options{})
	for seq := range pages {
		again := decide(t, cold, 99, pages[seq]...)
		for i, it := range kept[seq].Items {
			if it.Live && again[i].Check != CheckExact {
				t.Fatalf("%s was entered and isn't found: %+v", it.ID, again[i])
			}
		}
		if got := decide(t, ix, 99, pages[seq]...); !slices.Equal(again, got) {
			t.Fatalf("page %d: the warm index decides otherwise", seq)
		}
	}
	checkRebuilt(t, blobs, ix.Root(), kept)
}

// checkRebuilt holds that a rebuilt index is the same, object by object.
func checkRebuilt(t *testing.T, blobs *fakeBlobs, root string, kept []Page) {
	pages := func(yield func(Page, error) bool) {
		for _, p := range kept {
			if !yield(p, nil) {
				return
			}
		}
	}
	again := newBlobs()
	got, err := Rebuild(context.Background(), again, "run/index/", pages, Options{})
	if err != nil || got != root {
		t.Fatalf("rebuilt root %s, not %s: %v", got, root, err)
	}
	for key, body := range blobs.objects {
		if string(again.objects[key]) != string(body) {
			t.Errorf("%s differs when it is rebuilt", key)
		}
	}
}

func TestMissingAndDamagedObjectsAreSaid(t *testing.T) {
	pages := history(t, 41, 20, 12)
	blobs := newBlobs()
	ix := openIndex(t, blobs, "", Options{})
	runHistory(t, ix, 0, pages)
	root := ix.Root()
	damage := map[string]func([]byte) []byte{
		"missing":   func([]byte) []byte { return nil },
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"flipped":   func(b []byte) []byte { b = slices.Clone(b); b[len(b)/3] ^= 4; return b },
	}
	names := []string{root}
	for _, s := range ix.points[ix.at].list.Segments {
		names = append(names, s.Key)
	}
	for _, key := range names {
		for what, do := range damage {
			whole := blobs.objects[key]
			if blobs.objects[key] = do(whole); blobs.objects[key] == nil {
				delete(blobs.objects, key)
			}
			_, err := Open(context.Background(), blobs, "run/index/", root, Options{IsNotFound: isAbsent})
			var e *schema.Error
			if !errors.As(err, &e) || e.Code != "index_corrupt" || e.Kind != schema.KindFailed || !strings.Contains(err.Error(), key) {
				t.Errorf("%s %s: %v", key, what, err)
			}
			blobs.objects[key] = whole
		}
	}
}

func TestAPassingFaultIsNotTakenForDamage(t *testing.T) {
	_, err := Open(context.Background(), newBlobs(), "", "roots/1", Options{})
	if schema.KindOf(err) != schema.KindRetry || !errors.Is(err, errAbsent) {
		t.Errorf("got %v", err)
	}
}

func TestOtherObjectsUnderAKeyAreSaid(t *testing.T) {
	page := history(t, 3, 1, 25)[0]
	blobs := newBlobs()
	ix := openIndex(t, blobs, "", Options{})
	commit(t, ix, 0, page, decide(t, ix, 0, page...))
	for key := range blobs.objects {
		blobs.objects[key] = []byte("other")
	}
	again := openIndex(t, blobs, "", Options{})
	_, err := again.Commit(context.Background(), 0, page, decide(t, again, 0, page...))
	if codeOf(err) != "index_corrupt" {
		t.Errorf("got %v", err)
	}
}

func TestPagesComeInOrder(t *testing.T) {
	ix := openIndex(t, newBlobs(), "", Options{})
	page := []Item{item(t, "a", "p", "one two three four five six")}
	d := decide(t, ix, 5, page...)
	commit(t, ix, 5, page, d)
	for _, seq := range []int{4, 5} {
		if _, err := ix.Decide(context.Background(), seq, page); codeOf(err) != "index_order" {
			t.Errorf("page %d: %v", seq, err)
		}
		if _, err := ix.Commit(context.Background(), seq, page, d); codeOf(err) != "index_order" {
			t.Errorf("page %d: %v", seq, err)
		}
	}
}

func TestSketchesOfOtherParametersAreRefused(t *testing.T) {
	s, err := NewSketcher(Params{Shingle: 5, Bands: 25, Rows: 5})
	if err != nil {
		t.Fatal(err)
	}
	it := Item{ID: "a", Live: true, Sketch: s.Sketch("one two three four five six")}
	if _, err := openIndex(t, newBlobs(), "", Options{}).Decide(context.Background(), 0, []Item{it}); schema.KindOf(err) != schema.KindInvalid {
		t.Errorf("got %v", err)
	}
}

func TestLayersAreComparedWith(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	old, anchor := strings.Join(words(r, 80), " "), strings.Join(words(r, 80), " ")
	blobs := newBlobs()
	earlier, err := Open(context.Background(), blobs, "earlier/", "", Options{IsNotFound: isAbsent})
	if err != nil {
		t.Fatal(err)
	}
	page := []Item{item(t, "v1", "p1", old)}
	root := commit(t, earlier, 0, page, decide(t, earlier, 0, page...))
	human := func(yield func(Item, error) bool) {
		for i := range 3 {
			if !yield(item(t, fmt.Sprint("human", i), "", anchor), nil) {
				return
			}
		}
	}
	for _, scratch := range []string{"", t.TempDir()} {
		ix := openIndex(t, blobs, "", Options{Scratch: scratch, MemoryBytes: 100_000, Layers: []LayerRef{
			{Name: "versions", Parts: []Part{{"version 1", root}}, Scope: schema.ScopePrompt},
			{Name: "anchor", Items: human}}})
		got := decide(t, ix, 0, item(t, "a", "p1", old+" end"), item(t, "b", "p2", old+" end"), item(t, "c", "p3", anchor), item(t, "d", "p4", anchor+" end"),
			item(t, "e", "p2", old))
		want := []string{"near|v1|", "||v1", "exact|human0|", "near|human0|", "near|b|"}
		for i, d := range got {
			if s := fmt.Sprintf("%s|%s|%s", d.Check, d.Of, d.Near); s != want[i] {
				t.Errorf("%d: got %s, want %s", i, s, want[i])
			}
		}
		if ix.Entries() != 0 {
			t.Error("a layer's entries count as the index's own")
		}
		ix.Close()
	}
}

func TestAFaultOfALayerNamesIt(t *testing.T) {
	broken := func(yield func(Item, error) bool) { yield(Item{}, errCrash) }
	_, err := Open(context.Background(), nil, "", "", Options{Layers: []LayerRef{{Name: "corpus@3", Items: broken}}})
	if !errors.Is(err, errCrash) || !strings.Contains(err.Error(), "corpus@3") {
		t.Errorf("got %v", err)
	}
}

func TestALocalIndexWritesNothing(t *testing.T) {
	pages := history(t, 51, 20, 20)
	ix, err := Open(context.Background(), nil, "", "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, want := runHistory(t, ix, 0, pages), straight(t, pages, Options{})
	for seq := range pages {
		if !slices.Equal(got.decisions[seq], want.decisions[seq]) {
			t.Fatalf("page %d differs", seq)
		}
	}
}

// A cluster of very many texts that are alike, each of its own prompt, is still one cluster, and says that it was capped.
func TestLargeClustersAreCappedAndSaid(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	base := words(r, 300)
	ix := openIndex(t, newBlobs(), "", Options{})
	capped := 0
	for seq := range 4 {
		var page []Item
		for i := range 100 {
			text := slices.Clone(base)
			text[r.IntN(len(text))] = fmt.Sprint("y", seq, i)
			page = append(page, item(t, fmt.Sprint(seq, "-", i), fmt.Sprint("p", seq, "-", i), strings.Join(text, " ")))
		}
		d := decide(t, ix, seq, page...)
		for i := range d {
			capped += d[i].Capped
			if d[i].Near != "0-0" && (seq > 0 || i > 0) {
				t.Fatalf("%s is flagged for %q", page[i].ID, d[i].Near)
			}
		}
		commit(t, ix, seq, page, d)
	}
	if capped == 0 {
		t.Error("nothing says that the cluster is capped")
	}
}

func TestClusters(t *testing.T) {
	var c Clusters
	c.JoinDecision("b", Decision{Of: "a"})
	c.JoinDecision("d", Decision{Near: "c"})
	c.JoinDecision("e", Decision{})
	c.JoinDecision("f", Decision{Of: "b", Near: "d"})
	if got := fmt.Sprint(c.Members()); got != "[[a b c d f]]" {
		t.Errorf("got %s", got)
	}
	if c.Size("d") != 5 || c.Size("e") != 1 || c.First("f") != "a" || c.First("e") != "e" {
		t.Errorf("sizes %d, %d; firsts %s, %s", c.Size("d"), c.Size("e"), c.First("f"), c.First("e"))
	}
}

func TestParamsAreChecked(t *testing.T) {
	for _, near := range []schema.NearCheck{{Shingle: -1}, {Bands: 43}, {Rows: 100}, {Shingle: 1000}} {
		if _, err := Open(context.Background(), nil, "", "", Options{Near: near}); schema.KindOf(err) != schema.KindInvalid {
			t.Errorf("%+v: %v", near, err)
		}
		if _, err := Pairs(context.Background(), slices.Values([]string{"a"}), PairOptions{Near: near}); schema.KindOf(err) != schema.KindInvalid {
			t.Errorf("%+v: %v", near, err)
		}
	}
}
