package dedup

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// How items are cut into pages is nothing that decisions depend on, nor on how many cores a page is looked up.
func TestPagingNeverChangesDecisions(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	items := slices.Concat(history(t, 61, 120, 40)...)
	if len(items) < 2000 {
		t.Fatalf("%d items: too few for several shares", len(items))
	}
	var want []Decision
	for _, size := range []int{1100, 37} {
		for _, memory := range []int64{0, 400_000} {
			ix, err := Open(context.Background(), nil, "", "", Options{MemoryBytes: memory, Scratch: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			var got []Decision
			for page := range slices.Chunk(items, size) {
				d := decide(t, ix, len(got), page...)
				commit(t, ix, len(got), page, d)
				got = append(got, visible(d)...)
			}
			if memory > 0 && len(ix.own.runs) == 0 {
				t.Error("nothing went to disk")
			}
			if disk := ix.Disk(); (disk.Bands > 0 && disk.Verify > 0) != (memory > 0) {
				t.Errorf("%+v with %d bytes of memory", disk, memory)
			}
			ix.Close()
			if want == nil {
				want = got
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("pages of %d, %d bytes: %s is decided %+v, not %+v", size, memory, items[i].ID, got[i], want[i])
				}
			}
		}
	}
}

func TestWorkersThatRaceForAPageAgree(t *testing.T) {
	pages := history(t, 71, 20, 20)
	want := straight(t, pages, Options{})
	blobs := newBlobs()
	workers := make([]worker, 4)
	root := ""
	for seq, page := range pages {
		var wg sync.WaitGroup
		roots := make([]string, len(workers))
		for i := range workers {
			workers[i].opts.IsNotFound = isAbsent
			wg.Go(func() {
				_, next, err := workers[i].attempt(blobs, root, seq, page)
				if err != nil {
					next = err.Error()
				}
				roots[i] = next
			})
		}
		wg.Wait()
		for i, got := range roots {
			if got != want.roots[seq] {
				t.Fatalf("page %d, worker %d: %s, not %s", seq, i, got, want.roots[seq])
			}
		}
		root = roots[0]
	}
}

func TestSketchAllKeepsTheOrder(t *testing.T) {
	var texts []Text
	for i := range 1000 {
		texts = append(texts, Text{Text: fmt.Sprint("text number ", i, " of ", strings.Repeat("many words ", i%7))})
	}
	texts[5].Without = []string{texts[5].Text}
	for _, threads := range []int{1, 4} {
		got, err := SketchAll(texts, DefaultParams, threads)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			if want := sketchOf(t, text.Text, text.Without...); got[i].Exact != want.Exact || !slices.Equal(got[i].Set, want.Set) {
				t.Fatalf("text %d on %d threads", i, threads)
			}
		}
	}
}
