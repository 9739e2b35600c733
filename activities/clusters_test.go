package activities

import (
	"fmt"
	"testing"
)

// Files that are written at once share one table of clusters; what no request of the run has stands in none.
func TestClusterTableIsShared(t *testing.T) {
	l := newLab(t, "")
	l.sources(1)
	l.begin("r1")
	r := l.rooms(l.store)
	id := func(i int) string { return fmt.Sprintf("%032x", i) }
	c := &clusters{splits: map[string]string{id(7): "test"}}
	for i := range 300 {
		c.records.Join(id(100), id(100+i))
	}
	c.records.Join("earlier-record", id(1))
	l.must(r.putClusters(t.Context(), l.run, c))
	one, err := r.readClusters(t.Context(), l.run)
	l.must(err)
	two, err := r.readClusters(t.Context(), l.run)
	l.must(err)
	if one != two {
		t.Error("two files have a table each")
	}
	for request, want := range map[string]int32{id(100): 300, id(399): 300, id(400): 1, id(1): 2, id(2): 1, "earlier-record": 1, "": 1} {
		if got := one.sizeOf(request); got != want {
			t.Errorf("%q is in a cluster of %d, not %d", request, got, want)
		}
	}
	if one.split[id(7)] != "test" || len(one.split) != 1 || len(one.size) != 301 {
		t.Errorf("%d sizes, splits %v", len(one.size), one.split)
	}
}
