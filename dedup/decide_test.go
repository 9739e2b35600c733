package dedup

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// words makes a text of n pseudo-words.
func words(r *rand.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("w%d", r.IntN(5000))
	}
	return out
}

func sketchOf(t testing.TB, text string, without ...string) Sketch {
	s, err := NewSketcher(DefaultParams)
	if err != nil {
		t.Fatal(err)
	}
	return s.Sketch(text, without...)
}

func item(t testing.TB, id, prompt, text string) Item {
	return Item{ID: id, PromptID: prompt, Live: true, Sketch: sketchOf(t, text)}
}

func openIndex(t testing.TB, blobs Blobs, root string, opts Options) *Index {
	t.Helper()
	opts.IsNotFound = isAbsent
	ix, err := Open(context.Background(), blobs, "run/index/", root, opts)
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func decide(t testing.TB, ix *Index, seq int, page ...Item) []Decision {
	t.Helper()
	got, err := ix.Decide(context.Background(), seq, page)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func commit(t testing.TB, ix *Index, seq int, page []Item, d []Decision) string {
	t.Helper()
	root, err := ix.Commit(context.Background(), seq, page, d)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestScopePromptDropsWithinAPromptAndFlagsAcross(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	base := words(r, 200)
	near := strings.Join(append([]string{"changed"}, base[1:]...), " ")
	same := strings.ToUpper(strings.Join(base, "\n"))
	page := []Item{
		item(t, "a", "p1", strings.Join(base, " ")),
		item(t, "b", "p1", same),
		item(t, "c", "p1", near),
		item(t, "d", "p2", near),
		item(t, "e", "p2", same),
		item(t, "f", "p3", strings.Join(words(r, 200), " ")),
	}
	got := decide(t, openIndex(t, newBlobs(), "", Options{}), 0, page...)
	want := []string{"|||true", "exact|a||false", "near|a||false", "||a|true", "near|d||false", "|||true"}
	for i, d := range got {
		if s := fmt.Sprintf("%s|%s|%s|%v", d.Check, d.Of, d.Near, d.Enter); s != want[i] {
			t.Errorf("%s: got %s, want %s", page[i].ID, s, want[i])
		}
	}
}

func TestScopeDatasetDropsAcrossPrompts(t *testing.T) {
	text := strings.Join(words(rand.New(rand.NewPCG(2, 2)), 100), " ")
	opts := Options{Exact: schema.ExactCheck{Scope: schema.ScopeDataset}, Near: schema.NearCheck{Scope: schema.ScopeDataset}}
	got := decide(t, openIndex(t, newBlobs(), "", opts), 0, item(t, "a", "p1", text), item(t, "b", "p2", text), item(t, "c", "p3", text+" more"))
	if got[1].Check != CheckExact || got[1].Of != "a" || got[2].Check != CheckNear || got[2].Of != "a" || got[2].Enter {
		t.Errorf("got %+v", got)
	}
}

func TestWhatIsRejectedElsewhereHidesNothing(t *testing.T) {
	dead := item(t, "a", "p", "one two three four five six")
	dead.Live = false
	got := decide(t, openIndex(t, newBlobs(), "", Options{}), 0, dead, item(t, "b", "p", "one two three four five six"))
	if got[0].Enter || got[1].Check != "" || !got[1].Enter {
		t.Errorf("got %+v", got)
	}
}

func TestLaterPagesSeeEarlierOnesAfterReopening(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	blobs, root := newBlobs(), ""
	ix := openIndex(t, blobs, "", Options{})
	var texts []string
	for seq := range 40 {
		text := strings.Join(words(r, 60), " ")
		texts = append(texts, text)
		page := []Item{item(t, fmt.Sprint("t", seq), "p", text)}
		root = commit(t, ix, seq, page, decide(t, ix, seq, page...))
	}
	cold := openIndex(t, blobs, root, Options{})
	for i, text := range texts {
		for _, x := range []*Index{ix, cold} {
			if d := decide(t, x, 40, item(t, "again", "p", text)); d[0].Of != fmt.Sprint("t", i) {
				t.Fatalf("text %d: got %+v", i, d)
			}
		}
	}
	if n := len(ix.points[ix.at].list.Segments); n > 2*fanIn {
		t.Errorf("%d segments after 40 pages: not compacted", n)
	}
}

func TestAPromptWithManyAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	ix := openIndex(t, newBlobs(), "", Options{})
	var first []string
	for seq := range mostOfPrompt/100 + 3 {
		var page []Item
		for i := range 100 {
			text := strings.Join(words(r, 100), " ")
			if seq == 0 {
				first = append(first, text)
			}
			page = append(page, item(t, fmt.Sprint(seq, "-", i), "p", text))
		}
		commit(t, ix, seq, page, decide(t, ix, seq, page...))
	}
	for i, text := range first {
		got := decide(t, ix, 99, item(t, "x", "p", text), item(t, "y", "p", text+" end"))
		if want := fmt.Sprint("0-", i); got[0].Check != CheckExact || got[0].Of != want || got[1].Check != CheckNear || got[1].Of != want {
			t.Fatalf("answer %d of %d: %+v", i, ix.Entries(), got)
		}
	}
}
