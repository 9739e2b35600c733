package activities

import (
	"testing"

	"pgregory.net/rapid"
)

// A sample has as many prompts as were wanted, one of each stretch, and the same each time; another seed draws others.
func TestSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.Int64Range(1, 3000).Draw(t, "of")
		n := rapid.Int64Range(1, 400).Draw(t, "n")
		seed := rapid.Uint64().Draw(t, "seed")
		draw := func() (picked []int64) {
			s := sample{seed: seed, n: n, of: of}
			for i := range of {
				if s.takes() {
					picked = append(picked, i)
				}
			}
			return picked
		}
		first, second := draw(), draw()
		if int64(len(first)) != min(n, of) {
			t.Fatalf("%d of %d, want %d", len(first), of, n)
		}
		for k, at := range first {
			if second[k] != at {
				t.Fatal("it isn't the same again")
			}
			if n < of && (at*n/of < int64(k)-1 || at*n/of > int64(k)+1) {
				t.Fatalf("pick %d of %d is prompt %d of %d", k, n, at, of)
			}
		}
	})
}
