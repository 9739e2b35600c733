package dedup

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Joining agrees with the plain way to say it: two ids are in one cluster where a chain of joins leads from one to the other.
func TestClustersFollowChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f Clusters
		plain := map[string]int{}
		for i := range 12 {
			plain[fmt.Sprint(i)] = i
		}
		for range rapid.IntRange(0, 20).Draw(t, "joins") {
			a, b := fmt.Sprint(rapid.IntRange(0, 11).Draw(t, "a")), fmt.Sprint(rapid.IntRange(0, 11).Draw(t, "b"))
			f.Join(a, b)
			was, is := plain[b], plain[a]
			for id, c := range plain {
				if c == was {
					plain[id] = is
				}
			}
		}
		for a := range plain {
			size := 0
			for b := range plain {
				if plain[a] == plain[b] {
					size++
				}
				if (plain[a] == plain[b]) != (f.First(a) == f.First(b)) {
					t.Fatalf("%s and %s", a, b)
				}
			}
			if f.Size(a) != size {
				t.Fatalf("the cluster of %s has size %d, want %d", a, f.Size(a), size)
			}
		}
	})
}
