package activities

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A run is killed before every single write in turn, and every single write's reply is lost in turn: the next attempt finishes it, what
// comes out is the same to the byte, it is published once, and no answer that was durable is asked for again.
func TestEveryWriteMayFail(t *testing.T) {
	gated := strings.Replace(mixed, "off: true", "ceilings: {refusal: 0.1, duplicate: 0.9}", 1)
	whole := newLab(t, gated)
	counting := &breaking{Store: whole.store}
	unbroken := whole.flow(whole.rooms(counting))
	unbroken.whole()
	if c := unbroken.publish.Counts; c.Admitted != prompts || c.Rejected["exact"] != prompts {
		t.Fatalf("of two equal answers to every prompt one is admitted; counts %+v", c)
	}
	want := outcome(whole)
	if len(want) < 20 {
		t.Fatalf("the run without a fault left only %v", slices.Sorted(maps.Keys(want)))
	}
	for _, lost := range []bool{false, true} {
		for n := 1; n <= counting.writes; n++ {
			t.Run(fmt.Sprintf("lost=%v/write %d", lost, n), func(t *testing.T) {
				l := newLab(t, gated)
				b := &breaking{Store: l.store, at: n, lost: lost}
				broken, healthy := l.rooms(b), l.rooms(l.store)
				f := &flow{l: l, rooms: func() *Rooms {
					if b.dead {
						return healthy
					}
					return broken
				}}
				f.whole()
				got := outcome(l)
				for key, body := range want {
					if got[key] != body {
						t.Errorf("%s differs from the run without a fault", key)
					}
				}
				if len(got) != len(want) {
					t.Errorf("%d objects, want %d", len(got), len(want))
				}
				if f.result.Version != 1 || l.manifests() != 1 {
					t.Errorf("version %d of %d", f.result.Version, l.manifests())
				}
				if most := 2*prompts + 10; l.calls() > most { // a page was in flight at most
					t.Errorf("%d calls for %d requests", l.calls(), 2*prompts)
				}
			})
		}
	}
}

// outcome is what a run leaves that others rely on: decisions, shards, index, rejects, manifest; journals and answers have times.
func outcome(l *lab) map[string]string {
	got := l.objects("")
	maps.DeleteFunc(got, func(key, _ string) bool {
		return strings.Contains(key, "/journal/") || strings.Contains(key, "/answers/") || strings.Contains(key, "/served/") || strings.HasSuffix(key, "/sources.json")
	})
	for key := range got {
		if strings.HasSuffix(key, ".report.html") || strings.HasSuffix(key, "/summary.json") {
			got[key] = "it is there" // they show times
		}
	}
	return got
}

// manifests counts the versions.
func (l *lab) manifests() (n int) {
	for key := range l.objects(l.run.Versions()) {
		if strings.HasSuffix(key, ".json") {
			n++
		}
	}
	return n
}
