package quality

import (
	"fmt"
	"testing"
)

// A version is an anchor from its size alone: whatever the seed draws, 200 texts give a profile of 100, and 199 give none.
func TestSmallVersionIsCutBySizeAlone(t *testing.T) {
	s := newSpeaker(1, 5000, 0.7)
	var texts []string
	for range 340 {
		texts = append(texts, s.text())
	}
	for seed := range uint64(30) {
		for _, n := range []int{FewestPinned - 1, FewestPinned, 340} {
			b := NewAnchorBuilder(AnchorOptions{Seed: seed, Pinned: true})
			for i, text := range texts[:n] {
				b.Add(AnchorRecord{PromptID: fmt.Sprint(i), Text: text})
			}
			a, err := b.Build()
			if (err == nil) != (n >= FewestPinned) {
				t.Fatalf("seed %d, %d texts: %v", seed, n, err)
			}
			if err != nil {
				continue
			}
			if a.Profile.Records < minProfile || a.Profile.Records+len(a.Twins) != n || len(a.Known) != a.Profile.Records {
				t.Errorf("seed %d, %d texts: profile %d, twins %d, known %d", seed, n, a.Profile.Records, len(a.Twins), len(a.Known))
			}
			for i := 1; i < len(a.Twins); i++ { // in the order in which they were said
				if len(a.Twins[i-1].PromptID) > len(a.Twins[i].PromptID) {
					t.Fatalf("seed %d: twins out of order", seed)
				}
			}
		}
	}
}
