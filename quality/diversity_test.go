package quality

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func varied(n, vocabulary int) (texts []string) {
	for i := range n {
		var b strings.Builder
		for k := range 50 {
			fmt.Fprintf(&b, "word%d ", (i*i*31+k*k*17+i*k*7)%vocabulary)
		}
		texts = append(texts, b.String())
	}
	return texts
}

func measured(texts []string) []Diversity {
	var s DiversitySample
	for i, t := range texts {
		s.Add(fmt.Sprint(i), t)
	}
	return s.Measure()
}

// A smaller vocabulary shows in every measure, at every budget; more texts than the budget change nothing but which are drawn.
func TestDiversityFallsWithTheVocabulary(t *testing.T) {
	rich, poor := measured(varied(300, 5000)), measured(varied(300, 100))
	if len(rich) != 2 || len(poor) != 2 {
		t.Fatalf("%d and %d budgets are filled by 15,000 words", len(rich), len(poor))
	}
	for i := range rich {
		if r, p := rich[i], poor[i]; r.Words != p.Words || r.Entropy <= p.Entropy || r.Vocabulary <= p.Vocabulary || r.Hapax < p.Hapax || r.Distinct2 <= p.Distinct2 {
			t.Errorf("rich %+v, poor %+v", r, p)
		}
	}
}

func TestDiversityIsTheSameInAnyOrder(t *testing.T) {
	texts := varied(500, 700)
	var forward, backward DiversitySample
	for i := range texts {
		forward.Add(fmt.Sprint(i), texts[i])
		j := len(texts) - 1 - i
		backward.Add(fmt.Sprint(j), texts[j])
	}
	if a, b := forward.Measure(), backward.Measure(); !slices.Equal(a, b) {
		t.Errorf("%+v, %+v", a, b)
	}
	if len(measured(nil)) != 0 {
		t.Error("nothing has a diversity")
	}
}
