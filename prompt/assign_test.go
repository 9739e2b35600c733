package prompt

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

// Each teacher gets its share, within five standard deviations, whatever weights and seed.
func TestAssignTeacherKeepsShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Float64Range(0.01, 100), 1, 5).Draw(t, "weights")
		seed := rapid.Uint64().Draw(t, "seed")
		total := 0.0
		for _, w := range weights {
			total += w
		}
		const n = 20_000
		counts := make([]int, len(weights))
		for i := range n {
			counts[AssignTeacher(seed, fmt.Sprintf("%032x", i), weights)]++
		}
		for i, w := range weights {
			p := w / total
			if off := math.Abs(float64(counts[i]) - n*p); off > 5*math.Sqrt(n*p*(1-p))+1 {
				t.Fatalf("teacher %d of weights %v got %d of %d", i, weights, counts[i], n)
			}
		}
	})
}

func TestAssignTeacherIsFixed(t *testing.T) {
	var got []int
	for i := range 12 {
		got = append(got, AssignTeacher(7, fmt.Sprintf("%032x", i), []float64{3, 1}))
	}
	if want := "[0 0 0 1 0 0 0 0 1 0 0 0]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s as in the first release", got, want)
	}
}

func TestEstimateTokens(t *testing.T) {
	likely, most := EstimateTokens([]schema.Message{{Role: "system", Content: "12345678"}, {Role: "user", Content: "1"}})
	if likely != 2+4+1+4+3 || most != 8+4+1+4+3 {
		t.Errorf("%d, %d", likely, most)
	}
}
