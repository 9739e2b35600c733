package prompt

import (
	"encoding/hex"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

// Whatever is added in whatever order, a Seen answers as a map does, in memory or on disk.
func TestSeenIsAnExactSet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := NewSeen(t.TempDir(), rapid.IntRange(1, 64).Draw(rt, "bound"))
		defer s.Close() //nolint:errcheck // checked elsewhere
		model := map[string]bool{}
		repeats := int64(0)
		// few different bytes, so that ids repeat, are neighbours, and cluster where interpolation expects none
		spread := rapid.SampledFrom([]int{1, 3, 256}).Draw(rt, "spread")
		for i := range rapid.IntRange(0, 400).Draw(rt, "n") {
			var k id
			for j := range k {
				if spread == 256 || j%5 == 0 {
					k[j] = byte(rapid.IntRange(0, spread*3).Draw(rt, fmt.Sprint(i)))
				}
			}
			text := hex.EncodeToString(k[:])
			fresh, err := s.Add(text)
			if err != nil {
				rt.Fatal(err)
			}
			if fresh == model[text] {
				rt.Fatalf("id %d (%s): new %v", i, text, fresh)
			}
			if model[text] {
				repeats++
			}
			model[text] = true
		}
		if s.Len() != int64(len(model)) || s.Repeats() != repeats {
			rt.Fatalf("%d and %d repeats, want %d and %d", s.Len(), s.Repeats(), len(model), repeats)
		}
	})
}

func TestSeenOnDisk(t *testing.T) {
	folder := t.TempDir()
	s := NewSeen(folder, 1000)
	const n = 50_000
	for pass := range 2 {
		for i := range n {
			fresh, err := s.Add(schema.PromptID([]schema.Message{{Role: "user", Content: fmt.Sprint(i)}}))
			if err != nil || fresh != (pass == 0) {
				t.Fatalf("pass %d, id %d: new %v, %v", pass, i, fresh, err)
			}
		}
	}
	if len(s.recent) > 1000 || len(s.runs) > 3*4 {
		t.Errorf("%d ids in memory, %d runs", len(s.recent), len(s.runs))
	}
	if s.Len() != n || s.Repeats() != n {
		t.Errorf("%d, %d", s.Len(), s.Repeats())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSeenRefusesWhatIsNoID(t *testing.T) {
	s := NewSeen(t.TempDir(), 0)
	for _, bad := range []string{"", "abc", "zz000000000000000000000000000000", "000000000000000000000000000000000"} {
		if _, err := s.Add(bad); err == nil {
			t.Errorf("%q was added", bad)
		}
	}
}

func BenchmarkSeen(b *testing.B) {
	s := NewSeen(b.TempDir(), 0)
	defer s.Close() //nolint:errcheck // a benchmark
	random := splitMix(1)
	for b.Loop() {
		var k id
		for j := range k {
			k[j] = byte(random.next())
		}
		if _, err := s.Add(hex.EncodeToString(k[:])); err != nil {
			b.Fatal(err)
		}
	}
}
