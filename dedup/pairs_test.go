package dedup

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// edited returns variants of texts with some words replaced.
func edited(r *rand.Rand, bases, copies, length int) []string {
	var out []string
	for range bases {
		base := words(r, length)
		for c := range copies {
			v := slices.Clone(base)
			for range c {
				v[r.IntN(len(v))] = fmt.Sprintf("x%d", r.IntN(1000))
			}
			out = append(out, strings.Join(v, " "))
		}
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return append(out, "", " ", "")
}

func TestPairsAreThoseOfBruteForce(t *testing.T) {
	texts := edited(rand.New(rand.NewPCG(11, 11)), 150, 6, 150)
	var sketches []Sketch
	for _, text := range texts {
		sketches = append(sketches, sketchOf(t, text))
	}
	truth := map[[2]int]float64{}
	for b := range sketches {
		for a := range b {
			if j := Jaccard(sketches[a].Set, sketches[b].Set); j >= .8 {
				truth[[2]int{a, b}] = j
			}
		}
	}
	var before []Pair
	for _, threads := range []int{1, 3} {
		got, err := Pairs(context.Background(), slices.Values(texts), PairOptions{Threads: threads, Least: .8})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got.Pairs {
			if truth[[2]int{p.A, p.B}] != p.Jaccard {
				t.Errorf("%+v: the Jaccard index is %v", p, truth[[2]int{p.A, p.B}])
			}
		}
		if float64(len(got.Pairs)) < .98*float64(len(truth)) || len(truth) < 500 {
			t.Errorf("%d of %d pairs", len(got.Pairs), len(truth))
		}
		if before != nil && !slices.Equal(before, got.Pairs) {
			t.Error("other pairs on several threads")
		}
		before = got.Pairs
	}
}

func TestPairsStopWhenToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	endless := func(yield func(string) bool) {
		for i := 0; yield(fmt.Sprint("text number ", i)); i++ {
			if i == 5000 {
				cancel()
			}
			if i > 1_000_000 {
				return
			}
		}
	}
	if _, err := Pairs(ctx, endless, PairOptions{}); err == nil {
		t.Error("no error")
	}
}

func TestManyEqualTextsAreStarred(t *testing.T) {
	texts := slices.Repeat([]string{"I am not able to answer that question, sorry."}, 250)
	texts = append(texts, "Another text that has nothing to do with the others at all.")
	got, err := Pairs(context.Background(), slices.Values(texts), PairOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := mostEqual*(mostEqual-1)/2 + 150; len(got.Pairs) != want || got.Starred != 150 {
		t.Errorf("%d pairs, %d starred; want %d, 150", len(got.Pairs), got.Starred, want)
	}
}
